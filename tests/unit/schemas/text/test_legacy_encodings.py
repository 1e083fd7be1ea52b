"""Vietnamese in the encodings from before Unicode is recognised by what comes out, and nothing else is touched."""

import unicodedata

import pytest

from schemas.text import legacy_encodings, syllables


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Së Tµi chÝnh", "Sở Tài chính"),
        ("UBND huyÖn Thä Xu©n", "UBND huyện Thọ Xuân"),
        ("L§TBXH tØnh", "LĐTBXH tỉnh"),
        ("TØNH THANH HãA", "TỈNH THANH HÓA"),
        ("L\u00adu tr÷", "Lưu trữ"),
        ("Sôû Taøi chính", "Sở Tài chính"),
        ("UBND huyeän Thoï Xuaân", "UBND huyện Thọ Xuân"),
        ("Nguyeãn Thò Hoàng", "Nguyễn Thị Hồng"),
        ("BAÙO CAÙO KEÁT QUAÛ", "BÁO CÁO KẾT QUẢ"),
        ("NHAÂN DAÂN", "NHÂN DÂN"),
        ("Nguyá»…n Thá»‹ Há»“ng", "Nguyễn Thị Hồng"),
        ("NguyêÞn Thiò Hông", "Nguyễn Thị Hông"),
    ],
    ids=[*["TCVN3"] * 5, *["VNI"] * 5, "UTF-8 read as Windows-1252", "Windows-1258 read as Windows-1252"],
)
def test_a_text_in_an_older_encoding_is_converted(written: str, meant: str) -> None:
    """What cannot be Vietnamese as it stands, and is once read rightly, is read so."""
    assert legacy_encodings.convert(written) == meant
    assert legacy_encodings.convert(meant) == meant


@pytest.mark.parametrize(
    "text",
    [
        *("Sở Tài chính", "Kế hoạch số 6766/KH-UBND – “vốn ủy thác”", "ĐỒNG Ý", "LĐTBXH", "Krông Pắc", "Plây Cu"),
        *("Thò", "ý", "«Kế hoạch»", "• 5 °C, 10 µm, m², ½, § 5, © 2024", "Côte d'Ivoire", "André Müller", "café"),
        *("São Paulo", "résumé", "crème brûlée", "Señor", "façade", "København", "Straße", "Ångström", "plain"),
    ],
)
def test_any_other_text_stays_as_it_is(text: str) -> None:
    """Vietnamese in Unicode, words of other languages, signs and units are not taken for something else."""
    assert legacy_encodings.convert(text) == text


@pytest.mark.parametrize(
    "content",
    [
        b"S\xeb T\xb5i ch\xddnh;UBND huy\xd6n Th\xe4 Xu\xa9n",
        "Sôû Taøi chính;UBND huyeän Thoï Xuaân".encode("cp1252"),
        unicodedata.normalize("NFC", "Sở Tài chính;UBND huyện Thọ Xuân")
        .translate(
            {ord("ở"): "ơ\u0309", ord("à"): "a\u0300", ord("í"): "i\u0301", ord("ệ"): "ê\u0323", ord("ọ"): "o\u0323"}
        )
        .encode("cp1258"),
    ],
    ids=["TCVN3", "VNI", "Windows-1258"],
)
def test_bytes_are_read_in_the_encoding_that_makes_vietnamese_of_them(content: bytes) -> None:
    """A file says nothing of its encoding; the one with the most syllables is meant."""
    assert legacy_encodings.decode(content) == "Sở Tài chính;UBND huyện Thọ Xuân"


def test_bytes_that_are_no_vietnamese_are_not_guessed_at() -> None:
    """Text of another language in an unknown encoding has no reading."""
    assert legacy_encodings.decode("Привет, мир".encode("cp1251")) is None


@pytest.mark.parametrize(
    ("text", "is_lost"),
    [
        *(("Nguy?n V?n ??c", True), ("UBND HUY?N", True), ("Huy\ufffdn", True)),
        *(("bạn có khỏe?", False), ("Đúng không?Có", False), ("https://a.vn/c?id=1", False)),
    ],
)
def test_letters_that_were_lost_are_noticed(text: str, *, is_lost: bool) -> None:
    """A question mark inside a word was a letter before somebody saved the file in an encoding without it."""
    assert legacy_encodings.has_lost_letters(text) is is_lost


@pytest.mark.parametrize("word", ["nghiêng", "khuỷu", "quyển", "giếng", "Đắk", "thuở", "hoẵng", "xoong", "ý", "yêu"])
def test_a_word_of_vietnamese_is_a_syllable(word: str) -> None:
    """In either Unicode form and in capitals, with the tone on either vowel."""
    for form in ("NFC", "NFD"):
        assert syllables.is_syllable(unicodedata.normalize(form, word))
    assert syllables.is_syllable(word.upper())


@pytest.mark.parametrize("word", ["Müller", "Côte", "cãc", "hòp", "aø", "strê", ""])
def test_what_no_vietnamese_word_is_like_is_no_syllable(word: str) -> None:
    """Foreign letters, clusters, and tones that a final stop does not have."""
    assert not syllables.is_syllable(word)
