"""What an event is known by: its identity, and the receipt id that its identity and content give.

Derived from content alone, so that every replica, today and after a restart, gives the same event the same receipt id.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

RECEIPT_ID_HEX = 32
"""Hex digits of a receipt id: 128 bits, so that nobody finds two contents with one id by trying."""

IDENTITY_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What the sender gets for one event."""

    id: str
    source: str
    receiptid: str
    receivedtime: str
    sha256: str


def identity_of(source: str, event_id: str) -> bytes:
    """Return the identity of an event in the few bytes that a memory of millions can afford."""
    return hashlib.sha256(f"{source}\x1f{event_id}".encode()).digest()[:IDENTITY_BYTES]


def receipt_id(source: str, event_id: str, content: bytes) -> str:
    """Return the receipt id of an event with *content* (in its one canonical writing)."""
    head = f"{source}\x1f{event_id}\x1f".encode()
    return hashlib.sha256(head + content).hexdigest()[:RECEIPT_ID_HEX]


def written(instant: datetime) -> str:
    """Return *instant* as RFC 3339 in UTC with milliseconds, cut, not rounded: nobody arrives later than they did."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
