"""The text that a handset would show for the octets that it receives."""

import pytest
import smpplib.gsm
from hypothesis import given
from hypothesis import strategies as st

from deploy.local.servers import sms_text
from deploy.local.servers.smpp_pdu import SubmitSm
from deploy.local.servers.sms_text import ReceivedSmsPart, UndecodableSms


def a_submission(content: bytes, *, esm_class: int = 0, options: dict[int, bytes] | None = None) -> SubmitSm:
    """Build a submission in which only the text matters."""
    return SubmitSm(
        source="DONDOC",
        destination="8490",
        esm_class=esm_class,
        registered_delivery=0,
        data_coding=0,
        content=content,
        options=options or {},
    )


def decode_as_handset(text: str) -> str:
    """Encode *text* with the library that the notifier uses and decode it as the centre does."""
    parts, coding, esm_class = smpplib.gsm.make_parts(text)
    read = [sms_text.parse_part(a_submission(part, esm_class=esm_class)) for part in parts]
    assert [part.number for part in read if isinstance(part, ReceivedSmsPart)] == list(range(1, len(parts) + 1))
    return sms_text.decode(b"".join(part.content for part in read if isinstance(part, ReceivedSmsPart)), coding)


@pytest.mark.parametrize(
    "text",
    ["Kinh gui UBND huyen Dong Son", "giá [€] {~}", "Kính gửi Ủy ban nhân dân huyện Đông Sơn. " * 5, "x" * 161],
)
def test_a_message_is_shown_as_it_was_written(text: str) -> None:
    """Plain, extended, accented and long texts are decoded completely."""
    assert decode_as_handset(text) == text


@given(st.text(alphabet=sms_text.GSM_ALPHABET.replace("\x1b", ""), min_size=1, max_size=200))
def test_every_letter_of_the_default_alphabet_is_shown(text: str) -> None:
    """The centre's alphabet is the same as the sender's, letter by letter."""
    assert decode_as_handset(text) == text


def test_a_sixteen_bit_reference_joins_parts_too() -> None:
    """Both concatenation elements of 3GPP TS 23.040 are supported."""
    submission = a_submission(bytes.fromhex("06 08 04 0102 03 02") + b"hi", esm_class=0x40)
    assert sms_text.parse_part(submission) == ReceivedSmsPart(reference=0x0102, total=3, number=2, content=b"hi")


def test_sar_options_join_parts_too() -> None:
    """A sender may number the parts with SAR options instead of a header."""
    submission = a_submission(b"hi", options={0x020C: b"\0\5", 0x020E: b"\2", 0x020F: b"\1"})
    assert sms_text.parse_part(submission) == ReceivedSmsPart(reference=5, total=2, number=1, content=b"hi")


def test_a_header_longer_than_the_message_is_refused() -> None:
    """A message that no handset could read is refused."""
    assert isinstance(sms_text.parse_part(a_submission(b"\x30ab", esm_class=0x40)), UndecodableSms)
