"""Ids that are derived from content: duty keys, event ids, partitions, digests."""

import hashlib
import json
from functools import lru_cache
from typing import Any

import msgspec

from schemas.plan import periods

# The source of the events that `dondoc submit` makes of sheets, with anybody's key. Intake verifies their ids.
SHEET_SOURCE = "urn:dondoc:sheet"

# The source of what an officer answers on the pages of reporting. Only a key that names it whole may post from it.
REPORTING_SOURCE = "urn:dondoc:reporting"

# Hexadecimal digits of the content's digest in the id of such an event.
SHEET_DIGEST_LENGTH = 32

_MURMUR_SEED = 0x9747B28C
_MURMUR_M = 0x5BD1E995
_WORD = 0xFFFFFFFF
_KEY_CHARACTERS_MAX = 1_000  # an agency is the subject of events, which has 1,024 at most; honest keys have under 500
_CACHED_KEYS = 65_536  # keys are agencies; in a walk over more of them than this, no key would be found in the cache


class DutyKey(msgspec.Struct, frozen=True, kw_only=True, order=True, gc=False):
    """One obligation of one agency for one period; `period` is None for a one-off or continuous duty."""

    plan: str
    agency: str
    obligation: str
    period: str | None

    def __str__(self) -> str:
        return "|".join((self.plan, self.agency, self.obligation, self.period or ""))

    @classmethod
    def parse(cls, text: str) -> "DutyKey":
        """Parse the form that `str()` gives; raise `ValueError` if *text* is no duty key."""
        parts = text.split("|")
        if len(parts) != 4:  # noqa: PLR2004 - a key has four parts
            raise ValueError(f"{text!r} is not a duty key; write PLAN|AGENCY|OBLIGATION|PERIOD")
        plan, agency, obligation, period = parts
        return cls(plan=plan, agency=agency, obligation=obligation, period=period or None)

    @classmethod
    def from_event(cls, *, plan: str, agency: str, obligation: str, period: str | None) -> "DutyKey":
        """Return the key of the duty that an event names; raise `ValueError` if it would not come back from its text.

        A key is the key of records and documents. So no part but the period is empty, none has a separator within or
        what cannot be printed, and a period is one.
        """
        key = cls(plan=plan, agency=agency, obligation=obligation, period=period or None)
        text = str(key)
        is_whole = bool(plan and agency and obligation) and text.count("|") == 3  # noqa: PLR2004 - as above
        if not is_whole or not text.isprintable() or len(text) > _KEY_CHARACTERS_MAX:
            raise ValueError(f"{text[:200]!r} cannot be the key of a duty")
        if key.period is not None:
            periods.parse(key.period)
        return key


def digest(*parts: str) -> str:
    """Return the hex SHA-256 of *parts* with a separator between them, so that ("ab", "c") differs from ("a", "bc")."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def content_digest(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return the hex SHA-256 of a JSON value in canonical form: sorted keys, no spaces, UTF-8."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def sheet_event_id(data: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return the id of the event that `dondoc submit` makes of a sheet, under `SHEET_SOURCE`.

    It derives from *data*, the whole content of the report: a retry is the same event, and intake can verify it.
    """
    return f"sheet-{content_digest(data)[:SHEET_DIGEST_LENGTH]}"


def reference_key(kind: str, document_id: str, version: int) -> str:
    """Return the key of a reference document: `plan:ID@VERSION` or `registry:ID@VERSION`."""
    return f"{kind}:{document_id}@{version}"


@lru_cache(maxsize=_CACHED_KEYS)
def partition_of(key: str, partitions: int) -> int:
    """Return the partition that Kafka's default partitioner assigns to *key*, so that any client finds its records."""
    return (_murmur2(key.encode()) & 0x7FFFFFFF) % partitions


def _murmur2(data: bytes) -> int:
    """Compute MurmurHash2 as the Apache Kafka clients do."""
    value = _MURMUR_SEED ^ len(data)
    whole = len(data) - len(data) % 4
    for start in range(0, whole, 4):
        word = int.from_bytes(data[start : start + 4], "little") * _MURMUR_M & _WORD
        word = (word ^ word >> 24) * _MURMUR_M & _WORD
        value = (value * _MURMUR_M & _WORD) ^ word
    if len(data) % 4:
        value = (value ^ int.from_bytes(data[whole:], "little")) * _MURMUR_M & _WORD
    value = (value ^ value >> 13) * _MURMUR_M & _WORD
    return value ^ value >> 15
