"""A digest of all state records of a partition, by which a lost, old or altered record is recognised.

It is the sum of the digests of the single records, modulo 2^128. A sum does not depend on their order, and a record
that changes costs one subtraction and one addition, however many others there are. It finds faults, not forgers:
whoever may write the state topic may write a digest that fits.
"""

import hashlib

MODULUS = 1 << 128
DIGEST_BYTES = 16


class StateDigest:
    """The number of records and the sum of their digests."""

    __slots__ = ("_sum", "records")

    def __init__(self) -> None:
        self.records = 0
        self._sum = 0

    def replace(self, before: int | None, after: int) -> None:
        """Count a record with the digest *after* in place of one with the digest *before*, or as a new one."""
        if before is None:
            self.records += 1
        self._sum = (self._sum + after - (before or 0)) % MODULUS

    def hex(self) -> str:
        """Return the sum as hexadecimal digits."""
        return f"{self._sum:0{2 * DIGEST_BYTES}x}"


def digest_record(key: str, value: bytes) -> int:
    """Return the digest of one state record."""
    # U+0000 separates the two: no key has it, so no byte can move between key and value.
    return int.from_bytes(hashlib.sha256(key.encode() + b"\0" + value).digest()[:DIGEST_BYTES])
