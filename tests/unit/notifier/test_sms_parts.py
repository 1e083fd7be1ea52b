"""What a centre answers about the parts of an SMS makes one outcome of the message."""

import pytest

from schemas.events.deliveries import AttemptOutcome
from services.notifier.channels.message import Message
from services.notifier.channels.smpp_session import NOT_SENT, Taken
from services.notifier.channels.sms_smpp import outcome, parts
from services.notifier.core.rendering.render import Text
from tests.unit.notifier.agendas import DUE

OK = Taken(status=0, provider_id="a1")
THROTTLED = Taken(status=0x58)


def a_message(body: str) -> Message:
    """An SMS on its way."""
    text = Text(subject=None, body=body, html=None, segments=None)
    return Message(id="a7" * 32, address="+84912345678", message_id="", language="vi", text=text, at=DUE)


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        ([OK], AttemptOutcome.DELIVERED),
        ([OK, OK], AttemptOutcome.DELIVERED),
        ([THROTTLED], AttemptOutcome.TEMPORARY_FAILURE),
        ([Taken(status=0x14)], AttemptOutcome.TEMPORARY_FAILURE),
        ([Taken(status=0x0B)], AttemptOutcome.PERMANENT_FAILURE),
        ([Taken(status=0x45)], AttemptOutcome.TECHNICAL_FAILURE),
        ([Taken(status=NOT_SENT)], AttemptOutcome.TECHNICAL_FAILURE),
        ([None], AttemptOutcome.UNKNOWN),
        ([OK, None], AttemptOutcome.UNKNOWN),
        ([OK, THROTTLED], AttemptOutcome.UNKNOWN),
        ([OK, Taken(status=NOT_SENT)], AttemptOutcome.UNKNOWN),
    ],
)
def test_parts_make_one_outcome(taken: list[Taken | None], expected: AttemptOutcome) -> None:
    """Taken whole is delivered, refused whole may be tried again, and anything in between is unknown."""
    assert outcome(taken).outcome is expected


def test_a_short_text_travels_bare() -> None:
    """No header, one septet an octet."""
    (part,) = parts(a_message("Don Doc"))
    assert (part.content, part.has_header, part.is_ucs2) == (b"Don Doc", False, False)


def test_a_long_text_travels_in_numbered_parts_that_a_retry_repeats() -> None:
    """The reference derives from the delivery; each part says its number and how many there are."""
    first, second = parts(a_message("ế" * 71))
    assert first.content[:6] == bytes((5, 0, 3, 0xA7, 2, 1))
    assert second.content[:6] == bytes((5, 0, 3, 0xA7, 2, 2))
    assert (first.content[6:] + second.content[6:]).decode("utf-16-be") == "ế" * 71
    assert parts(a_message("ế" * 71)) == (first, second)
