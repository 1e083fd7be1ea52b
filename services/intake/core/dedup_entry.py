"""An event in the few bytes that a memory of millions can afford: who it is, what it says, when it was received.

Whoever holds a stamp can tell whether another delivery of the event says the same, and when the first one came.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec import Struct

from services.intake.core.event_id import DIGEST_BYTES

Stamp = bytes
"""The digest behind a receipt id, then the `receivedtime` in ASCII."""


class Entry(NamedTuple):
    """What a record tells of its event: its identity and its stamp."""

    identity: bytes
    stamp: Stamp


class Entries(Struct, frozen=True, array_like=True, gc=False):
    """What many records tell, in order: their identities, and beside them their stamps."""

    identities: Sequence[bytes]
    stamps: Sequence[Stamp]

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> "Entries":
        """Return *entries*, in columns."""
        pairs = tuple(entries)
        return cls([one.identity for one in pairs], [one.stamp for one in pairs])

    def __len__(self) -> int:
        return len(self.identities)


def stamped(digest: bytes, receivedtime: str) -> Stamp:
    """Return the stamp of an event with *digest* that was received at *receivedtime*."""
    return digest + receivedtime.encode("ascii")


def is_same_content(one: Stamp, other: Stamp) -> bool:
    """Whether two stamps of one identity stand for the same content."""
    return one[:DIGEST_BYTES] == other[:DIGEST_BYTES]


def receiptid_of(stamp: Stamp) -> str:
    """Return the receipt id that *stamp* holds."""
    return stamp[:DIGEST_BYTES].hex()


def receivedtime_of(stamp: Stamp) -> str:
    """Return the time of receipt that *stamp* holds."""
    return stamp[DIGEST_BYTES:].decode("ascii")
