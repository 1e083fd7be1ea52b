"""A segment is encoded without its defaults."""

import msgspec

from schemas.events.wire import WireSegment


def test_a_segment_leaves_its_defaults_out() -> None:
    """Most segments have no flags, no missing parts and no evidence, so the event stays small."""
    segment = msgspec.json.decode(b'{"from":"2026-12-01T02:00:00Z","status":"late"}', type=WireSegment)
    assert msgspec.json.encode(segment) == b'{"from":"2026-12-01T02:00:00Z","status":"late"}'
