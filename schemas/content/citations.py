"""A citation in words: the clause, and the document that it stands in, as an official would name them."""

from schemas.content import document_kinds
from schemas.plan.plan import SourceDocument
from schemas.plan.values import Bilingual

# A clause that says itself what it is needs no "mục" before it.
_NAMED_CLAUSES = ("mục", "điều", "khoản", "điểm", "đoạn", "phần", "phụ lục", "chương", "tiểu mục")
_OTHER_DOCUMENT = "văn bản"


def name_clause(clause: str) -> Bilingual:
    """Return a clause in words: `mục III.1`, but `Điều 7, khoản 1`."""
    named = clause.casefold().startswith(_NAMED_CLAUSES)
    return Bilingual.of(vi=clause if named else f"mục {clause}", en=f"clause {clause}")


def name_document(source: SourceDocument) -> Bilingual:
    """Return a document by kind and number: `Thông tư số 01/2024/TT-TTCP`."""
    kind = document_kinds.find_kind(source.number, source.title.vi if source.title else "")
    return Bilingual.of(vi=f"{kind or _OTHER_DOCUMENT} số {source.number}", en=f"document {source.number}")
