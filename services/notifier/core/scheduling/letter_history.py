"""What letters tell of the past: how often and when an agency was urged, which day it has named, how many reported."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from schemas.events.assessments import Status, StepKind
from schemas.events.deliveries import TAKEN, AttemptOutcome
from services.notifier.core.scheduling.routing import SELF
from services.notifier.core.scheduling.schedule import AlertSchedule, DutySteps
from services.notifier.core.scheduling.scheduled_alert import (
    DISCHARGED,
    REPORT_EXPECTED,
    REPORT_OUTSTANDING,
    DutyAlert,
    ScheduledAlert,
)

_EXPECTED = DISCHARGED | REPORT_EXPECTED | REPORT_OUTSTANDING
# Their letters say how often and when the agency was written to before.
TELLS_OF_PAST = frozenset({StepKind.URGING, StepKind.ESCALATION, StepKind.INCOMPLETE})
_UNDELIVERED = frozenset({AttemptOutcome.BOUNCED, AttemptOutcome.PERMANENT_FAILURE, AttemptOutcome.UNREACHABLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class SentAlert:
    """One alert of a duty on one channel, as it ended at the instant `at`."""

    kind: StepKind
    step: str
    to: str
    due_at: datetime | None
    outcome: AttemptOutcome
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedDay:
    """The day that an agency named for its report when it acknowledged an alert at the instant `said_at`."""

    promised_on: date
    said_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyHistory:
    """The alerts of a duty that have ended, and the day that the agency named last.

    `is_reminded` tells that another reminder of the same due instant went out before, where `sent` was not asked for.
    """

    sent: tuple[SentAlert, ...] = ()
    named: NamedDay | None = None
    is_reminded: bool = False

    def find_taken(self, kind: StepKind, due_at: datetime | None, *, before: ScheduledAlert) -> Sequence[datetime]:
        """Return when the alerts of *kind* were taken, in order, one a step whatever the channels.

        Those to the agency itself count and, where *before* goes to who stands in its place, those to that one.
        Those for another due instant do not count, nor does *before*, which may have gone out on another channel.
        """
        taken: dict[str, datetime] = {}
        for one in self.sent:
            is_same = (one.kind, one.due_at) == (kind, due_at) and one.to in {SELF, before.to}
            is_this = (one.kind, one.step) == (before.kind, before.label)
            if is_same and one.outcome in TAKEN and not is_this:
                taken[one.step] = min(one.at, taken.get(one.step, one.at))
        return sorted(taken.values())

    @property
    def unreached_since(self) -> datetime | None:
        """Since when nothing has reached the agency, if the last that is known is that something did not."""
        own = sorted((one for one in self.sent if one.to == SELF), key=lambda one: one.at)
        since: datetime | None = None
        for one in own:
            if one.outcome in TAKEN:
                since = None
            elif one.outcome in _UNDELIVERED:
                since = since or one.at
        return since


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTally:
    """How many reports of one obligation and period were expected at an instant, and what had become of them."""

    expected: int
    complete: int
    extended: int = 0
    exempt: int = 0


NOTHING_SENT = DutyHistory()

# The duties of one obligation and period: plan, obligation and period.
ReportKey = tuple[str, str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterHistory:
    """What letters tell of the past: by duty (as text), and the counts of a report by plan, obligation and period."""

    duties: Mapping[str, DutyHistory]
    counts: Mapping[ReportKey, ReportTally]

    def of(self, duty: str) -> DutyHistory:
        """Return the history of *duty*."""
        return self.duties.get(duty, NOTHING_SENT)


NO_HISTORY = LetterHistory(duties={}, counts={})


def count_ordinal(history: DutyHistory, alert: ScheduledAlert) -> int:
    """Return which urging of its duty *alert* is; a new deadline begins again at 1."""
    return len(history.find_taken(StepKind.URGING, alert.due_at, before=alert)) + 1


def is_quieted(history: DutyHistory, alert: ScheduledAlert, today: date) -> bool:
    """Whether *alert* is an urging after the first that waits until the day which the agency has named is over."""
    named = history.named
    if named is None or alert.kind is not StepKind.URGING or alert.to != SELF or today > named.promised_on:
        return False
    return bool(history.find_taken(StepKind.URGING, alert.due_at, before=alert)) and named.said_at < alert.send_at


def find_reminded(alerts: Iterable[DutyAlert], steps: Mapping[str, DutySteps]) -> dict[str, DutyHistory]:
    """Return the duties among *alerts* whose deadline was reminded of before, by what is sent of their *steps*."""
    reminders = {str(one.duty): one.alert for one in alerts if one.alert.kind is StepKind.REMINDER}
    return {
        duty: DutyHistory(is_reminded=True)
        for duty, alert in reminders.items()
        if duty in steps and is_reminded(steps[duty].sent_keys, alert)
    }


def is_reminded(sent_keys: Iterable[str], alert: ScheduledAlert) -> bool:
    """Whether by *sent_keys* of its schedule another reminder of the due instant of *alert* went out before it."""
    # The keys are those of `ScheduledAlert.dedup_key`: kind, step, due instant, recipient.
    _, _, due_and_recipient = alert.dedup_key.split("|", 2)
    return any(
        key != alert.dedup_key and key.startswith(f"{StepKind.REMINDER}|") and key.split("|", 2)[2] == due_and_recipient
        for key in sent_keys
    )


def count_reports(schedules: Iterable[AlertSchedule], now: datetime) -> ReportTally:
    """Count the reports of one obligation and period by what had become of their duties at *now*."""
    statuses = [found for one in schedules if (found := one.find_interval(now)) is not None]
    expected = [one for one in statuses if one.status in _EXPECTED]
    return ReportTally(
        expected=len(expected),
        complete=sum(one.status in DISCHARGED for one in expected),
        extended=sum(one.status is Status.PENDING for one in expected),
        exempt=sum(one.status is Status.EXEMPT for one in statuses),
    )
