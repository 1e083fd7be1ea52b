"""The parts of an SMS are counted before it is sent, as operators bill them, and accents are stripped."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.core.rendering import sms_segments


@pytest.mark.parametrize(
    ("text", "is_gsm7", "parts"),
    [
        ("", True, 1),
        ("a" * 160, True, 1),
        ("a" * 161, True, 2),
        ("a" * 306, True, 2),
        ("a" * 307, True, 3),
        ("€" * 80, True, 1),
        ("€" * 81, True, 2),
        ("ế" * 70, False, 1),
        ("ế" * 71, False, 2),
        ("ế" * 134, False, 2),
        ("ế" * 135, False, 3),
        ("😀" * 35, False, 1),
        ("😀" * 36, False, 2),
        ("gửi", False, 1),
    ],
)
def test_parts_are_counted_at_every_boundary(text: str, is_gsm7: bool, parts: int) -> None:  # noqa: FBT001 - a case
    """A part has 160 or 153 septets, an extension letter takes two; or 70 or 67 units, an emoji takes two."""
    assert sms_segments.SmsLength(is_gsm7=is_gsm7, parts=parts) == sms_segments.measure(text)


def test_a_letter_of_two_septets_is_not_cut_in_half() -> None:
    """A euro sign that would straddle two parts goes into the second as a whole."""
    first, second = sms_segments.split("a" * 152 + "€" + "b" * 100)
    assert (first, second) == ("a" * 152, "€" + "b" * 100)


@given(st.text(max_size=400))
def test_the_parts_join_to_the_text(text: str) -> None:
    """Splitting loses nothing, and no part is longer than a part may be."""
    parts = sms_segments.split(text)
    in_gsm7 = sms_segments.measure(text).is_gsm7
    assert text == "".join(parts)
    longest = max(len(_octets(part, in_gsm7=in_gsm7)) for part in parts)
    assert longest <= ((153 if in_gsm7 else 134) if len(parts) > 1 else (160 if in_gsm7 else 140))


def test_gsm_letters_have_the_codes_of_the_standard() -> None:
    """The codes are those of 3GPP TS 23.038, with an escape before those of the extension table."""
    assert bytes([0x00, 0x41, 0x1B, 0x65, 0x7F]) == sms_segments.encode("@A€à", in_gsm7=True)


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("Kính đề nghị UBND huyện Thọ Xuân gửi kết quả", "Kinh de nghi UBND huyen Tho Xuan gui ket qua"),
        ("Đôn Đốc", "Don Doc"),
        ("ỦY BAN NHÂN DÂN", "UY BAN NHAN DAN"),
        ("“hạn cuối” – hết ngày…", '"han cuoi" - het ngay...'),
        ("10\u00a0tỷ đồng", "10 ty dong"),
        ("e\u0302\u0301", "e"),
        ("第 5", "Di 5"),
        ("Ðiện Biên, ðất", "Dien Bien, dat"),
        ("số\u200d5", "so5"),
        ("hạn\u200f: 9", "han: 9"),
        ("← trước → sau", "- truoc - sau"),
        ("■ 5 m² ≥ 10°", "- 5 m2 >= 10o"),
        ("Có gửi？ \ufffd😀\ue000\u200b!", "Co gui? !"),
        ("Щука", "Shchuka"),
        (unicodedata.normalize("NFD", "Đắk Lắk"), "Dak Lak"),
        ("5\u20285", "5 5"),
    ],
)
def test_accents_and_typographic_signs_are_stripped(written: str, sent: str) -> None:
    """Letters may be composed or not, capital or not; every other letter is transliterated or left out."""
    assert sent == sms_segments.strip_accents(written)


@given(st.text())
def test_any_stripped_text_is_gsm7(text: str) -> None:
    """Any text is GSM-7 once its accents are stripped, and has no question mark that it did not have before."""
    sent = sms_segments.strip_accents(text)
    assert sms_segments.measure(sent).is_gsm7
    assert sent.count("?") <= unicodedata.normalize("NFKD", text).count("?")


def _octets(part: str, *, in_gsm7: bool) -> bytes:
    return part.encode("utf-16-be", "surrogatepass") if not in_gsm7 else sms_segments.encode(part, in_gsm7=True)
