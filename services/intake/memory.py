"""What intake remembers of the events in the log: enough to give a repeated one its first receipt.

Two generations, swapped once a span: an identity is remembered for at least one span and at most two, and forgetting
millions costs nothing. It is a cache of the log, filled by the follower; nothing in it is the only copy.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.intake.core.digest import RECEIPT_ID_HEX

_RECEIPT_ID_BYTES = RECEIPT_ID_HEX // 2


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
        if packed is None:
            return None
        return Known(
            receiptid=packed[:_RECEIPT_ID_BYTES].hex(), receivedtime=packed[_RECEIPT_ID_BYTES:].decode("ascii")
        )

    def remember(self, identity: bytes, known: Known) -> None:
        """Keep the first receipt of *identity*; a later one changes nothing."""
        if identity in self._recent or identity in self._older:
            return
        self._swap_when_due()
        self._recent[identity] = bytes.fromhex(known.receiptid) + known.receivedtime.encode("ascii")

    def _swap_when_due(self) -> None:
        if self._now() - self._swapped_at >= self._span:
            self._older, self._recent = self._recent, {}
            self._swapped_at = self._now()
