"""An alert of a duty is sent once, when it matters, and only while the last assessment calls for it."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events.assessments import Status, StepKind
from schemas.events.wire import WireStep
from services.notifier.core.scheduling import schedule
from services.notifier.core.scheduling.routing import SELF
from tests.unit.notifier.schedule_builders import (
    ALWAYS,
    DAY,
    DUE,
    OFFICE_HOURS,
    OPENS,
    a_reminder,
    an_assessment,
    an_interval,
    an_urging,
    days,
    follow,
    take_labels,
    take_labels_until,
)

ALERTS = (a_reminder(7), a_reminder(1), an_urging(0, step="PT0S"), an_urging(3))


def test_every_alert_is_sent_at_its_time() -> None:
    """Two reminders and two urgings are sent in order."""
    known = follow(an_assessment(*ALERTS), OPENS)
    assert take_labels_until(known, days(30)) == ["reminder P7D", "reminder P1D", "urging PT0S", "urging P3D"]


def test_a_sent_alert_is_not_sent_again_after_a_repeated_assessment() -> None:
    """Following the same assessment again, or a newer one with the same alerts, sends nothing twice."""
    sent, known = take_labels(follow(an_assessment(*ALERTS), OPENS), days(-7))
    again = follow(an_assessment(*ALERTS), days(-6), known=known)
    newer = follow(an_assessment(*ALERTS, revision=2), days(-6), known=again)
    assert sent == ["reminder P7D"]
    assert take_labels(newer, days(-6))[0] == []
    assert take_labels_until(newer, days(30)) == ["reminder P1D", "urging PT0S", "urging P3D"]


def test_an_older_assessment_is_ignored() -> None:
    """An assessment of a lower revision leaves the schedule as it is."""
    known = follow(an_assessment(revision=5), OPENS)
    assert follow(an_assessment(*ALERTS, revision=4), OPENS, known=known) is known


def test_an_extension_has_its_own_reminders() -> None:
    """Alerts for another due instant are other alerts, although they have the same label."""
    _, known = take_labels(follow(an_assessment(a_reminder(7)), OPENS), days(-7))
    later = DUE + 30 * DAY
    moved = an_assessment(
        a_reminder(7, at=later - 7 * DAY, due_at=later),
        timeline=[an_interval(OPENS, Status.PENDING, due_at=later), an_interval(later, Status.OVERDUE, due_at=later)],
        revision=2,
    )
    assert take_labels_until(follow(moved, days(-6), known=known), later) == ["reminder P7D"]


@pytest.mark.parametrize(
    ("up_again_after", "expected"),
    [
        (-6.5, ["reminder P7D"]),
        (-0.5, ["reminder P1D"]),
        (1.0, ["urging PT0S"]),
        (40.0, ["urging P3D"]),
    ],
)
def test_of_several_missed_alerts_only_the_last_is_sent(up_again_after: float, expected: list[str]) -> None:
    """However long the notifier was down, an agency gets one alert when it is up again."""
    known = follow(an_assessment(*ALERTS), OPENS)
    sent, after = take_labels(known, days(up_again_after))
    assert sent == expected
    assert take_labels(after, days(up_again_after))[0] == []


def test_a_reminder_is_not_sent_after_its_due_instant() -> None:
    """A reminder missed while the notifier was down is void once the report is overdue."""
    assert take_labels(follow(an_assessment(a_reminder(1)), OPENS), days(0.5))[0] == []


def test_an_urging_is_not_sent_once_the_report_is_in() -> None:
    """Alerts from before the report came are void if the notifier hears of both at once."""
    came_at = days(4)
    timeline = [*an_assessment().timeline, an_interval(came_at, Status.LATE)]
    assert take_labels(follow(an_assessment(*ALERTS, timeline=timeline), days(5)), days(5))[0] == []


def test_alerts_are_collapsed_for_each_recipient_alone() -> None:
    """An urging to the agency does not replace the escalation to its parent."""
    escalation = an_urging(7, kind=StepKind.ESCALATION, to="parent")
    known = follow(an_assessment(*ALERTS, escalation), OPENS)
    assert sorted(take_labels(known, days(8))[0]) == ["escalation P7D", "urging P3D"]


def test_an_alert_comes_back_when_a_report_is_withdrawn() -> None:
    """A reminder that a report cancelled is sent after all if the report is withdrawn before it is due."""
    known = follow(an_assessment(a_reminder(1)), OPENS)
    discharged = [an_interval(OPENS, Status.PENDING), an_interval(days(-20), Status.ON_TIME)]
    reported = follow(an_assessment(timeline=discharged, revision=2), days(-20), known=known)
    assert reported.next_at is None
    withdrawn = follow(an_assessment(a_reminder(1), revision=3), days(-10), known=reported)
    assert take_labels_until(withdrawn, DUE) == ["reminder P1D"]


def test_a_repeating_alert_is_sent_each_time_under_its_own_label() -> None:
    """A weekly urging is sent from the second week on until the report is in."""
    weekly = an_urging(14, every="P7D", until=days(36))
    assert take_labels_until(follow(an_assessment(weekly), OPENS), days(100)) == [
        "urging P14D",
        "urging P21D",
        "urging P28D",
        "urging P35D",
    ]


def test_missed_repetitions_collapse_and_the_rhythm_goes_on() -> None:
    """After a month of downtime one urging is sent, and the next a week after the last one that was due."""
    known = follow(an_assessment(an_urging(14, every="P7D")), OPENS)
    sent, after = take_labels(known, days(50))
    assert sent == ["urging P49D"]
    assert after.next_at == days(56)
    again = follow(an_assessment(an_urging(14, every="P7D"), revision=2), days(51), known=after)
    assert take_labels(again, days(51))[0] == []
    assert again.next_at == days(56)


def test_monthly_repetitions_keep_the_day_of_the_month() -> None:
    """A repetition of P1M comes after a calendar month, which is not always thirty days."""
    known = follow(an_assessment(an_urging(0, step="PT0S", every="P1M")), OPENS)
    _, known = take_labels(known, DUE)
    sent, known = take_labels(known, days(31))
    assert sent == ["urging PT0S+1xP1M"]
    assert known.next_at == days(62)


def test_a_schedule_does_not_grow_with_its_repetitions() -> None:
    """After ten years of weekly repetitions a single deduplication key is kept."""
    known = follow(an_assessment(an_urging(14, every="P7D")), OPENS)
    for week in range(520):
        _, known = take_labels(known, days(14 + 7 * week))
    assert len(known.sent_keys) == 1


def test_alerts_due_long_before_the_duty_was_known_are_not_sent() -> None:
    """With a lookback of 30 days, a plan adopted 31 days after a due instant sends no urging, one after 29 does."""
    for after, expected in ((31, []), (29, ["urging P3D"])):
        late = an_assessment(*ALERTS, recorded_at=days(after))
        assert take_labels(follow(late, days(after)), days(after))[0] == expected


def test_outside_the_sending_hours_nothing_is_sent() -> None:
    """What is due at three in the morning waits until half past seven."""
    known = follow(an_assessment(a_reminder(7)), OPENS, hours=OFFICE_HOURS)
    night = days(-6) + timedelta(hours=3)
    sent, waiting = take_labels(known, night, hours=OFFICE_HOURS)
    assert sent == []
    assert waiting.next_at == days(-6) + timedelta(hours=7, minutes=30)
    assert take_labels(waiting, days(-6) + timedelta(hours=8), hours=OFFICE_HOURS)[0] == ["reminder P7D"]


def test_an_alert_about_an_incomplete_report_names_what_is_missing() -> None:
    """The alert carries the missing parts, and is no longer called for once they are there."""
    came_at = days(-5)
    lacking = an_interval(came_at, Status.INCOMPLETE, missing=("sections.results",))
    called = WireStep(kind=StepKind.INCOMPLETE, step="incomplete:s-1", at=came_at, due_at=DUE)
    known = follow(an_assessment(called, timeline=[an_interval(OPENS, Status.PENDING), lacking]), came_at)
    (alert,), _ = schedule.take_due(known, ALWAYS, came_at)
    assert alert.missing == ("sections.results",)
    assert known.calls_for(alert, came_at)
    done = an_assessment(
        timeline=[an_interval(OPENS, Status.PENDING), an_interval(came_at, Status.ON_TIME)], revision=2
    )
    assert not follow(done, came_at, known=known).calls_for(alert, came_at)


def test_skipped_alerts_count_as_sent() -> None:
    """A simulation that begins in the middle of a year does not send what came before."""
    known = schedule.skip_before(follow(an_assessment(*ALERTS), OPENS), ALWAYS, days(-2))
    assert take_labels_until(known, days(30)) == ["reminder P1D", "urging PT0S", "urging P3D"]


@given(st.lists(st.floats(-20, 60), min_size=1, max_size=20).map(sorted), st.lists(st.booleans(), min_size=20))
def test_nothing_is_sent_twice_whenever_it_looks_and_whatever_is_repeated(
    moments: list[float], repeats: list[bool]
) -> None:
    """For any instants of looking and any redelivery between them, each alert is sent at most once."""
    assessed = an_assessment(*ALERTS, an_urging(10, every="P7D"))
    known = follow(assessed, OPENS)
    sent: list[str] = []
    for moment, is_repeated in zip(moments, repeats, strict=False):
        if is_repeated:
            known = follow(assessed, days(moment), known=known)
        more, known = take_labels(known, days(moment))
        sent += more
    assert len(sent) == len(set(sent))


@given(st.permutations([1, 2, 3, 4]))
def test_the_order_in_which_assessments_arrive_does_not_matter(order: list[int]) -> None:
    """In any order of arrival the schedule is that of the highest revision."""
    revisions = {number: an_assessment(*ALERTS[:number], revision=number) for number in order}
    known = None
    for number in order:
        known = follow(revisions[number], OPENS, known=known)
    assert known == follow(revisions[4], OPENS)


def test_an_alert_about_an_incomplete_report_is_void_once_it_is_complete() -> None:
    """An alert about an incomplete report is not sent after the report was completed."""
    came_at = days(-5)
    timeline = [
        an_interval(OPENS, Status.PENDING),
        an_interval(came_at, Status.INCOMPLETE),
        an_interval(days(-4), Status.ON_TIME),
    ]
    called = WireStep(kind=StepKind.INCOMPLETE, step="incomplete:s-1", at=came_at, due_at=DUE)
    assert take_labels(follow(an_assessment(called, timeline=timeline), days(-3)), days(-3))[0] == []


def test_an_alert_that_reaches_nobody_is_unsent_until_somebody_is_reached() -> None:
    """It leaves the keys of what was sent, waits for no instant, and is due as soon as its recipient is reached."""
    known = follow(an_assessment(a_reminder(7)), OPENS)
    alerts, taken = schedule.take_due(known, ALWAYS, days(-7))
    parked = schedule.return_unreached(taken, alerts)
    assert (parked.next_at, parked.unreached, parked.sent_keys) == (None, alerts, frozenset())
    assert schedule.retry_unreached(parked, lambda one: one.to == "parent", ALWAYS, days(-6)) == parked
    again = schedule.retry_unreached(parked, lambda one: one.to == SELF, ALWAYS, days(-6))
    assert take_labels(again, days(-6))[0] == ["reminder P7D"]
    assert again.unreached == ()


def test_an_unreached_alert_ends_with_its_reason() -> None:
    """After the due instant a reminder is void, whoever can be reached; a newer assessment decides anew."""
    known = follow(an_assessment(a_reminder(7)), OPENS)
    alerts, taken = schedule.take_due(known, ALWAYS, days(-7))
    parked = schedule.return_unreached(taken, alerts)
    assert schedule.retry_unreached(parked, lambda _: False, ALWAYS, days(1)).unreached == ()
    reported = an_assessment(revision=2, timeline=(an_interval(OPENS, Status.ON_TIME),))
    assert follow(reported, days(-6), known=parked).unreached == ()


def test_of_an_urging_that_reached_nobody_for_weeks_one_is_sent() -> None:
    """The repetitions that fell due meanwhile collapse, and the next one follows once."""
    known = follow(an_assessment(an_urging(14, every="P7D")), OPENS)
    for week in (14, 21, 28):
        alerts, known = schedule.take_due(known, ALWAYS, days(week))
        known = schedule.return_unreached(known, alerts)
    labels, after = take_labels(schedule.retry_unreached(known, lambda one: one.to == SELF, ALWAYS, days(29)), days(29))
    assert labels == ["urging P28D"]
    assert [one.label for one in after.waiting] == ["P35D"]


def test_other_sending_hours_hold_for_what_is_planned() -> None:
    """What waited for the opening is sent when the new hours open."""
    known = follow(an_assessment(a_reminder(7)), OPENS, hours=OFFICE_HOURS)
    assert known.next_at == days(-7) + timedelta(hours=7, minutes=30)
    assert schedule.replan(known, ALWAYS, OPENS).next_at == days(-7)


@pytest.mark.parametrize(
    ("revision", "digest", "contradicts"), [(1, "a", False), (1, "b", True), (2, "b", False), (0, "b", False)]
)
def test_another_content_of_the_same_revision_contradicts(*, revision: int, digest: str, contradicts: bool) -> None:
    """Only the same revision can be compared; a schedule without a digest is contradicted by nothing."""
    known = follow(an_assessment(digest="a"), OPENS)
    other = an_assessment(revision=revision, digest=digest)
    assert schedule.is_contradicted(known, other) is contradicts
    assert not schedule.is_contradicted(follow(an_assessment(), OPENS), other)


def test_a_repeated_urging_ends_after_the_number_of_its_repetitions() -> None:
    """`at_most` counts the repetitions of `then_every`; the steps before them do not count."""
    repeated = an_urging(10, every="P7D", until=days(300), at_most=2)
    known = follow(an_assessment(an_urging(3), repeated), OPENS)
    assert take_labels_until(known, days(300)) == ["urging P3D", "urging P10D", "urging P17D"]


def test_the_last_repetition_is_sent_though_it_is_late() -> None:
    """A notifier that was down past the last repetition sends that one, once."""
    known = follow(an_assessment(an_urging(10, every="P1D", until=days(300), at_most=3)), OPENS)
    sent, after = take_labels(known, days(40))
    assert (sent, take_labels_until(after, days(300))) == (["urging P12D"], [])


def test_the_first_urging_is_held_back_until_reports_can_have_arrived() -> None:
    """Two hours of sending time from due: the first urging goes out at half past nine, the next one at its opening."""
    held = an_urging(0, step="PT0S", settle="PT2H")
    known = follow(an_assessment(held, an_urging(3)), OPENS, hours=OFFICE_HOURS)
    sent_at = [one.send_at.astimezone(OFFICE_HOURS.zone).strftime("%d %H:%M") for one in known.waiting]
    assert sent_at == ["10 09:30", "13 07:30"]


def test_a_report_that_arrives_meanwhile_ends_the_urging_that_is_held_back() -> None:
    """A report that is recorded before the urging leaves makes it void."""
    held = an_urging(0, step="PT0S", settle="PT2H")
    known = follow(an_assessment(held), OPENS, hours=OFFICE_HOURS)
    arrived = DUE + timedelta(hours=8)
    filed = (an_interval(OPENS, Status.PENDING), an_interval(DUE, Status.OVERDUE), an_interval(arrived, Status.LATE))
    after = follow(an_assessment(held, timeline=filed, revision=2), arrived, known=known, hours=OFFICE_HOURS)
    assert take_labels_until(after, days(30)) == []


def test_a_notice_is_sent_beside_what_falls_due_with_it() -> None:
    """Of an extension and a reminder that are due together both are sent: neither says what the other says."""
    extended = WireStep(kind=StepKind.EXTENSION, step="extension:e-1", at=days(-7), due_at=DUE)
    known = follow(an_assessment(a_reminder(7), extended), OPENS)
    assert sorted(take_labels(known, days(-7))[0]) == ["extension extension:e-1", "reminder P7D"]


def test_a_notice_of_long_ago_is_not_sent_to_an_agency_that_is_assessed_for_the_first_time() -> None:
    """A plan that is adopted in October opens no period of January, and reminds all the same."""
    opened = WireStep(kind=StepKind.OPENING, step="opening", at=OPENS, due_at=DUE)
    adopted = an_assessment(opened, a_reminder(7), recorded_at=days(-60))
    assert take_labels_until(follow(adopted, days(-60)), days(1)) == ["reminder P7D"]


def test_a_deadline_with_an_hour_is_reminded_of_in_the_morning_as_one_without() -> None:
    """Both duties' alerts of a day come in one digest; the urging of the hour itself waits for that hour."""
    at_five = DUE + timedelta(hours=17)
    steps = [
        a_reminder(1, at=at_five - DAY, due_at=at_five),
        an_urging(0, step="PT0S", at=at_five, due_at=at_five),
        an_urging(3, at=at_five + 3 * DAY, due_at=at_five),
    ]
    timeline = [
        an_interval(OPENS, Status.PENDING, due_at=at_five),
        an_interval(at_five, Status.OVERDUE, due_at=at_five),
    ]
    known = follow(an_assessment(*steps, timeline=timeline), OPENS, hours=OFFICE_HOURS)
    assert [one.send_at - DUE for one in known.waiting] == [
        timedelta(hours=7, minutes=30) - DAY,
        timedelta(hours=17),
        timedelta(days=3, hours=7, minutes=30),
    ]


