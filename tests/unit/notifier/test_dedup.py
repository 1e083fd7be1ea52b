"""What is said of a duty is said once, when it matters, and only while its reason stands."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events.assessments import Status, StepKind
from services.notifier.core.scheduling import schedule
from services.notifier.core.scheduling.assessment import Step
from tests.unit.notifier.agendas import (
    ALWAYS,
    DAY,
    DUE,
    OPENS,
    WORKING,
    a_reminder,
    a_stretch,
    an_assessment,
    an_urging,
    days,
    followed,
    told,
    told_until,
)

USUAL = (a_reminder(7), a_reminder(1), an_urging(0, step="PT0S"), an_urging(3))


def test_every_step_is_told_at_its_time() -> None:
    """Two reminders, two urgings, in order."""
    agenda = followed(an_assessment(*USUAL), OPENS)
    assert told_until(agenda, days(30)) == ["reminder P7D", "reminder P1D", "urging PT0S", "urging P3D"]


def test_what_was_said_is_not_said_again_after_a_repeat() -> None:
    """The same assessment and a newer one with the same steps change nothing."""
    said, agenda = told(followed(an_assessment(*USUAL), OPENS), days(-7))
    again = followed(an_assessment(*USUAL), days(-6), known=agenda)
    newer = followed(an_assessment(*USUAL, revision=2), days(-6), known=again)
    assert said == ["reminder P7D"]
    assert told(newer, days(-6))[0] == []
    assert told_until(newer, days(30)) == ["reminder P1D", "urging PT0S", "urging P3D"]


def test_an_older_assessment_is_ignored() -> None:
    """The agenda stays the very one it was."""
    agenda = followed(an_assessment(revision=5), OPENS)
    assert followed(an_assessment(*USUAL, revision=4), OPENS, known=agenda) is agenda


def test_an_extension_has_its_own_reminders() -> None:
    """Steps about another due instant are other steps, though they bear the same label."""
    _, agenda = told(followed(an_assessment(a_reminder(7)), OPENS), days(-7))
    later = DUE + 30 * DAY
    moved = an_assessment(
        a_reminder(7, at=later - 7 * DAY, due_at=later),
        timeline=[a_stretch(OPENS, Status.PENDING, due_at=later), a_stretch(later, Status.OVERDUE, due_at=later)],
        revision=2,
    )
    assert told_until(followed(moved, days(-6), known=agenda), later) == ["reminder P7D"]


@pytest.mark.parametrize(
    ("woken_after", "expected"),
    [
        (-6.5, ["reminder P7D"]),
        (-0.5, ["reminder P1D"]),
        (1.0, ["urging PT0S"]),
        (40.0, ["urging P3D"]),
    ],
)
def test_steps_missed_while_down_collapse_into_the_one_that_matters(woken_after: float, expected: list[str]) -> None:
    """Whenever the notifier wakes, an agency hears one thing."""
    agenda = followed(an_assessment(*USUAL), OPENS)
    said, after = told(agenda, days(woken_after))
    assert said == expected
    assert told(after, days(woken_after))[0] == []


def test_a_reminder_is_not_sent_after_its_due_instant() -> None:
    """A plan without urgings says nothing to one who is late because the notifier was."""
    assert told(followed(an_assessment(a_reminder(1)), OPENS), days(0.5))[0] == []


def test_an_urging_is_not_sent_once_the_report_is_in() -> None:
    """Steps that held before the report came are history when the notifier hears of both at once."""
    came_at = days(4)
    timeline = [*an_assessment().timeline, a_stretch(came_at, Status.LATE)]
    assert told(followed(an_assessment(*USUAL, timeline=timeline), days(5)), days(5))[0] == []


def test_each_recipient_has_its_own_collapse() -> None:
    """The agency's urging does not swallow what its parent is told."""
    escalation = an_urging(7, kind=StepKind.ESCALATION, to="parent")
    agenda = followed(an_assessment(*USUAL, escalation), OPENS)
    assert sorted(told(agenda, days(8))[0]) == ["escalation P7D", "urging P3D"]


def test_a_step_comes_back_when_a_report_is_withdrawn() -> None:
    """Cancelled by a report and wanted again after its withdrawal, the reminder is told."""
    agenda = followed(an_assessment(a_reminder(1)), OPENS)
    discharged = [a_stretch(OPENS, Status.PENDING), a_stretch(days(-20), Status.ON_TIME)]
    reported = followed(an_assessment(timeline=discharged, revision=2), days(-20), known=agenda)
    assert reported.next_at is None
    withdrawn = followed(an_assessment(a_reminder(1), revision=3), days(-10), known=reported)
    assert told_until(withdrawn, DUE) == ["reminder P1D"]


def test_a_repeating_step_is_told_each_time_under_its_own_label() -> None:
    """Weekly from the second week on, until the report."""
    weekly = an_urging(14, every="P7D", until=days(36))
    assert told_until(followed(an_assessment(weekly), OPENS), days(100)) == [
        "urging P14D",
        "urging P21D",
        "urging P28D",
        "urging P35D",
    ]


