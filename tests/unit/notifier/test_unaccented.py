"""SMS are written without marks, in letters that every handset and operator takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.core.rendering import sms_segments
from services.notifier.core.rendering.unaccented import unaccented


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("Kính đề nghị UBND huyện Thọ Xuân gửi kết quả", "Kinh de nghi UBND huyen Tho Xuan gui ket qua"),
        ("Đôn Đốc", "Don Doc"),
        ("ỦY BAN NHÂN DÂN", "UY BAN NHAN DAN"),
        ("“hạn cuối” – hết ngày…", '"han cuoi" - het ngay...'),
        ("10\u00a0tỷ đồng", "10 ty dong"),
        ("e\u0302\u0301", "e"),
        ("第", "?"),
    ],
)
def test_marks_and_typographic_signs_are_stripped(written: str, sent: str) -> None:
    """Composed or not, capital or not; what has no equivalent shows as a question mark."""
    assert sent == unaccented(written)


@given(st.text())
def test_nothing_left_forces_the_costly_encoding(text: str) -> None:
    """Whatever goes in, GSM-7 comes out."""
    assert sms_segments.cost(unaccented(text)).is_gsm7