@pytest.mark.parametrize("hour", [10, 17])
def test_an_alert_that_went_out_in_the_morning_does_not_go_out_at_its_hour(hour: int) -> None:
    """Neither a repeated assessment nor the hour itself sends it again."""
    at_five = DUE + timedelta(hours=17)
    step = an_urging(7, at=at_five + 7 * DAY, due_at=at_five)
    timeline = [an_interval(OPENS, Status.OVERDUE, due_at=at_five)]
    known = follow(an_assessment(step, timeline=timeline), OPENS, hours=OFFICE_HOURS)
    sent, known = take_labels(known, DUE + timedelta(days=7, hours=7, minutes=30), hours=OFFICE_HOURS)
    assert sent == ["urging P7D"]
    later = DUE + timedelta(days=7, hours=hour)
    again = follow(an_assessment(step, timeline=timeline, revision=2), later, known=known, hours=OFFICE_HOURS)
    assert again.waiting == ()


def test_an_alert_that_repeats_keeps_its_hour() -> None:
    """Its first sending and every repetition fall on the same wall time."""
    at_five = DUE + timedelta(hours=17)
    step = an_urging(7, at=at_five + 7 * DAY, due_at=at_five, every="P7D")
    timeline = [an_interval(OPENS, Status.OVERDUE, due_at=at_five)]
    known = follow(an_assessment(step, timeline=timeline), OPENS, hours=OFFICE_HOURS)
    assert [one.send_at - DUE for one in known.waiting] == [timedelta(days=7, hours=17)]
