"""The names of uploaded files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.form import uploads


@pytest.mark.parametrize(
    "given_name,name",
    [
        ("Báo cáo năm 2026.pdf", "Báo cáo năm 2026.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\a\\b.pdf", "b.pdf"),
        ("a\r\nb\x00.pdf", "a_b_.pdf"),
        ("bao\u202efdp.exe", "baofdp.exe"),
        ('a"<b>.pdf', "a_b_.pdf"),
        (" .. ", "tep"),
        ("a" * 300 + ".pdf", "a" * 116 + ".pdf"),
        ("a." + "b" * 300, "tep"),
    ],
)
def test_a_name_is_made_safe(given_name: str, name: str) -> None:
    """No folder, no control or reversing character, no quotes, not too long; Vietnamese stays as it is."""
    assert uploads.safe_name(given_name) == name


@given(st.text(max_size=400))
def test_no_name_is_dangerous_or_empty(given_name: str) -> None:
    """Whatever a browser sends, the name is short, non-empty and holds nothing that leads elsewhere."""
    name = uploads.safe_name(given_name)
    assert 0 < len(name) <= uploads.NAME_LENGTH_MAX
    assert not set(name) & set('/\\\r\n\x00<>:"|?*')
    assert name not in {".", ".."}
