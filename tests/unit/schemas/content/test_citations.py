"""A citation names clause and document as an official would."""

import pytest

from schemas.content import citations
from schemas.plan.plan import SourceDocument


@pytest.mark.parametrize(
    ("clause", "vi"),
    [
        ("III.1", "mục III.1"),
        ("Điều 7, khoản 1", "khoản 1 Điều 7"),
        ("Điều 8, khoản 5, điểm b", "điểm b khoản 5 Điều 8"),
        ("khoản 1 Điều 7", "khoản 1 Điều 7"),
        ("Điều 7, khoản 1 và khoản 3", "Điều 7, khoản 1 và khoản 3"),
        ("điểm b, khoản 5, Điều 8", "điểm b, khoản 5, Điều 8"),
        ("đoạn cuối", "đoạn cuối"),
    ],
)
def test_a_clause_that_says_what_it_is_is_not_called_a_section(clause: str, vi: str) -> None:
    """«mục III.1», never «mục Điều 7»; from the small to the large, as documents cite."""
    assert citations.name_clause(clause).vi == vi


@pytest.mark.parametrize(
    ("number", "vi"),
    [
        ("01/2024/TT-TTCP", "Thông tư số 01/2024/TT-TTCP"),
        ("09/2019/NĐ-CP", "Nghị định số 09/2019/NĐ-CP"),
        ("6766/KH-UBND", "Kế hoạch số 6766/KH-UBND"),
        ("1234/UBND-KT", "văn bản số 1234/UBND-KT"),
    ],
)
def test_a_document_is_named_by_its_kind(number: str, vi: str) -> None:
    """The letters of the number tell the kind; where they do not it is a document."""
    assert citations.name_document(SourceDocument(id="x", number=number)).vi == vi
