"""The interface of a channel: what it is given to send, and how it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, Self

from schemas.events.deliveries import AttemptOutcome
from schemas.events.event_origin import TraceContext
from services.notifier.core.dispatch.refusals import DeliveryRefusal
from services.notifier.core.rendering.render import RenderedMessage
from services.notifier.core.scheduling.routing import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMessage:
    """One message to one address.

    `id` is the id of the delivery: what must be the same on every attempt (MIME boundary, SMS reference) derives from
    it or from `message_id`. `parameters` are for a provider whose templates take values instead of a text.
    """

    id: str
    address: str
    message_id: str
    language: Language
    content: RenderedMessage
    at: datetime
    parameters: Mapping[str, str] = field(default_factory=dict)
    trace: TraceContext | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SendResult:
    """How the sending ended. `reason` is a code without an address.

    `provider_ids` are the ids by which what comes back names the message: those of an SMS's parts, a mail's own.
    `refusal` says whose fault it is, if the message was surely not taken. `answer` is what the other side said, in
    its own words: the reply of a mail server with its queue id, or the id that a centre gave the message. It may quote
    the address, which is taken out before the ledger keeps it.
    """

    outcome: AttemptOutcome
    reason: str | None = None
    provider_ids: tuple[str, ...] = ()
    refusal: DeliveryRefusal | None = None
    answer: str | None = None

    @classmethod
    def from_refusal(cls, refusal: DeliveryRefusal, reason: str, answer: str | None = None) -> Self:
        """Return the result of a message that was surely not taken."""
        return cls(outcome=refusal.outcome, reason=reason, refusal=refusal, answer=answer)


class MessageChannel(Protocol):
    """A channel. `send` returns a result for every failure of a server or of the network, and never raises for one."""

    async def send(self, message: OutgoingMessage) -> SendResult: ...

    async def close(self) -> None: ...
