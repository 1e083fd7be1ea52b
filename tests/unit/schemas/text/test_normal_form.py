"""Text that people hand in is kept in one form."""

import unicodedata

import pytest

from schemas.text import normal_form


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (unicodedata.normalize("NFD", "Thọ Xuân"), "Thọ Xuân"),
        ("số\u200d5\ufeff", "số5"),
        ("\u202eĐông\u00ad Sơn", "Đông Sơn"),
        ("Ðiện Biên, ðất, Ɖông", "Điện Biên, đất, Đông"),
        ("dòng 1\r\n\tdòng 2\u2028dòng 3", "dòng 1\r\n\tdòng 2\ndòng 3"),
        ("plain", "plain"),
        ("\x00a\x07", "a"),
    ],
)
def test_text_is_kept_composed_and_without_what_nobody_sees(written: str, kept: str) -> None:
    """NFC, no invisible letters, Đ for the letters that look like it; line ends and tabs stay."""
    assert normal_form.repair_text(written) == kept
    assert normal_form.repair_text(kept) == kept
