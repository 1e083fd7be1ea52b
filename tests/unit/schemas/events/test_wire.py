"""A segment is encoded without its defaults, and of two values with one name the last one is decoded."""

import msgspec
import pytest

from schemas.events import wire
from schemas.events.wire import WireSegment


def test_a_segment_leaves_its_defaults_out() -> None:
    """Most segments have no flags, no missing parts and no evidence, so the event stays small."""
    segment = msgspec.json.decode(b'{"from":"2026-12-01T02:00:00Z","status":"late"}', type=WireSegment)
    assert msgspec.json.encode(segment) == b'{"from":"2026-12-01T02:00:00Z","status":"late"}'


def test_the_last_of_two_values_with_one_name_counts() -> None:
    """A typed decoder alone would refuse the first value although the second one overrules it."""
    decoder = msgspec.json.Decoder(dict[str, int])
    assert wire.decode(decoder, b'{"size": "x", "size": 1}') == {"size": 1}
    with pytest.raises(msgspec.DecodeError):
        wire.decode(decoder, b'{"size": 1, "size": "x"}')
