"""The centre's answers about the parts of an SMS make one result of the message."""

import pytest

from schemas.events.deliveries import AttemptOutcome
from services.notifier.channels import smpp_pdu
from services.notifier.channels.message_channel import OutgoingMessage
from services.notifier.channels.smpp_session import NOT_SENT, SubmitResult
from services.notifier.channels.sms_smpp import build_parts, combine_results
from services.notifier.core.rendering.render import RenderedMessage
from tests.unit.notifier.schedule_builders import DUE

ACCEPTED = SubmitResult(status=0, provider_id="a1")
THROTTLED = SubmitResult(status=0x58)


def a_message(body: str) -> OutgoingMessage:
    """Return an SMS on its way."""
    content = RenderedMessage(subject=None, body=body, html=None, segments=None)
    return OutgoingMessage(id="a7" * 32, address="+84912345678", message_id="", language="vi", content=content, at=DUE)


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([ACCEPTED], AttemptOutcome.ACCEPTED),
        ([ACCEPTED, ACCEPTED], AttemptOutcome.ACCEPTED),
        ([THROTTLED], AttemptOutcome.TEMPORARY_FAILURE),
        ([SubmitResult(status=0x14)], AttemptOutcome.TEMPORARY_FAILURE),
        ([SubmitResult(status=0x0B)], AttemptOutcome.PERMANENT_FAILURE),
        ([SubmitResult(status=0x45)], AttemptOutcome.TECHNICAL_FAILURE),
        ([SubmitResult(status=NOT_SENT)], AttemptOutcome.TECHNICAL_FAILURE),
        ([None], AttemptOutcome.UNKNOWN),
        ([ACCEPTED, None], AttemptOutcome.UNKNOWN),
        ([ACCEPTED, THROTTLED], AttemptOutcome.UNKNOWN),
        ([ACCEPTED, SubmitResult(status=NOT_SENT)], AttemptOutcome.UNKNOWN),
    ],
)
def test_parts_make_one_outcome(results: list[SubmitResult | None], expected: AttemptOutcome) -> None:
    """All parts accepted is delivered, all refused may be tried again, and anything in between is unknown."""
    assert combine_results(results).outcome is expected


def test_a_short_text_has_no_header() -> None:
    """A text of one part has no user data header and one septet in each octet."""
    (part,) = build_parts(a_message("Don Doc"))
    assert (part.content, part.has_header, part.is_ucs2) == (b"Don Doc", False, False)


def test_a_long_text_has_numbered_parts_that_are_the_same_on_a_retry() -> None:
    """The reference derives from the delivery; each part holds its number and the count of parts."""
    first, second = build_parts(a_message("ế" * 71))
    assert first.content[:6] == bytes((5, 0, 3, 0xA7, 2, 1))
    assert second.content[:6] == bytes((5, 0, 3, 0xA7, 2, 2))
    assert (first.content[6:] + second.content[6:]).decode("utf-16-be") == "ế" * 71
    assert build_parts(a_message("ế" * 71)) == (first, second)


def test_a_long_text_may_go_as_one_payload() -> None:
    """A centre that splits long texts itself gets one part, in a `message_payload` where it is over 254 octets."""
    (part,) = build_parts(a_message("x" * 400), is_whole=True)
    body = smpp_pdu.encode_submit(part, sender="DONDOC", validity_hours=24)
    assert (part.has_header, body[-404:-400]) == (False, bytes((0x04, 0x24, 0x01, 0x90)))


def test_an_sms_expires_at_the_centre_after_its_validity() -> None:
    """A day is written as a relative period of SMPP 3.4, section 7.1.1.2; none at all leaves it to the centre."""
    (part,) = build_parts(a_message("Don Doc"))
    assert b"\x00000001000000000R\x00" in smpp_pdu.encode_submit(part, sender="DONDOC", validity_hours=24)
    assert b"R\x00" not in smpp_pdu.encode_submit(part, sender="DONDOC", validity_hours=0)
