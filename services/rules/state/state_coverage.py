"""The coverage record of a partition's state: from which log it was made, up to where, and what it consists of.

It is written to `dondoc.duties.v1` under a key of its own, in the transaction of every batch. So the state, the record
that describes it and the committed offset are always of the same batch, unless something outside lost or changed them.
"""

import hashlib
from functools import cache

import msgspec

from services.rules.state import state_store
from services.runtime.decoding import RecordDecoder, UnreadableRecordError
from services.runtime.kafka.log_coverage import Coverage

COVERAGE_KEY = b"coverage"


class StateCoverage(msgspec.Struct, frozen=True, kw_only=True):
    """What the state of a partition contains.

    `next_offset`, `last_offset` and `fingerprint` are those of `Coverage`. `generation` counts the logs that the state
    was made from. `records` and `digest` describe the state records, `layout` is a digest of their fields. The verdicts
    of this state end at `verdicts_end` or behind it.
    """

    next_offset: int
    last_offset: int | None
    fingerprint: str | None
    generation: int
    records: int
    digest: str
    verdicts_end: int
    layout: str

    @property
    def of_log(self) -> Coverage:
        """The part that is compared with the log."""
        return Coverage(next_offset=self.next_offset, last_offset=self.last_offset, fingerprint=self.fingerprint)


_ENCODER = msgspec.json.Encoder()
_DECODER = RecordDecoder[StateCoverage](StateCoverage)


def encode_coverage(coverage: StateCoverage) -> bytes:
    """Encode *coverage* as the value of its record."""
    return _ENCODER.encode(coverage)


def decode_coverage(value: bytes) -> StateCoverage | None:
    """Return the coverage that `encode_coverage` encoded; None if *value* is not one."""
    try:
        return _DECODER.decode(value)
    except UnreadableRecordError:
        return None


@cache
def current_layout() -> str:
    """Return a digest of the fields of a state record, in which a state of another release differs."""
    # A state without a field that facts have by now would take every fact that comes again for another one.
    schema = msgspec.json.encode(msgspec.json.schema(state_store.StateRecord), order="deterministic")
    return hashlib.sha256(schema).hexdigest()[:16]
