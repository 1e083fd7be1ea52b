"""The officer's weekly digest: what of a plan needs a person, and in which weeks it goes out."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from schemas.events.assessments import Status, StepKind
from schemas.events.deliveries import AttemptOutcome, Channel
from services.notifier.core.scheduling import officer_digest, schedule
from services.notifier.core.scheduling.holds import HoldScope, SendingHold
from services.notifier.core.scheduling.letter_history import DutyHistory, LetterHistory, SentAlert
from services.notifier.core.scheduling.officer_digest import OfficerDigest, Unreached
from services.notifier.core.scheduling.routing import Contact, ContactBook, OfficerWeek
from services.notifier.core.scheduling.schedule import AlertSchedule
from tests.unit.notifier.schedule_builders import (
    DAY,
    DUE,
    DUTY,
    NOTHING_FILED,
    OFFICE_HOURS,
    ZONE,
    a_reminder,
    an_assessment,
    an_interval,
    an_urging,
)

MONDAY = date(2026, 12, 14)
NOW = datetime(2026, 12, 14, 7, 30, tzinfo=ZONE)
WEEK = OfficerWeek(plan=DUTY.plan, monday=MONDAY)


def a_schedule(agency: str, *timeline: Any, steps: Sequence[Any] = (an_urging(0), an_urging(6))) -> AlertSchedule:
    """Return the schedule of the report of *agency*, by default with nothing filed and one urging sent."""
    assessment = an_assessment(
        *steps, timeline=timeline or NOTHING_FILED, duty=msgspec.structs.replace(DUTY, agency=agency)
    )
    known = schedule.follow_assessment(None, assessment, OFFICE_HOURS, now=DUE - 30 * DAY, lookback=30 * DAY)
    return schedule.skip_before(known, OFFICE_HOURS, NOW - DAY)


def write(*schedules: AlertSchedule, history: LetterHistory | None = None, now: datetime = NOW) -> OfficerDigest | None:
    """Return the digest of the week after the deadline."""
    past = history or LetterHistory(duties={}, counts={})
    return officer_digest.write_digest(WEEK, schedules, OFFICE_HOURS, now=now, history=past)


def complete(digest: OfficerDigest | None, *contacts: Contact, holds: Sequence[SendingHold] = ()) -> OfficerDigest:
    """Return *digest* with the agencies that nothing reaches, and the holds."""
    assert digest is not None
    return officer_digest.complete_digest(digest, ContactBook(contacts), holds, now=NOW, today=MONDAY)


def test_each_open_report_stands_in_the_section_of_what_is_to_be_done() -> None:
    """Overdue, past due with parts missing, and to be looked at; what was reported well is not listed."""
    missing = an_interval(DUE, Status.INCOMPLETE, missing=("signed",))
    replaced = an_interval(DUE - DAY, Status.ON_TIME, flags=("returned_and_corrected",))
    accepted = an_interval(DUE - DAY, Status.ON_TIME, flags=("returned_and_corrected", "accepted"))
    differing = an_interval(DUE - DAY, Status.LATE, flags=("needs_reconciliation",))
    found = write(
        a_schedule("h-mot"),
        a_schedule("h-hai", missing),
        a_schedule("h-ba", replaced),
        a_schedule("h-bon", accepted),
        a_schedule("h-nam", differing),
        a_schedule("h-sau", an_interval(DUE - DAY, Status.ON_TIME)),
        a_schedule("h-bay", an_interval(DUE - DAY, Status.ENDED_NO_SUCCESSOR)),
    )
    assert found is not None
    assert [one.duty.agency for one in found.overdue] == ["h-mot"]
    assert [one.duty.agency for one in found.incomplete] == ["h-hai"]
    assert [(one.one.duty.agency, one.is_replacement) for one in found.to_review] == [("h-ba", True), ("h-nam", False)]
    assert [one.duty.agency for one in found.without_heir] == ["h-bay"]
    assert found.count == 5


def test_what_falls_due_within_two_weeks_is_listed_and_no_matter_to_handle() -> None:
    """The digest of a week with nothing to do goes out all the same."""
    steps = (a_reminder(14), a_reminder(1))
    now = datetime(2026, 11, 30, 7, 30, tzinfo=ZONE)
    week = OfficerWeek(plan=DUTY.plan, monday=now.date())
    schedules = [a_schedule("h-mot", steps=steps)]
    past = LetterHistory(duties={}, counts={})
    found = officer_digest.write_digest(week, schedules, OFFICE_HOURS, now=now, history=past)
    assert found is not None
    assert (len(found.coming), found.count) == (1, 0)


def test_out_of_season_none_goes_out() -> None:
    """Everybody has reported, or nobody has been written to and will not be this week."""
    assert write(a_schedule("h-mot", an_interval(DUE - DAY, Status.ON_TIME))) is None
    later = a_schedule("h-mot", steps=(a_reminder(1),))
    far = replace(later, sent_keys=frozenset(), waiting=())
    assert write(far, now=NOW - 60 * DAY) is None


def test_the_week_of_the_first_reminder_is_in_season() -> None:
    """The digest and the first reminder go out on the same morning."""
    now = datetime(2026, 11, 9, 7, 30, tzinfo=ZONE)
    assessment = an_assessment(a_reminder(30))
    known = schedule.follow_assessment(None, assessment, OFFICE_HOURS, now=now - DAY, lookback=30 * DAY)
    week = OfficerWeek(plan=DUTY.plan, monday=now.date())
    past = LetterHistory(duties={}, counts={})
    assert officer_digest.write_digest(week, [known], OFFICE_HOURS, now=now, history=past) is not None
    before = OfficerWeek(plan=DUTY.plan, monday=now.date() - timedelta(days=7))
    assert officer_digest.write_digest(before, [known], OFFICE_HOURS, now=now - 7 * DAY, history=past) is None


def test_a_duty_of_the_years_before_the_plan_is_not_listed() -> None:
    """It calls for no alert, so nobody was ever written to about it."""
    watched = a_schedule("h-mot")
    untold = replace(a_schedule("h-hai"), active_steps=(), sent_keys=frozenset(), waiting=())
    found = write(watched, untold)
    assert found is not None
    assert [one.duty.agency for one in found.overdue] == ["h-mot"]


def test_who_is_not_reached_is_told_with_the_reason() -> None:
    """Nobody is a contact, every address of a channel is suspended, or the last letter came back."""
    came_back = SentAlert(
        kind=StepKind.URGING, step="P0D", to="self", due_at=DUE, outcome=AttemptOutcome.BOUNCED, at=DUE + DAY
    )
    schedules = [a_schedule(one) for one in ("h-mot", "h-hai", "h-ba", "h-bon")]
    history = LetterHistory(duties={str(schedules[2].duty): DutyHistory(sent=(came_back,))}, counts={})
    found = complete(
        write(*schedules, history=history),
        Contact(agency="h-hai", channel=Channel.EMAIL, address="a", suspended="smtp_550"),
        Contact(agency="h-hai", channel=Channel.SMS, address="1"),
        Contact(agency="h-ba", channel=Channel.EMAIL, address="b"),
        Contact(agency="h-bon", channel=Channel.EMAIL, address="c"),
    )
    told = {one.one.duty.agency: (one.reason, one.channel, one.since) for one in found.unreached}
    assert told == {
        "h-mot": (Unreached.NO_CONTACT, None, None),
        "h-hai": (Unreached.SUSPENDED, Channel.EMAIL, None),
        "h-ba": (Unreached.CAME_BACK, None, DUE + DAY),
    }


def test_what_goes_out_this_week_is_told_by_day_and_ordinal() -> None:
    """The urging that was sent counts, so the one that waits is the second."""
    taken = SentAlert(kind=StepKind.URGING, step="P0D", to="self", due_at=DUE, outcome=AttemptOutcome.ACCEPTED, at=DUE)
    waiting = a_schedule("h-mot")
    history = LetterHistory(duties={str(waiting.duty): DutyHistory(sent=(taken,))}, counts={})
    found = write(waiting, history=history)
    assert found is not None
    (planned,) = found.planned
    assert (planned.day, planned.kind, planned.ordinal, planned.count) == (date(2026, 12, 16), StepKind.URGING, 2, 1)


def test_the_holds_that_bear_on_the_plan_are_told() -> None:
    """Those of another plan or of an agency without an open report are not, nor one that has ended."""

    def a_hold(scope: HoldScope, target: str, **changes: Any) -> SendingHold:
        return SendingHold(
            id=target, scope=scope, target=target, author="A", reason="R", starts_at=NOW - DAY, **changes
        )

    holds = [
        a_hold(HoldScope.ALL, ""),
        a_hold(HoldScope.ROUTE, "smtp"),
        a_hold(HoldScope.PLAN, DUTY.plan),
        a_hold(HoldScope.PLAN, "P-2"),
        a_hold(HoldScope.AGENCY, "h-mot"),
        a_hold(HoldScope.AGENCY, "h-hai"),
        a_hold(HoldScope.AGENCY, "h-mot", until=NOW - DAY),
    ]
    found = complete(write(a_schedule("h-mot")), holds=holds)
    assert [one.target for one in found.holds] == ["", "smtp", DUTY.plan, "h-mot"]
