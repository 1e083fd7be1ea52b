"""What the log says about alerts and deliveries, for a ledger that has lost its own record of them.

An alert ends on one channel: a mail that went out says nothing about the SMS. Attempts that failed and would be made
again do not end it. One whose outcome is unknown does, because it may have arrived.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from schemas.events.assessments import StepKind
from schemas.events.deliveries import TAKEN, AttemptOutcome, Channel
from schemas.events.ids import DutyKey
from schemas.events.wire import WireAlertAttempted
from services.notifier.core.scheduling import delivery_events
from services.notifier.core.scheduling.routing import Delivery, Digest
from services.notifier.core.scheduling.scheduled_alert import DutyAlert

ENDS_ALERT = TAKEN | {
    AttemptOutcome.BOUNCED,
    AttemptOutcome.COMPLAINED,
    AttemptOutcome.EXPIRED,
    AttemptOutcome.UNKNOWN,
    AttemptOutcome.PERMANENT_FAILURE,
    AttemptOutcome.CANCELLED,
}

# The keys of the ended alerts of each duty, by the duty.
EndedAlerts = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedAttempt:
    """An attempt as its event on `dondoc.deliveries.v1` describes it: `event` is the id, `agency` the subject."""

    event: str
    agency: str
    data: WireAlertAttempted

    def is_about(self, delivery: Delivery) -> bool:
        """Whether it was an attempt at *delivery*: the id of the event derives from that of the delivery."""
        data = self.data
        return self.event == delivery_events.derive_event_id(
            delivery.id, data.attempt, data.outcome, agency=self.agency, at=data.attempted_at
        )

    @property
    def ends_delivery(self) -> bool:
        """Whether no further attempt follows. A mail of unknown outcome is sent again, under its Message-ID."""
        if self.data.outcome is AttemptOutcome.UNKNOWN:
            return self.data.channel is not Channel.EMAIL
        return self.data.outcome in ENDS_ALERT


def find_ended(attempt: WireAlertAttempted) -> Iterator[tuple[str, str]]:
    """Yield each duty of which *attempt* ended an alert, with the key of that alert."""
    if attempt.outcome not in ENDS_ALERT:
        return
    for one in attempt.duties:
        duty = DutyKey(plan=one.plan, agency=one.agency, obligation=one.obligation, period=one.period or None)
        yield str(duty), _key(one.kind, one.step, one.due_at, to_agency=attempt.to_agency, channel=attempt.channel)


def drop_ended(digests: Iterable[Digest], ended: EndedAlerts) -> list[Digest]:
    """Return *digests* without the alerts that have ended, and without those of which nothing is left."""
    remaining = (replace(one, alerts=_select_remaining(one, ended)) for one in digests)
    return [one for one in remaining if one.alerts]


def _select_remaining(digest: Digest, ended: EndedAlerts) -> tuple[DutyAlert, ...]:
    return tuple(one for one in digest.alerts if not (_keys_of(one, digest) & ended.get(str(one.duty), frozenset())))


def _keys_of(one: DutyAlert, digest: Digest) -> frozenset[str]:
    """Return the keys under which an alert has ended: of what was told to the agency before it ended, the latter's."""
    alert = one.alert
    told = {digest.to_agency, one.duty.agency if alert.is_inherited else digest.to_agency}
    keys = (_key(alert.kind, alert.label, alert.due_at, to_agency=one, channel=digest.channel) for one in told)
    return frozenset(keys)


def _key(kind: StepKind, step: str, due_at: datetime | None, *, to_agency: str, channel: Channel) -> str:
    due = due_at.astimezone(UTC).isoformat(timespec="milliseconds") if due_at else ""
    return f"{kind.value}|{step}|{due}|{to_agency}|{channel.value}"
