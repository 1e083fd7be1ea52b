"""The officer's weekly digest: what needs a person this week under one plan.

It goes out on the first working morning of the week, as long as the season lasts, also where there is nothing to do: a
week without a digest then means a fault. A season lasts while a report that was reminded of is still expected.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from schemas.events.assessments import Status, StepKind
from schemas.events.deliveries import Channel
from services.notifier.core.scheduling import letter_history
from services.notifier.core.scheduling.holds import HoldScope, SendingHold
from services.notifier.core.scheduling.letter_history import NO_HISTORY, NOTHING_SENT, LetterHistory
from services.notifier.core.scheduling.routing import ContactBook, OfficerWeek
from services.notifier.core.scheduling.schedule import ONE_DAY, AlertSchedule, SendingHours
from services.notifier.core.scheduling.scheduled_alert import (
    ACCEPTED,
    DISCHARGED,
    NEEDS_RECONCILIATION,
    REPORT_EXPECTED,
    REPORT_OUTSTANDING,
    RETURNED_AND_CORRECTED,
    DutyAlert,
    ScheduledAlert,
    StatusInterval,
)

COMING = timedelta(days=14)
_WEEK = timedelta(days=7)
_WORKED_DAYS = timedelta(days=4)  # from Monday to Friday

_LISTED = REPORT_EXPECTED | REPORT_OUTSTANDING | {Status.ENDED_NO_SUCCESSOR}


class Unreached(StrEnum):
    """Why nothing reaches an agency: nobody is a contact, its address was suspended, or the last letter came back."""

    NO_CONTACT = "no_contact"
    SUSPENDED = "suspended"
    CAME_BACK = "came_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreachedAgency:
    """An agency that nothing reaches on a channel (None: on any), known by one of its duties, and since when."""

    one: DutyAlert
    reason: Unreached
    channel: Channel | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedReport:
    """A report that its recipient should look at since `received_at`: a new version, or several that differ."""

    one: DutyAlert
    received_at: datetime
    is_replacement: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSending:
    """What goes out on a day of the week: the alerts of one kind to one kind of reader, urgings by their ordinal."""

    day: date
    kind: StepKind
    to: str
    ordinal: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerDigest:
    """What the officer of `week.plan` is told.

    `lead` is a duty of the season, by which the plan's version and the recipient are known.
    `overdue` and `incomplete` are past due, `coming` falls due within two weeks. `holds` are the stops and silences.
    """

    week: OfficerWeek
    lead: DutyAlert
    unreached: Sequence[UnreachedAgency] = ()
    to_review: Sequence[ReviewedReport] = ()
    overdue: Sequence[DutyAlert] = ()
    incomplete: Sequence[DutyAlert] = ()
    coming: Sequence[DutyAlert] = ()
    without_heir: Sequence[DutyAlert] = ()
    planned: Sequence[PlannedSending] = ()
    holds: Sequence[SendingHold] = ()
    history: LetterHistory = NO_HISTORY

    @property
    def count(self) -> int:
        """How many matters the officer is asked to handle; what only falls due is none."""
        return sum(map(len, (self.unreached, self.to_review, self.overdue, self.incomplete, self.without_heir)))

    @property
    def last_day(self) -> date:
        """The Friday of the week."""
        return self.week.monday + _WORKED_DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class _OpenDuty:
    """A duty with its schedule, its status now, and an alert that stands for it in a letter."""

    known: AlertSchedule
    interval: StatusInterval
    one: DutyAlert


def find_monday(now: datetime, zone: tzinfo) -> date:
    """Return the Monday of the week of *now*."""
    today = now.astimezone(zone).date()
    return today - today.weekday() * ONE_DAY


def write_digest(
    week: OfficerWeek,
    schedules: Iterable[AlertSchedule],
    hours: SendingHours,
    *,
    now: datetime,
    history: LetterHistory,
) -> OfficerDigest | None:
    """Return the digest of *week* as of *now*, without whom nothing reaches and what is held back; None out of season.

    *history* is that of the duties of `list_open`.
    """
    duties = list_open(schedules, now)

    def choose(is_chosen: Callable[[_OpenDuty], bool]) -> Sequence[DutyAlert]:
        chosen = (one.one for one in duties if is_chosen(one))
        return sorted(chosen, key=lambda one: (str(one.alert.due_at or ""), str(one.duty)))

    ends_at = datetime.combine(week.monday + _WEEK, time.min, hours.zone)
    lead = next((one.one for one in duties if _is_in_season(one, ends_at)), None)
    if lead is None:
        return None
    return OfficerDigest(
        week=week,
        lead=lead,
        to_review=list(_find_to_review(duties)),
        overdue=choose(lambda one: one.interval.status is Status.OVERDUE),
        incomplete=choose(lambda one: one.interval.status is Status.INCOMPLETE and _is_past(one.interval, now)),
        coming=choose(lambda one: one.interval.status in REPORT_EXPECTED and _is_coming(one.interval, now)),
        without_heir=choose(lambda one: one.interval.status is Status.ENDED_NO_SUCCESSOR),
        planned=list(_plan_until(ends_at, duties, history)),
        history=history,
    )


def list_open(schedules: Iterable[AlertSchedule], now: datetime) -> list[_OpenDuty]:
    """Return the duties that are watched and of which something is still to be said at *now*."""
    found = []
    for known in schedules:
        interval = known.find_interval(now)
        # The duties of the years before the plan was published call for no alert.
        if interval is None or not (known.active_steps or known.sent_keys):
            continue
        if interval.status in _LISTED or _awaits_review(interval):
            found.append(_OpenDuty(known=known, interval=interval, one=_stand_for(known, interval, now)))
    return found


def complete_digest(
    digest: OfficerDigest, book: ContactBook, holds: Iterable[SendingHold], *, now: datetime, today: date
) -> OfficerDigest:
    """Return *digest* with the agencies that nothing reaches *today*, and with what bears on it of *holds*."""
    duties: dict[str, list[DutyAlert]] = {}
    for one in (*digest.overdue, *digest.incomplete, *digest.coming):
        duties.setdefault(one.duty.agency, []).append(one)
    unreached = [found for agency in sorted(duties) for found in _find_unreached(duties[agency], digest, book, today)]
    return replace(digest, unreached=unreached, holds=_choose_holds(digest.week.plan, duties, holds, now))


def _find_unreached(
    duties: Sequence[DutyAlert], digest: OfficerDigest, book: ContactBook, today: date
) -> Iterator[UnreachedAgency]:
    one, agency = duties[0], duties[0].duty.agency
    since = min(
        (at for each in duties if (at := digest.history.of(str(each.duty)).unreached_since) is not None), default=None
    )
    suspended = book.find_suspended(agency, today)
    for channel in suspended:
        yield UnreachedAgency(one=one, reason=Unreached.SUSPENDED, channel=channel, since=since)
    if suspended:
        return
    if not book.find_reachable(agency, today):
        yield UnreachedAgency(one=one, reason=Unreached.NO_CONTACT, since=since)
    elif since is not None:
        yield UnreachedAgency(one=one, reason=Unreached.CAME_BACK, since=since)


def _choose_holds(plan: str, agencies: Iterable[str], holds: Iterable[SendingHold], now: datetime) -> list[SendingHold]:
    """Return the stops and silences in force at *now* that bear on *plan* or one of its *agencies*."""
    bound = frozenset(agencies)

    def bears_on(hold: SendingHold) -> bool:
        match hold.scope:
            case HoldScope.PLAN:
                return hold.target == plan
            case HoldScope.AGENCY:
                return hold.target in bound
            case _:
                return True

    return [one for one in holds if one.is_in_force(now) and bears_on(one)]


def _stand_for(known: AlertSchedule, interval: StatusInterval, now: datetime) -> DutyAlert:
    """Return an alert about the duty as it stands *now*; its empty step is that of no alert which was sent."""
    return known.with_duty(
        ScheduledAlert(
            kind=StepKind.URGING,
            step="",
            at=now,
            send_at=now,
            first_at=now,
            due_at=interval.due_at,
            missing=interval.missing,
        )
    )


def _awaits_review(interval: StatusInterval) -> bool:
    asks = {NEEDS_RECONCILIATION, RETURNED_AND_CORRECTED}.intersection(interval.flags)
    return interval.status in DISCHARGED and bool(asks) and ACCEPTED not in interval.flags


def _find_to_review(duties: Iterable[_OpenDuty]) -> Iterator[ReviewedReport]:
    for one in duties:
        if _awaits_review(one.interval):
            is_replacement = RETURNED_AND_CORRECTED in one.interval.flags
            yield ReviewedReport(one=one.one, received_at=one.interval.starts_at, is_replacement=is_replacement)


def _is_past(interval: StatusInterval, now: datetime) -> bool:
    return interval.due_at is not None and interval.due_at <= now


def _is_coming(interval: StatusInterval, now: datetime) -> bool:
    return interval.due_at is not None and now < interval.due_at <= now + COMING


def _is_in_season(one: _OpenDuty, ends_at: datetime) -> bool:
    """Whether a report is expected of which somebody was written to, or is before *ends_at*."""
    next_at = one.known.next_at
    is_expected = one.interval.status in REPORT_EXPECTED | REPORT_OUTSTANDING
    return is_expected and bool(one.known.sent_keys or (next_at is not None and next_at < ends_at))


def _plan_until(ends_at: datetime, duties: Iterable[_OpenDuty], history: LetterHistory) -> Iterator[PlannedSending]:
    counts: Counter[tuple[date, StepKind, str, int]] = Counter()
    for one in duties:
        for alert in one.known.waiting:
            if alert.send_at < ends_at:
                ordinal = 0
                if alert.kind is StepKind.URGING:
                    ordinal = letter_history.count_ordinal(history.duties.get(str(one.known.duty), NOTHING_SENT), alert)
                counts[alert.send_at.astimezone(ends_at.tzinfo).date(), alert.kind, alert.to, ordinal] += 1
    for (day, kind, to, ordinal), count in sorted(counts.items()):
        yield PlannedSending(day=day, kind=kind, to=to, ordinal=ordinal, count=count)
