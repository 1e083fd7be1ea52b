"""What an event is known by: its identity, and the receipt id that its identity and content give.

Derived from content alone, so that every replica, today and after a restart, gives the same event the same receipt id.
"""

import hashlib
from datetime import UTC, datetime

from msgspec import Struct

DIGEST_BYTES = 16
"""Of the digest behind a receipt id: 128 bits, so that nobody finds two contents with one id by trying."""

RECEIPT_ID_HEX = 2 * DIGEST_BYTES

IDENTITY_BYTES = 16


class Receipt(Struct, frozen=True, gc=False):
    """What the sender gets for one event."""

    id: str
    source: str
    receiptid: str
    receivedtime: str
    sha256: str


def identity_of(source: str, event_id: str) -> bytes:
    """Return the identity of an event in the few bytes that a memory of millions can afford."""
    return hashlib.sha256(_identity_text(source, event_id)).digest()[:IDENTITY_BYTES]


def identity_and_digest(source: str, event_id: str, content: bytes) -> tuple[bytes, bytes]:
    """Return the identity of an event and its digest with *content* (in its one canonical writing).

    The receipt id is the digest in hex.
    """
    sha256 = hashlib.sha256(_identity_text(source, event_id))
    identity = sha256.digest()[:IDENTITY_BYTES]
    sha256.update(b"\x1f" + content)
    return identity, sha256.digest()[:DIGEST_BYTES]


def _identity_text(source: str, event_id: str) -> bytes:
    return f"{source}\x1f{event_id}".encode()


def format_instant(instant: datetime) -> str:
    """Return *instant* as RFC 3339 in UTC with milliseconds, cut, not rounded: nobody arrives later than they did."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
