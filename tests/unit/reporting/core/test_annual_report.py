"""The annual report: its chapters, its undated obligations, its totals and its digest."""

from schemas.events.assessments import Status
from services.reporting.core import annual_report, timeline
from services.reporting.core.timeline import DutyState, StatusSpan
from tests.support.builders.annual_report import (
    AS_OF,
    OPENS,
    a_key,
    a_report,
    a_revision,
    a_timeline,
    a_year,
    an_attempt,
    compile_states,
)


def an_exempt_undated_state() -> DutyState:
    """Build the state of a duty that has no due instant and is exempt."""
    key = a_key(obligation="action-programme", period=None)
    return timeline.state_at(a_revision(key, spans=(StatusSpan(from_at=OPENS, status=Status.EXEMPT),)), AS_OF)


def test_the_groups_sum_to_the_total() -> None:
    """Every duty is counted under one group, so the counts of the groups add up to the total."""
    report = a_report()
    for name in ("expected", "actual", "on_time", "late", "incomplete", "overdue", "exempt"):
        chapter = report.chapters[0]
        assert sum(getattr(group.counts, name) for group in chapter.groups) == getattr(chapter.total, name)


def test_undated_duties_are_counted_apart_from_the_chapters() -> None:
    """Undated duties are fulfilled or open, never late, and are part of no denominator."""
    report = a_report()
    assert [chapter.obligation.id for chapter in report.chapters] == ["annual-results"]
    assert [(one.fulfilled, one.open) for one in report.undated] == [(25, 13)]
    assert report.total == report.chapters[0].total


def test_what_does_not_apply_is_not_listed() -> None:
    """A duty that does not bind its agency is in no chapter, no list and no total."""
    revision = a_revision(a_key("h-00"), spans=a_timeline(Status.NOT_APPLICABLE))
    report = compile_states([timeline.state_at(revision, AS_OF)])
    assert (report.chapters, report.undated, report.total.expected) == ((), (), 0)


def test_the_digest_depends_on_what_the_report_rests_on_and_on_nothing_else() -> None:
    """The order of assessments and alerts does not change the digest; one assessment or alert more or less does."""
    revisions, attempts = a_year()
    states = [timeline.state_at(revision, AS_OF) for revision in revisions]
    digest = annual_report.digest_of(states, attempts)
    assert annual_report.digest_of(list(reversed(states)), dict(reversed(attempts.items()))) == digest
    assert annual_report.digest_of(states[1:], attempts) != digest
    assert annual_report.digest_of(states, {**attempts, a_key(): [an_attempt(event="another")]}) != digest


def test_a_chapter_lists_who_is_outstanding_excluded_urged_and_urged_beyond_reminders() -> None:
    """Outstanding is past due without a complete report; a reminder before the due date is no urging."""
    (chapter,) = a_report().chapters
    urged_beyond_reminders = {line.status for line in chapter.urged_beyond_reminders}
    assert {line.status for line in chapter.outstanding} == {Status.OVERDUE, Status.INCOMPLETE}
    assert {line.status for line in chapter.excluded} == {Status.EXEMPT, Status.SUPERSEDED, Status.ENDED_NO_SUCCESSOR}
    assert len(chapter.urged) == len(chapter.lines)
    assert urged_beyond_reminders == {Status.OVERDUE, Status.INCOMPLETE, Status.LATE}


def test_an_exempt_duty_without_a_date_makes_no_chapter() -> None:
    """A chapter needs a due instant, because only dated duties can be counted on time."""
    report = compile_states([an_exempt_undated_state()])
    assert (report.chapters, report.undated) == ((), ())
