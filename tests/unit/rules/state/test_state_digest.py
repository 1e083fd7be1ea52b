"""The digest of a state depends on its records alone, and on each of them."""

from hypothesis import given
from hypothesis import strategies as some

from services.rules.state.state_store import StateDigest, checksum_record

RECORDS = some.dictionaries(some.text(min_size=1), some.binary(), max_size=6)


def digest_of(records: dict[str, bytes]) -> tuple[int, str]:
    """Return the digest of *records*, counted in their order."""
    digest = StateDigest()
    for key, value in records.items():
        digest.replace(None, checksum_record(key.encode(), value))
    return digest.records, digest.hex()


@given(RECORDS)
def test_the_order_of_the_records_does_not_matter(records: dict[str, bytes]) -> None:
    """A compacted topic gives the records in another order than that in which they were written."""
    assert digest_of(dict(reversed(records.items()))) == digest_of(records)


@given(RECORDS.filter(bool), some.binary())
def test_a_lost_or_altered_record_is_seen(records: dict[str, bytes], other: bytes) -> None:
    """Without one record, or with other bytes in it, the digest differs."""
    key = next(iter(records))
    lost = {name: value for name, value in records.items() if name != key}
    assert digest_of(lost) != digest_of(records)
    if other != records[key]:
        assert digest_of({**records, key: other}) != digest_of(records)


@given(RECORDS.filter(bool), some.binary())
def test_a_changed_record_counts_in_place_of_the_one_before(records: dict[str, bytes], other: bytes) -> None:
    """Replacing one record gives the digest of the records as they are then."""
    key = next(iter(records))
    digest = StateDigest()
    for name, value in records.items():
        digest.replace(None, checksum_record(name.encode(), value))
    digest.replace(checksum_record(key.encode(), records[key]), checksum_record(key.encode(), other))
    assert (digest.records, digest.hex()) == digest_of({**records, key: other})
