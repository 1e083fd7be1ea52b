"""Ids are derived from content, and any Kafka client finds the partition of a key."""

from typing import Any

import pytest

from schemas.events import ids
from schemas.events.ids import DutyKey


@pytest.mark.parametrize("period", ["2024", None])
def test_a_duty_key_is_read_as_it_is_written(period: str | None) -> None:
    """A key is plan, agency, obligation and period, the last one empty for a one-off duty."""
    key = DutyKey(plan="P-1", agency="h-mot", obligation="results", period=period)
    assert str(key) == f"P-1|h-mot|results|{period or ''}"
    assert DutyKey.parse(str(key)) == key


def test_what_is_no_duty_key_is_refused() -> None:
    """The message shows the form of a key."""
    with pytest.raises(ValueError, match=r"write PLAN\|AGENCY\|OBLIGATION\|PERIOD"):
        DutyKey.parse("P-1|h-mot")


@pytest.mark.parametrize(
    "part",
    [{"plan": ""}, {"agency": ""}, {"obligation": ""}, {"agency": "a|b"}, {"plan": "|"}, {"agency": "a\x00"},
     {"agency": "a\n"}, {"agency": "x" * 1_000}, {"period": "soon"}, {"period": "9999"}],
)  # fmt: skip
def test_an_event_names_a_duty_whose_key_can_be_used(part: dict[str, str]) -> None:
    """No part may be empty, hold the separator or what cannot be printed; a period is one, and the key is short."""
    named: dict[str, Any] = {"plan": "P-1", "agency": "h-mot", "obligation": "results", "period": "2024"}
    assert DutyKey.from_event(**named) == DutyKey.parse("P-1|h-mot|results|2024")
    assert DutyKey.from_event(**{**named, "period": None}) == DutyKey.from_event(**{**named, "period": ""})
    with pytest.raises(ValueError, match=r"key of a duty|is not a reporting period"):
        DutyKey.from_event(**(named | part))


def test_a_digest_keeps_its_parts_apart() -> None:
    """Parts that are joined differently have different digests."""
    assert ids.digest("ab", "c") != ids.digest("a", "bc")


def test_the_content_s_digest_does_not_depend_on_its_writing() -> None:
    """The order of keys and the spaces do not change the digest."""
    assert ids.content_digest({"b": 1, "a": "đ"}) == ids.content_digest({"a": "đ", "b": 1})
    assert ids.content_digest({"a": 1}) != ids.content_digest({"a": "1"})


def test_a_reference_is_known_by_kind_id_and_version() -> None:
    """The key of a reference document has its kind, id and version."""
    assert ids.reference_key("plan", "6766-KH-UBND", 2) == "plan:6766-KH-UBND@2"


@pytest.mark.parametrize(
    "key, murmur2",
    [
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("a-little-bit-longer-string", -1486304829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        ("abc", 479470107),
    ],
)
def test_the_partition_is_that_of_the_java_client(key: str, murmur2: int) -> None:
    """The expected hashes are those of Apache Kafka's own tests."""
    assert ids.partition_of(key, 12) == (murmur2 & 0x7FFFFFFF) % 12
