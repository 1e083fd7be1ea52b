"""SMPP PDUs are parsed and encoded as the specification says."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.local.servers import smpp_pdu
from deploy.local.servers.smpp_pdu import CommandId, CommandStatus, MalformedPduError, Pdu, PduReader, SubmitSm

SUBMISSION = bytes.fromhex(
    "00"  # service_type
    "0500444f4e444f4300"  # alphanumeric source DONDOC
    "01013834393000"  # international destination 8490
    "400000"  # esm_class with a user data header
    "0000"  # no schedule, no validity
    "0100"  # a receipt is wanted; nothing is replaced
    "0800"  # UCS-2
    "0100"  # one octet of text
)


def test_a_unit_survives_the_wire() -> None:
    """A PDU that is encoded is parsed to the same PDU."""
    sent = Pdu(command=CommandId.ENQUIRE_LINK, sequence=7)
    length, read = smpp_pdu.parse_header(sent.pack())
    assert (length, read) == (0, sent)


def test_an_answer_repeats_the_sequence_and_sets_the_response_bit() -> None:
    """A peer can find the request that a response belongs to."""
    answer = Pdu(command=CommandId.SUBMIT_SM, sequence=9).response(CommandStatus.THROTTLED)
    assert (answer.command, answer.sequence, answer.status) == (0x80000004, 9, 0x58)


def test_a_submission_is_read_field_by_field() -> None:
    """Source, destination, header bit, requested receipt, encoding and text are where section 4.4.1 puts them."""
    assert smpp_pdu.parse_submit_sm(SUBMISSION) == SubmitSm(
        source="DONDOC", destination="8490", esm_class=0x40, registered_delivery=1, data_coding=8, content=b"\0"
    )


def test_a_long_text_may_come_as_a_payload() -> None:
    """If the short message is empty, the text is in the option message_payload."""
    body = SUBMISSION[:-2] + b"\0" + bytes.fromhex("0424 0002 6869")
    assert smpp_pdu.parse_submit_sm(body).content == b"hi"


@pytest.mark.parametrize("length", [0, 15, smpp_pdu.LONGEST_PDU_BYTES + 1])
def test_an_impossible_length_is_refused(length: int) -> None:
    """A peer cannot make the centre wait for, or buffer, more than a PDU can hold."""
    with pytest.raises(MalformedPduError):
        smpp_pdu.parse_header(smpp_pdu.HEADER.pack(length, 4, 0, 1))


@given(st.binary(max_size=80))
def test_any_body_is_read_or_refused(body: bytes) -> None:
    """Arbitrary octets raise nothing but `MalformedPduError`."""
    for parse in (smpp_pdu.parse_submit_sm, smpp_pdu.parse_bind):
        with contextlib.suppress(MalformedPduError):
            parse(body)


def test_options_are_read_to_the_end() -> None:
    """Each option is a tag, a length and that many octets."""
    assert PduReader(bytes.fromhex("020c 0002 0001 020e 0001 03")).read_options() == {0x020C: b"\0\1", 0x020E: b"\3"}
