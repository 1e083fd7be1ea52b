"""What a channel is given and what it answers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from schemas.events.deliveries import AttemptOutcome
from services.notifier.core.rendering.render import Text
from services.notifier.core.scheduling.routing import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One text to one address. `id` is the delivery's: what must be the same on every attempt derives from it."""

    id: str
    address: str
    message_id: str
    language: Language
    text: Text
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How the attempt ended. `reason` is a short code without an address; `provider_ids` name the parts of an SMS."""

    outcome: AttemptOutcome
    reason: str | None = None
    provider_ids: tuple[str, ...] = ()


class Carrier(Protocol):
    """A channel. `send` never raises for what a server or network does: every end of an attempt is an answer."""

    async def send(self, message: Message) -> Answer: ...

    async def close(self) -> None: ...
