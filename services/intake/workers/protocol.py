"""What passes between intake and a clerk over their socket: MessagePack, each message behind its length.

Order is meaning: a request is examined by the papers and the scopes that were sent before it.
"""

import struct
from collections.abc import Iterator
from typing import TypeVar

import msgspec
from msgspec import Struct

from services.intake.cloudevents.http_binding import ContentMode
from services.intake.cloudevents.pipeline import Issued
from services.intake.core.plan_index import PlanIndex
from services.intake.core.scopes import KeyScope
from services.intake.workers.shared_memory import Laid

_LENGTH = struct.Struct(">I")

Message = TypeVar("Message")


class Papers(Struct, frozen=True, array_like=True, tag=True):
    """What a clerk works by from now on: the published plans, and the key (JWK, JSON) and issuer it signs for."""

    plans: tuple[PlanIndex, ...]
    signing_key: bytes
    issuer: str


class Granted(Struct, frozen=True, array_like=True, tag=True):
    """A scope, and the number by which requests refer to it."""

    number: int
    scope: KeyScope


class Errand(Struct, frozen=True, array_like=True, tag=True):
    """A request to be issued; `headers` stand where the mode needs them, a long `body` lies in a tray."""

    number: int
    scope: int
    mode: ContentMode
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes | Laid
    receivedtime: str


class Done(Struct, frozen=True, array_like=True):
    """The end of an errand: what it is worth, or nothing where it must be told why not. Number 0 opens the shop.

    What it is worth is `laid`, as MessagePack, where it is long and so was the body.
    """

    number: int
    issued: Issued | None = None
    laid: Laid | None = None


Told = Papers | Granted | Errand

_ENCODER = msgspec.msgpack.Encoder()
_ISSUED = msgspec.msgpack.Decoder(Issued)
_NO_LENGTH = bytes(_LENGTH.size)


def packed(issued: Issued) -> bytes:
    """Return *issued* as it lies in a tray."""
    return _ENCODER.encode(issued)


def unpacked(content: memoryview) -> Issued:
    """Return what `packed` wrote; nothing of it points into *content*."""
    return _ISSUED.decode(content)


def add(message: Told | Done, outbox: bytearray) -> None:
    """Add *message* to what is sent next."""
    at = len(outbox)
    outbox += _NO_LENGTH
    _ENCODER.encode_into(message, outbox, at + _LENGTH.size)
    _LENGTH.pack_into(outbox, at, len(outbox) - at - _LENGTH.size)


class Inbox:
    """Gathers what arrives until a message is whole."""

    def __init__(self) -> None:
        self._rest = b""

    def take(self, arrived: bytes) -> Iterator[memoryview]:
        """Yield the content of each message that *arrived* completes."""
        whole = memoryview(self._rest + arrived if self._rest else arrived)
        at = 0
        while (end := _end_of_first(whole, at)) is not None:
            yield whole[at + _LENGTH.size : end]
            at = end
        self._rest = bytes(whole[at:])


def _end_of_first(whole: memoryview, at: int) -> int | None:
    if len(whole) < at + _LENGTH.size:
        return None
    end = at + _LENGTH.size + int(_LENGTH.unpack_from(whole, at)[0])
    return end if end <= len(whole) else None
