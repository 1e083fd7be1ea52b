"""A citation in words: the clause, and the document that it stands in, as an official would name them.

The kind of a document is told by the letters in its number (Decree 30/2020, Appendix III).
"""

import re
from functools import lru_cache

from schemas.plan.plan import SourceDocument
from schemas.plan.values import Bilingual

# A clause that says itself what it is needs no "mục" before it.
_NAMED_CLAUSES = ("mục", "điều", "khoản", "điểm", "đoạn", "phần", "phụ lục", "chương", "tiểu mục")
_OTHER_DOCUMENT = "văn bản"
# As plan files may list it, from the large to the small; documents cite from the small to the large.
_ARTICLE_FIRST = re.compile(r"^Điều (\w+),? khoản (\w+)(?:,? điểm (\w+))?$", re.IGNORECASE)

_KINDS = {
    "KH": "Kế hoạch", "CT": "Chỉ thị", "QĐ": "Quyết định", "NQ": "Nghị quyết", "NĐ": "Nghị định", "TT": "Thông tư",
    "CV": "Công văn", "TB": "Thông báo", "ĐA": "Đề án", "PA": "Phương án", "QC": "Quy chế", "KL": "Kết luận",
    "CTr": "Chương trình", "HD": "Hướng dẫn", "BC": "Báo cáo", "TTr": "Tờ trình",
}  # fmt: skip

# A body of the State writes 6766/KH-UBND or 09/2019/NĐ-CP, a body of the Party 40-CT/TW.
_KIND_LETTERS = re.compile(r"^\d+[/-](?:\d{4}/)?(?P<kind>[A-ZĐ][A-Za-zĐ]*)(?=[-/])")


@lru_cache(maxsize=256)
def name_clause(clause: str) -> Bilingual:
    """Return a clause in words: `mục III.1`, but `khoản 1 Điều 7` also where the plan has `Điều 7, khoản 1`."""
    named = clause.casefold().startswith(_NAMED_CLAUSES)
    if (listed := _ARTICLE_FIRST.match(clause)) is not None:
        article, paragraph, point = listed.groups()
        clause = f"{f'điểm {point} ' if point else ''}khoản {paragraph} Điều {article}"
    return Bilingual.of(vi=clause if named else f"mục {clause}", en=f"clause {clause}")


def name_document(source: SourceDocument) -> Bilingual:
    """Return a document by kind and number: `Thông tư số 01/2024/TT-TTCP`."""
    kind = find_kind(source.number, source.title.vi if source.title else "")
    return Bilingual.of(vi=f"{kind or _OTHER_DOCUMENT} số {source.number}", en=f"document {source.number}")


@lru_cache(maxsize=256)
def find_kind(number: str, title: str = "") -> str | None:
    """Return the kind of a document, as its *title* or its *number* tells it: `Kế hoạch` for `6766/KH-UBND`."""
    begun = title.casefold()
    named = next((kind for kind in _KINDS.values() if begun.startswith(kind.casefold())), None)
    letters = _KIND_LETTERS.match(number)
    return named or (_KINDS.get(letters["kind"]) if letters else None)
