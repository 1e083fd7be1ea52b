"""The interface of a channel: what it is given to send, and how it answers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from schemas.events.deliveries import AttemptOutcome
from services.notifier.core.rendering.render import RenderedMessage
from services.notifier.core.scheduling.routing import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMessage:
    """One message to one address.

    `id` is the id of the delivery: what must be the same on every attempt (MIME boundary, SMS reference) derives from
    it or from `message_id`.
    """

    id: str
    address: str
    message_id: str
    language: Language
    content: RenderedMessage
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SendResult:
    """How the sending ended. `reason` is a code without an address; `provider_ids` are the ids of an SMS's parts."""

    outcome: AttemptOutcome
    reason: str | None = None
    provider_ids: tuple[str, ...] = ()


class MessageChannel(Protocol):
    """A channel. `send` returns a result for every failure of a server or of the network, and never raises for one."""

    async def send(self, message: OutgoingMessage) -> SendResult: ...

    async def close(self) -> None: ...
