"""What an event is known by."""

from datetime import datetime

from services.intake.core import digest


def test_a_receipt_id_is_the_same_for_the_same_event_everywhere() -> None:
    """It is a published value: a change would break every retry across an upgrade."""
    assert digest.receipt_id("urn:x", "1", b"[]") == "78fa417b7b0c7b955c41f32167822be7"


def test_source_and_id_are_kept_apart() -> None:
    """Moving a letter from one to the other is another event."""
    assert digest.identity_of("ab", "c") != digest.identity_of("a", "bc")
    assert digest.receipt_id("ab", "c", b"") != digest.receipt_id("a", "bc", b"")


def test_other_content_is_another_receipt() -> None:
    """So a receipt id tells the content."""
    assert digest.receipt_id("a", "1", b"x") != digest.receipt_id("a", "1", b"y")


def test_an_instant_is_cut_to_the_millisecond() -> None:
    """Rounding up would make a report received in the last half millisecond late."""
    instant = datetime.fromisoformat("2024-12-09T23:59:59.999999+07:00")
    assert digest.written(instant) == "2024-12-09T16:59:59.999Z"
