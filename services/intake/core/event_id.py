"""The identity of an event (source and id), and the receipt id derived from its identity and content.

Both derive from the event alone, so that every replica gives the same event the same receipt id, after a restart too.
"""

import hashlib
from datetime import UTC, datetime

from msgspec import Struct

# Bytes of the digest behind a receipt id: 128 bits, so that nobody finds two contents with one id by trying.
DIGEST_BYTES = 16

RECEIPT_ID_HEX = 2 * DIGEST_BYTES

IDENTITY_BYTES = 16


class Receipt(Struct, frozen=True, gc=False):
    """The receipt of one event, as the sender gets it. `sha256` is the digest of the event as received."""

    id: str
    source: str
    receiptid: str
    receivedtime: str
    sha256: str


def identity_of(source: str, event_id: str) -> bytes:
    """Return the identity of an event, hashed to 16 bytes: millions of them are held in memory."""
    # No source and no id may contain a control character, so the separator keeps ("ab", "c") and ("a", "bc") apart.
    return hashlib.sha256(f"{source}\x1f{event_id}".encode()).digest()[:IDENTITY_BYTES]


def identity_and_digest(source: str, event_id: str, content: bytes) -> tuple[bytes, bytes]:
    """Return the identity of an event, and the digest of identity and *content* (in canonical form).

    The receipt id is that digest in hex. Hashing both in one pass saves a second hash of the identity.
    """
    sha256 = hashlib.sha256(f"{source}\x1f{event_id}".encode())
    identity = sha256.digest()[:IDENTITY_BYTES]
    sha256.update(b"\x1f" + content)
    return identity, sha256.digest()[:DIGEST_BYTES]


def format_instant(instant: datetime) -> str:
    """Return *instant* as RFC 3339 in UTC with milliseconds, truncated: rounding up could make an event late."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
