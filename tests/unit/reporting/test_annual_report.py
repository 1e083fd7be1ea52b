"""The figures of the annual report: who is in the denominator, under which group, and what stands apart."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from schemas.events.assessments import Status
from services.reporting.core.annual_report import Question, compile_report, digest_of
from services.reporting.core.lines import lines_of
from services.reporting.core.lookup import DutyState, state_at
from services.reporting.core.projections import Standing
from services.reporting.core.roster import BY_NAME, Roster
from services.reporting.core.scorecard import scorecard
from tests.support.builders.annual_report import (
    AS_OF,
    DUE,
    OPENS,
    a_key,
    a_plan,
    a_reader,
    a_registry,
    a_report,
    a_timeline,
    a_year,
    an_assessed,
    an_attempt,
)


def a_state(ends: Status, agency: str = "h-00", **how: Any) -> DutyState:
    """Build a duty that ended so."""
    return state_at(an_assessed(a_key(agency), timeline=a_timeline(ends, **how)), AS_OF)


def test_expected_are_the_duties_that_bind() -> None:
    """Exempt, superseded and ended duties leave the denominator; pending and incomplete ones stay in it."""
    states = [a_state(status, f"h-{n:02d}") for n, status in enumerate(Status) if status is not Status.NOT_APPLICABLE]
    card = scorecard(lines_of(states, {}, a_reader()))
    assert (card.expected, card.actual, card.outstanding) == (5, 2, 3)
    assert (card.exempt, card.superseded, card.ended_no_successor, card.open, card.fulfilled) == (1, 1, 1, 1, 1)
    assert (card.reporting_rate, card.reporting_rate_on_time) == (Decimal(2) / 5, Decimal(1) / 5)


def test_where_none_was_expected_there_is_no_rate() -> None:
    """Nothing divided by nothing is said as nothing."""
    card = scorecard(lines_of([a_state(Status.EXEMPT)], {}, a_reader()))
    assert (card.reporting_rate, card.reporting_rate_on_time) == (None, None)


def test_a_nil_return_is_a_report_and_counted_apart() -> None:
    """Nothing to report is an answer."""
    card = scorecard(lines_of([a_state(Status.ON_TIME, flags=("nil_return",), effective_at=DUE)], {}, a_reader()))
    assert (card.actual, card.nil_returns) == (1, 1)


def test_groups_part_the_total() -> None:
    """Each duty is counted under one group, so the groups sum to the total."""
    report = a_report()
    for name in ("expected", "actual", "on_time", "late", "incomplete", "overdue", "exempt"):
        chapter = report.chapters[0]
        assert sum(getattr(group.scores, name) for group in chapter.groups) == getattr(chapter.total, name)


def test_the_group_is_the_one_of_the_due_day() -> None:
    """An agency that changed groups is counted where it was on the last good day."""
    moved = {
        "id": "h-00",
        "names": [{"vi": "Sở cũ", "to": "2026-12-10"}, {"vi": "Huyện mới", "from": "2026-12-10"}],
        "groups": [{"id": "so-ban-nganh", "to": "2026-12-10"}, {"id": "ubnd-huyen", "from": "2026-12-10"}],
    }
    registry = a_registry(agencies=[moved])
    (line,) = lines_of([a_state(Status.OVERDUE)], {}, a_reader(registry=registry))
    assert (line.group, line.agency_name) == ("so-ban-nganh", "Sở cũ")


def test_an_agency_addressed_by_name_has_a_group_of_its_own() -> None:
    """The plan may name an agency beside its groups."""
    obligation = a_plan().obligations[0].model_copy(update={"addressees": ("h-00",)})
    roster = Roster.of(a_registry())
    assert roster.group_of("h-00", obligation, DUE.date()) == BY_NAME
    assert roster.group_name(BY_NAME, "en") == "Named agencies"
    assert roster.name_on("unheard-of", DUE.date()) == "unheard-of"


@pytest.mark.parametrize(
    "ends, came, days",
    [
        (Status.ON_TIME, DUE - timedelta(minutes=1), None),
        (Status.LATE, DUE, 1),
        (Status.LATE, DUE + timedelta(hours=8), 1),
        (Status.LATE, DUE + timedelta(days=1), 2),
        (Status.OVERDUE, None, 13),
        (Status.INCOMPLETE, None, 13),
        (Status.EXEMPT, None, None),
    ],
)
def test_days_late_count_local_days_from_the_last_good_one(ends: Status, came: Any, days: int | None) -> None:
    """08:00 on the tenth is one day late; a report that never came is late until the day asked about."""
    how = {"effective_at": came} if came else {}
    (line,) = lines_of([a_state(ends, **how)], {}, a_reader())
    assert line.days_late == days


def test_an_incomplete_report_before_its_due_day_is_not_late() -> None:
    """It can still be completed in time."""
    early = DUE - timedelta(days=3)
    state = state_at(an_assessed(timeline=a_timeline(Status.INCOMPLETE, effective_at=early - timedelta(days=1))), early)
    (line,) = lines_of([state], {}, a_reader(early))
    assert (line.status, line.days_late) == (Status.INCOMPLETE, None)


def test_undated_duties_are_told_apart() -> None:
    """They can be done or not, never late, and are in no denominator."""
    report = a_report()
    assert [chapter.obligation.id for chapter in report.chapters] == ["annual-results"]
    assert [(one.fulfilled, one.open) for one in report.undated] == [(25, 13)]
    assert report.total == report.chapters[0].total


def test_what_does_not_apply_is_not_listed() -> None:
    """An agency that was not bound is in no table."""
    question = Question(period="2026", as_of=AS_OF, known_at=AS_OF)
    report = compile_report(question, [a_state(Status.NOT_APPLICABLE)], {}, a_reader())
    assert (report.chapters, report.undated, report.total.expected) == ((), (), 0)


def test_the_digest_depends_on_what_the_report_rests_on_and_on_nothing_else() -> None:
    """Order does not matter; a revision or an alert more does."""
    assessed, attempts = a_year()
    states = [state_at(one, AS_OF) for one in assessed]
    digest = digest_of(states, attempts)
    assert digest_of(list(reversed(states)), dict(reversed(attempts.items()))) == digest
    assert digest_of(states[1:], attempts) != digest
    assert digest_of(states, {**attempts, a_key(): [an_attempt(event="another")]}) != digest


def test_lines_follow_the_plan_then_the_group_then_the_alphabet() -> None:
    """A Vietnamese reader finds Đông Sơn after Cẩm Thủy and before Hà Trung."""
    names = [line.agency_name.removeprefix("UBND huyện ") for line in a_report().chapters[0].lines]
    assert names.index("Cẩm Thủy") < names.index("Đông Sơn") < names.index("Hà Trung")
    assert names.index("Thanh tra tỉnh") < names.index("Bá Thước")


def test_a_chapter_lists_who_is_outstanding_apart_urged_and_pressed() -> None:
    """Outstanding is past due without a complete report; a reminder before the deadline presses nobody."""
    (chapter,) = a_report().chapters
    assert {line.status for line in chapter.outstanding} == {Status.OVERDUE, Status.INCOMPLETE}
    assert {line.status for line in chapter.apart} == {Status.EXEMPT, Status.SUPERSEDED, Status.ENDED_NO_SUCCESSOR}
    assert len(chapter.urged) == len(chapter.lines)
    assert {line.status for line in chapter.pressed} == {Status.OVERDUE, Status.INCOMPLETE, Status.LATE}


def test_an_exempt_duty_without_a_date_makes_no_chapter() -> None:
    """Only dated duties can be counted on time."""
    key = a_key(obligation="action-programme", period=None)
    state = state_at(an_assessed(key, timeline=(Standing(from_at=OPENS, status=Status.EXEMPT),)), AS_OF)
    report = compile_report(Question(period="2026", as_of=AS_OF, known_at=AS_OF), [state], {}, a_reader())
    assert (report.chapters, report.undated) == ((), ())


def test_an_undated_duty_of_a_period_is_read_by_the_roster_of_its_last_day() -> None:
    """Once the period is over, later changes of the roster change nothing in it."""
    renamed = {
        "id": "h-00",
        "names": [{"vi": "Tên cũ", "to": "2026-01-01"}, {"vi": "Tên mới", "from": "2026-01-01"}],
        "groups": [{"id": "ubnd-huyen"}],
    }
    registry = a_registry(agencies=[renamed])
    key = a_key(obligation="action-programme", period="2025")
    state = state_at(an_assessed(key, timeline=(Standing(from_at=OPENS, status=Status.OPEN),)), AS_OF)
    (line,) = lines_of([state], {}, a_reader(registry=registry))
    assert line.agency_name == "Tên cũ"
