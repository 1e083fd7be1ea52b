"""A delivery receipt is understood in every dialect that centres speak."""

import pytest

from schemas.events.deliveries import AttemptOutcome
from services.notifier.core.dispatch import receipts
from services.notifier.core.dispatch.receipts import MESSAGE_STATE, RECEIPTED_MESSAGE_ID, DeliveryReceipt, MessageIds

CONFIRMED, BOUNCED, EXPIRED = AttemptOutcome.CONFIRMED, AttemptOutcome.BOUNCED, AttemptOutcome.EXPIRED


def read(
    text: bytes = b"", parameters: dict[int, bytes] | None = None, ids: MessageIds = MessageIds.AS_WRITTEN
) -> DeliveryReceipt:
    """Return the receipt; fail if it is not understood."""
    found = receipts.parse_receipt(text, parameters or {}, ids)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        (
            b"id:12ab sub:001 dlvrd:001 submit date:2611280101 done date:2611280102 stat:DELIVRD err:000 text:x",
            CONFIRMED,
        ),
        (b"ID:12ab SUB:001 STAT:DELIVRD ERR:000", CONFIRMED),
        (b"stat:UNDELIV err:0x1A id:12ab", BOUNCED),
        (b"id: 12ab stat: undeliverable", BOUNCED),
        (b"id:12ab status:REJECTD", BOUNCED),
        (b"id:12ab stat:DELETED", BOUNCED),
        (b"id:12ab,stat:EXPIRED,err:027", EXPIRED),
        (b"id:12ab stat:ACCEPTD", None),
        (b"id:12ab stat:ENROUTE", None),
        (b"id:12ab stat:UNKNOWN", None),
    ],
)
def test_state_and_id_are_found_without_regard_to_case_or_order(text: bytes, outcome: AttemptOutcome | None) -> None:
    """Only a final state is an outcome."""
    receipt = read(text)
    assert (receipt.ids, receipt.outcome) == (("12ab",), outcome)


@pytest.mark.parametrize(("state", "outcome"), [(2, CONFIRMED), (3, EXPIRED), (4, BOUNCED), (5, BOUNCED), (8, BOUNCED)])
def test_a_receipt_may_be_in_the_optional_parameters_alone(state: int, outcome: AttemptOutcome) -> None:
    """Without a text, `receipted_message_id` and `message_state` say it all."""
    receipt = read(parameters={RECEIPTED_MESSAGE_ID: b"12ab\0", MESSAGE_STATE: bytes((state,))})
    assert (receipt.ids, receipt.outcome) == (("12ab",), outcome)


def test_ids_match_without_leading_zeros_and_as_written() -> None:
    """`0012` in the answer and `12` in the receipt are one message; the written form stays beside it."""
    assert MessageIds.AS_WRITTEN.read_answered("0012") == "12"
    assert read(b"id:0012 stat:DELIVRD").ids == ("12", "0012")
    assert MessageIds.AS_WRITTEN.read_answered("000") == "000"


def test_ids_match_across_hexadecimal_and_decimal_where_a_setting_says_so() -> None:
    """`F4241` in the answer and `1000001` in the receipt are one message, and the other way round."""
    for ids, answered, receipted in (
        (MessageIds.HEX_TO_DECIMAL, "F4241", "1000001"),
        (MessageIds.DECIMAL_TO_HEX, "1000001", "000f4241"),
    ):
        receipt = read(f"id:{receipted} stat:DELIVRD".encode(), ids=ids)
        assert ids.read_answered(answered) == receipt.ids[0]
    assert MessageIds.HEX_TO_DECIMAL.read_answered("no-number") == "no-number"


def test_the_error_of_the_network_is_kept_as_the_reason() -> None:
    """It is a short word; anything else in its place is left out."""
    assert read(b"id:1 stat:UNDELIV err:027").reason == "receipt_027"
    assert [read(b"id:1 stat:" + word).is_hard for word in (b"UNDELIV", b"REJECTD", b"EXPIRED", b"DELIVRD")] == [
        True,
        False,
        False,
        False,
    ]
    assert read(b"id:1 stat:DELIVRD err:000").reason == "receipt"
    assert read(b"id:1 stat:UNDELIV err:+84912345678").reason == "receipt"


@pytest.mark.parametrize("text", [b"", b"Xin chao", b"id:12", b"stat:DELIVRD", b"id:12 stat:WHATEVER", b"\xff\xfe"])
def test_what_is_no_receipt_is_not_taken_for_one(text: bytes) -> None:
    """It has no id, no state, or a state that nobody knows."""
    assert receipts.parse_receipt(text, {}, MessageIds.AS_WRITTEN) is None