def test_missed_repetitions_collapse_and_the_rhythm_goes_on() -> None:
    """After a month of downtime one urging, the next a week after the last that was due."""
    agenda = followed(an_assessment(an_urging(14, every="P7D")), OPENS)
    said, after = told(agenda, days(50))
    assert said == ["urging P49D"]
    assert after.next_at == days(56)
    again = followed(an_assessment(an_urging(14, every="P7D"), revision=2), days(51), known=after)
    assert told(again, days(51))[0] == []
    assert again.next_at == days(56)


def test_monthly_repetitions_keep_the_day_of_the_month() -> None:
    """A calendar month is not thirty days."""
    agenda = followed(an_assessment(an_urging(0, step="PT0S", every="P1M")), OPENS)
    _, agenda = told(agenda, DUE)
    said, agenda = told(agenda, days(31))
    assert said == ["urging PT0S+1xP1M"]
    assert agenda.next_at == days(62)


def test_an_agenda_does_not_grow_with_its_repetitions() -> None:
    """Ten years of weeks leave one identity."""
    agenda = followed(an_assessment(an_urging(14, every="P7D")), OPENS)
    for week in range(520):
        _, agenda = told(agenda, days(14 + 7 * week))
    assert len(agenda.said) == 1


def test_what_was_due_long_before_the_duty_was_known_is_history() -> None:
    """A plan adopted five weeks after a due instant urges nobody for it; four weeks after it does."""
    for after, expected in ((31, []), (29, ["urging P3D"])):
        late = an_assessment(*USUAL, recorded_at=days(after))
        assert told(followed(late, days(after)), days(after))[0] == expected


def test_outside_the_sending_hours_nothing_is_told() -> None:
    """Woken at three in the morning, the notifier keeps what is due until half past seven."""
    agenda = followed(an_assessment(a_reminder(7)), OPENS, hours=WORKING)
    night = days(-6) + timedelta(hours=3)
    said, waiting = told(agenda, night, hours=WORKING)
    assert said == []
    assert waiting.next_at == days(-6) + timedelta(hours=7, minutes=30)
    assert told(waiting, days(-6) + timedelta(hours=8), hours=WORKING)[0] == ["reminder P7D"]


def test_an_incomplete_report_is_told_with_what_is_missing() -> None:
    """The notice of a deficiency carries its names, and falls away with them."""
    came_at = days(-5)
    lacking = a_stretch(came_at, Status.INCOMPLETE, missing=("sections.results",))
    notice = Step(kind=StepKind.INCOMPLETE, step="incomplete:s-1", at=came_at, due_at=DUE)
    agenda = followed(an_assessment(notice, timeline=[a_stretch(OPENS, Status.PENDING), lacking]), came_at)
    (call,), _ = schedule.take(agenda, ALWAYS, came_at)
    assert call.missing == ("sections.results",)
    assert agenda.stands(call, came_at)
    done = an_assessment(timeline=[a_stretch(OPENS, Status.PENDING), a_stretch(came_at, Status.ON_TIME)], revision=2)
    assert not followed(done, came_at, known=agenda).stands(call, came_at)


def test_what_is_passed_over_counts_as_said() -> None:
    """A rehearsal that begins in the middle does not tell what came before."""
    agenda = schedule.pass_over(followed(an_assessment(*USUAL), OPENS), ALWAYS, days(-2))
    assert told_until(agenda, days(30)) == ["reminder P1D", "urging PT0S", "urging P3D"]


@given(st.lists(st.floats(-20, 60), min_size=1, max_size=20).map(sorted), st.lists(st.booleans(), min_size=20))
def test_nothing_is_told_twice_whenever_it_looks_and_whatever_is_repeated(
    moments: list[float], repeats: list[bool]
) -> None:
    """Any instants of looking, any redelivery between them: every identity at most once."""
    assessed = an_assessment(*USUAL, an_urging(10, every="P7D"))
    agenda = followed(assessed, OPENS)
    said: list[str] = []
    for moment, is_repeated in zip(moments, repeats, strict=False):
        if is_repeated:
            agenda = followed(assessed, days(moment), known=agenda)
        more, agenda = told(agenda, days(moment))
        said += more
    assert len(said) == len(set(said))


@given(st.permutations([1, 2, 3, 4]))
def test_the_order_in_which_assessments_arrive_does_not_matter(order: list[int]) -> None:
    """The agenda is that of the highest revision."""
    revisions = {number: an_assessment(*USUAL[:number], revision=number) for number in order}
    agenda = None
    for number in order:
        agenda = followed(revisions[number], OPENS, known=agenda)
    assert agenda == followed(revisions[4], OPENS)


def test_a_notice_of_what_is_missing_ends_with_its_reason() -> None:
    """Completed or withdrawn, the report is no longer incomplete."""
    came_at = days(-5)
    timeline = [
        a_stretch(OPENS, Status.PENDING),
        a_stretch(came_at, Status.INCOMPLETE),
        a_stretch(days(-4), Status.ON_TIME),
    ]
    notice = Step(kind=StepKind.INCOMPLETE, step="incomplete:s-1", at=came_at, due_at=DUE)
    assert told(followed(an_assessment(notice, timeline=timeline), days(-3)), days(-3))[0] == []
