"""Identities and receipt ids of events."""

from datetime import datetime

from services.intake.core import fact_record


def receipt_id(source: str, id_: str, content: bytes) -> str:
    """Return the receipt id of an event."""
    return fact_record.identity_and_digest(source, id_, content)[1].hex()


def test_a_receipt_id_is_the_same_for_the_same_event_everywhere() -> None:
    """The receipt id of a known event is a constant: a change would break every retry across an upgrade."""
    assert receipt_id("urn:x", "1", b"[]") == "78fa417b7b0c7b955c41f32167822be7"


def test_source_and_id_are_kept_apart() -> None:
    """Moving a character from the source to the id gives another event."""
    assert fact_record.identity_of("ab", "c") != fact_record.identity_of("a", "bc")
    assert receipt_id("ab", "c", b"") != receipt_id("a", "bc", b"")


def test_other_content_is_another_receipt() -> None:
    """Events with different content have different receipt ids."""
    assert receipt_id("a", "1", b"x") != receipt_id("a", "1", b"y")


def test_the_identity_is_the_same_with_any_content() -> None:
    """The identity does not depend on the content, so that other content under one identity is detected."""
    assert fact_record.identity_and_digest("a", "1", b"x")[0] == fact_record.identity_of("a", "1")


def test_an_instant_is_truncated_to_the_millisecond() -> None:
    """An instant is not rounded up: that could make a report of the last half millisecond late."""
    instant = datetime.fromisoformat("2024-12-09T23:59:59.999999+07:00")
    assert fact_record.format_instant(instant) == "2024-12-09T16:59:59.999Z"
