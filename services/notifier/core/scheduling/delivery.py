"""A delivery: one alert to one person on one channel, and the events that tell what became of its attempts.

No address gets into an event. A digest that speaks of several agencies is told once for each, about its own duties.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from schemas.events.deliveries import DELIVERED, AlertAttempted, AlertedDuty, AttemptOutcome, Channel
from schemas.events.envelope import Envelope
from schemas.events.ids import digest
from services.notifier.core.scheduling.digest import Notice
from services.notifier.core.scheduling.routing import Contact, Language
from services.notifier.core.scheduling.scheduled_alert import Telling

SOURCE = "dondoc/notifier"
_DIGITS = 40  # of the identity, enough to be unique and to fit a header line


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One alert on its way to one address. Without an address nobody could be told."""

    id: str
    alert: str
    to_agency: str
    channel: Channel
    address: str
    language: Language
    tellings: tuple[Telling, ...]

    @property
    def notice(self) -> Notice:
        """What it says."""
        return Notice(to_agency=self.to_agency, channel=self.channel, tellings=self.tellings)

    def message_id(self, domain: str) -> str:
        """Return the Message-ID, the same on every attempt."""
        return f"<{self.id[:_DIGITS]}@{domain}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """How one attempt at a delivery ended. `reason` is a code, never a server's words: those may hold an address."""

    number: int
    outcome: AttemptOutcome
    at: datetime
    reason: str | None = None
    message_id: str | None = None
    segments: int | None = None


def deliveries(notice: Notice, round_: str) -> tuple[Delivery, ...]:
    """Return one delivery for each contact of *notice*, or a single one without address where there is none.

    In one round an address is told once: the identity depends on the round and not on what is told, so that a round
    that is finished after a crash makes none anew.
    """
    return tuple(_delivery(notice, one, round_) for one in notice.contacts) or (_delivery(notice, None, round_),)


def events(delivery: Delivery, attempt: Attempt) -> Iterator[Envelope[AlertAttempted]]:
    """Yield an event for each agency that *delivery* speaks of; its id derives from the attempt."""
    for agency in dict.fromkeys(one.duty.agency for one in delivery.tellings):
        yield Envelope(
            id=digest(delivery.id, str(attempt.number), attempt.outcome, agency),
            source=SOURCE,
            type=DELIVERED,
            subject=agency,
            time=attempt.at,
            data=_attempted(delivery, attempt, agency),
        )


def _delivery(notice: Notice, contact: Contact | None, round_: str) -> Delivery:
    address = contact.address if contact else ""
    return Delivery(
        id=digest(round_, notice.to_agency, notice.channel.value, address),
        alert=notice.alert,
        to_agency=notice.to_agency,
        channel=notice.channel,
        address=address,
        language=contact.language if contact else "vi",
        tellings=notice.tellings,
    )


def _attempted(delivery: Delivery, attempt: Attempt, agency: str) -> AlertAttempted:
    lead = delivery.notice.lead.call
    return AlertAttempted(
        alert=delivery.alert,
        channel=delivery.channel,
        to_agency=delivery.to_agency,
        kind=lead.kind,
        step=lead.label,
        duties=tuple(alerted(one) for one in delivery.tellings if one.duty.agency == agency),
        attempt=attempt.number,
        outcome=attempt.outcome,
        reason=attempt.reason,
        attempted_at=attempt.at,
        message_id=attempt.message_id,
        segments=attempt.segments,
    )


def alerted(telling: Telling) -> AlertedDuty:
    """Return the duty that *telling* speaks of, and why."""
    return AlertedDuty(
        plan=telling.duty.plan,
        agency=telling.duty.agency,
        obligation=telling.duty.obligation,
        period=telling.duty.period,
        kind=telling.call.kind,
        step=telling.call.label,
        due_at=telling.call.due_at,
    )
