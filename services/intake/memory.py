"""What intake remembers of the events in the log: enough to give a repeated one its first receipt.

Two generations, swapped once a span: an identity is remembered for at least one span and at most two, and forgetting
millions costs nothing. It is a cache of the log and the spool; nothing in it is the only copy.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.intake.core.digest import RECEIPT_ID_HEX

_RECEIPT_ID_BYTES = RECEIPT_ID_HEX // 2
_PENDING = b"p"
_LOGGED = b"l"
"""In front of a packed receipt: whether the log was seen to have it, or it may still be on its way there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The first receipt of an event: its id, which tells the content, and when the event had been received."""

    receiptid: str
    receivedtime: str


class Memory:
    """First receipts by identity."""

    def __init__(self, *, span: timedelta, now: Callable[[], datetime]) -> None:
        self._span = span
        self._now = now
        self._recent: dict[bytes, bytes] = {}
        self._older: dict[bytes, bytes] = {}
        self._swapped_at = now()

    def __len__(self) -> int:
        return len(self._recent) + len(self._older)

    def find(self, identity: bytes) -> Known | None:
        """Return the first receipt of *identity*, or nothing if it was not seen within the span."""
        packed = self._recent.get(identity) or self._older.get(identity)
        return None if packed is None else _unpacked(packed)

    def remember(self, identity: bytes, known: Known) -> None:
        """Keep the first receipt of *identity*, which this process made durable; a later one changes nothing."""
        if identity not in self._recent and identity not in self._older:
            self._keep(identity, _PENDING + _packed(known))

    def remember_logged(self, identity: bytes, known: Known) -> None:
        """Keep that the log has *identity*. The first receipt stays, and so does one of other content."""
        packed = self._recent.get(identity) or self._older.get(identity)
        if packed is None:
            self._keep(identity, _LOGGED + _packed(known))
        elif packed[:1] == _PENDING and _unpacked(packed).receiptid == known.receiptid:
            self._keep(identity, _LOGGED + packed[1:])

    def is_logged(self, identity: bytes, receiptid: str) -> bool:
        """Whether the log is known to hold *identity* with the content that *receiptid* tells."""
        packed = self._recent.get(identity) or self._older.get(identity)
        return packed is not None and packed[:1] == _LOGGED and _unpacked(packed).receiptid == receiptid

    def _keep(self, identity: bytes, packed: bytes) -> None:
        self._swap_when_due()
        self._recent[identity] = packed

    def _swap_when_due(self) -> None:
        if self._now() - self._swapped_at >= self._span:
            self._older, self._recent = self._recent, {}
            self._swapped_at = self._now()


def _packed(known: Known) -> bytes:
    return bytes.fromhex(known.receiptid) + known.receivedtime.encode("ascii")


def _unpacked(packed: bytes) -> Known:
    split = 1 + _RECEIPT_ID_BYTES
    return Known(receiptid=packed[1:split].hex(), receivedtime=packed[split:].decode("ascii"))
