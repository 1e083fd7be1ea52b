"""What an agency was to be told and has ended before it was goes to its successors, once."""

from datetime import datetime, timedelta
from typing import Any

from schemas.events.wire import WireNotice, WireSuccessor
from services.notifier.core.scheduling import schedule
from services.notifier.core.scheduling.schedule import AlertSchedule
from tests.unit.notifier.schedule_builders import (
    ALWAYS,
    OFFICE_HOURS,
    OPENS,
    an_assessment,
    an_urging,
    days,
    follow,
    take_labels_until,
)

AN_END: dict[str, Any] = {
    "passes_at": days(3),
    "successors": (
        WireSuccessor(agency="h-hai", starts_at=days(3), until=days(20)),
        WireSuccessor(agency="h-ba", starts_at=days(3)),
        WireSuccessor(agency="h-tu", starts_at=days(20)),
    ),
}


def take_recipients(known: AlertSchedule, now: datetime) -> list[tuple[str, str]]:
    """Return label and recipient of what is taken at *now* in office hours."""
    alerts, _ = schedule.take_due(known, OFFICE_HOURS, now)
    return [(one.label, one.to) for one in alerts]


def test_what_waits_past_the_end_of_the_agency_is_for_its_successors() -> None:
    """Called for on the evening before the agency ended, it goes out on the next morning to the two that succeeded."""
    known = follow(an_assessment(an_urging(3, step="PT70H", at=days(2.9), **AN_END)), days(2), hours=OFFICE_HOURS)
    assert known.next_at == days(3) + timedelta(hours=7.5)
    assert take_recipients(known, days(3.4)) == [("PT70H", "h-hai"), ("PT70H", "h-ba")]
    assert take_recipients(known, days(21.4)) == [("PT70H", "h-ba"), ("PT70H", "h-tu")]
    in_time = follow(an_assessment(an_urging(2, at=days(2), **AN_END)), days(1), hours=OFFICE_HOURS)
    assert take_recipients(in_time, days(2.4)) == [("P2D", "self")]


def test_of_what_a_successor_is_told_at_one_time_the_last_counts() -> None:
    """The urging that passed on to it and its own fall on one morning: it gets its own."""
    own = an_urging(3, to="h-hai", notice=WireNotice(heirs=("h-hai",)))
    known = follow(an_assessment(an_urging(2, step="PT70H", at=days(2.9), **AN_END), own), days(2), hours=OFFICE_HOURS)
    assert {*take_recipients(known, days(3.4))} == {("PT70H", "h-ba"), ("P3D", "h-hai")}


def test_what_repeats_does_not_past_the_end() -> None:
    """The successors have a step of their own for the repetitions that follow."""
    known = follow(an_assessment(an_urging(1, every="P1D", until=days(9), **AN_END)), OPENS)
    assert take_labels_until(known, days(9)) == ["urging P1D", "urging P2D"]


def test_what_reached_nobody_before_the_end_is_for_the_successors_and_told_once() -> None:
    """Whatever is assessed meanwhile; who has nobody to go to yet waits on."""
    assessment = an_assessment(an_urging(2, **AN_END))
    alerts, taken = schedule.take_due(follow(assessment, OPENS), ALWAYS, days(2))
    parked = schedule.return_unreached(taken, alerts)
    tried = schedule.retry_unreached(parked, lambda one: one.to == "h-hai", ALWAYS, days(4))
    assert [one.to for one in tried.unreached] == ["h-ba"]
    (told,), after = schedule.take_due(tried, ALWAYS, days(4))
    assert (told.to, after.calls_for(told, days(4))) == ("h-hai", True)
    newer = follow(an_assessment(an_urging(2, **AN_END), revision=2), days(5), known=after)
    assert (newer.waiting, [one.to for one in newer.unreached]) == ((), ["h-ba"])


def test_nobody_is_told_in_the_place_of_an_agency_without_a_successor() -> None:
    """An alert that waited past its end is dropped, as those that are called for after it are not made."""
    known = follow(an_assessment(an_urging(2, passes_at=days(3))), OPENS)
    alerts, after = schedule.take_due(known, ALWAYS, days(3))
    assert (alerts, after.next_at) == ((), None)
