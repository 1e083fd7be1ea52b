"""A sample of the officer's weekly digest: the duties of one obligation and period, with invented events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from schemas.events.assessments import Status, StepKind
from schemas.events.deliveries import AttemptOutcome, Channel
from schemas.plan.plan import PARENT
from schemas.plan.values import Bilingual
from services.console.support.inputs import UnusableInputError
from services.notifier.core.scheduling import officer_digest
from services.notifier.core.scheduling.holds import HoldScope, SendingHold
from services.notifier.core.scheduling.letter_history import DutyHistory, LetterHistory, SentAlert
from services.notifier.core.scheduling.officer_digest import OfficerDigest
from services.notifier.core.scheduling.routing import SELF, Contact, ContactBook, OfficerWeek
from services.notifier.core.scheduling.schedule import AlertSchedule, SendingHours
from services.notifier.core.scheduling.scheduled_alert import (
    NEEDS_RECONCILIATION,
    RETURNED_AND_CORRECTED,
    ScheduledAlert,
    StatusInterval,
)
from services.rules.core.duty import Duty
from services.rules.core.duty_catalogue import DutyCatalogue

_DAY = timedelta(days=1)
_MORNING = time(7, 30)
_URGED = 3
# What has become of the duties, one after another; all others have reported.
_SAMPLE_STATUSES: Sequence[tuple[Status, tuple[str, ...]]] = (
    (Status.OVERDUE, ()),
    (Status.OVERDUE, ()),
    (Status.OVERDUE, ()),
    (Status.INCOMPLETE, ()),
    (Status.ON_TIME, (RETURNED_AND_CORRECTED,)),
    (Status.ON_TIME, (NEEDS_RECONCILIATION,)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleDigest:
    """A digest, and the instant at which it goes out."""

    digest: OfficerDigest
    now: datetime


def invent_digest(
    catalogue: DutyCatalogue, duties: Sequence[Duty], due_at: datetime, missing: tuple[str, ...]
) -> SampleDigest:
    """Return the digest of the second Monday after *due_at*, in which an incomplete report lacks *missing*."""
    zone = catalogue.calendar.zone
    now = _find_morning(due_at, zone)
    week = OfficerWeek(plan=catalogue.plan.plan, monday=now.date())
    sampled = list(zip(duties, _SAMPLE_STATUSES, strict=False))
    schedules = [_schedule(catalogue, duty, _make_interval(sample, due_at, missing), now) for duty, sample in sampled]
    history = LetterHistory(duties=_tell_past(duties[: len(_SAMPLE_STATUSES)], due_at, now), counts={})
    hours = SendingHours(opens=_MORNING, closes=time(17, 30), zone=zone, days=catalogue.calendar.working_days)
    digest = officer_digest.write_digest(week, schedules, hours, now=now, history=history)
    hold = SendingHold(
        id="…",
        scope=HoldScope.AGENCY,
        target=duties[min(1, len(duties) - 1)].key.agency,
        author="…",
        reason="…",
        starts_at=now - _DAY,
        until=now + 4 * _DAY,
    )
    if digest is None:
        detail = Bilingual.of(
            en="the plan has no duty whose report could be missing",
            vi="kế hoạch không có nhiệm vụ nào có thể thiếu báo cáo",
        )
        raise UnusableInputError(detail)
    completed = officer_digest.complete_digest(digest, _invent_contacts(duties), [hold], now=now, today=now.date())
    return SampleDigest(digest=completed, now=now)


def _invent_contacts(duties: Sequence[Duty]) -> ContactBook:
    """Return a contact of each agency; the address of the first was suspended."""
    agencies = list(dict.fromkeys(one.key.agency for one in duties))
    suspended = Contact(agency=agencies[0], channel=Channel.EMAIL, address="…", suspended="…")
    others = (Contact(agency=one, channel=Channel.EMAIL, address="…") for one in agencies[1:])
    return ContactBook([suspended, *others])


def _find_morning(due_at: datetime, zone: ZoneInfo) -> datetime:
    day = (due_at.astimezone(zone) + 8 * _DAY).date()
    return datetime.combine(day + (-day.weekday() % 7) * _DAY, _MORNING, zone)


def _make_interval(
    sample: tuple[Status, tuple[str, ...]], due_at: datetime, missing: tuple[str, ...]
) -> StatusInterval:
    status, flags = sample
    return StatusInterval(
        starts_at=due_at - 2 * _DAY if flags else due_at,
        status=status,
        due_at=due_at,
        missing=missing if status is Status.INCOMPLETE else (),
        flags=flags,
    )


def _schedule(catalogue: DutyCatalogue, duty: Duty, interval: StatusInterval, now: datetime) -> AlertSchedule:
    registry, due_at = catalogue.registry, interval.due_at

    def call(kind: StepKind, to: str, days: int) -> ScheduledAlert:
        at = now + days * _DAY
        return ScheduledAlert(kind=kind, step=f"P{14 + days}D", at=at, send_at=at, first_at=at, due_at=due_at, to=to)

    waits = interval.status in {Status.OVERDUE, Status.INCOMPLETE}
    waiting = (call(StepKind.URGING, SELF, 1), call(StepKind.ESCALATION, PARENT, 2)) if waits else ()
    return AlertSchedule(
        duty=duty.key,
        plan_version=catalogue.plan.version,
        registry=registry.registry,
        registry_version=registry.version,
        clause=duty.obligation.citation.clause,
        revision=1,
        known_since=now,
        waiting=waiting,
        sent_keys=frozenset({"…"}),
        timeline=(interval,),
    )


def _tell_past(duties: Sequence[Duty], due_at: datetime, now: datetime) -> Mapping[str, DutyHistory]:
    sent = tuple(
        SentAlert(
            kind=StepKind.URGING,
            step=f"P{number}D",
            to=SELF,
            due_at=due_at,
            outcome=AttemptOutcome.ACCEPTED,
            at=now - (_URGED - number + 1) * _DAY,
        )
        for number in range(1, _URGED + 1)
    )
    return {str(one.key): DutyHistory(sent=sent) for one in duties}
