"""The kinds of official documents, by the letters in their numbers (Decree 30/2020, Appendix III)."""

import re

_KINDS = {
    "KH": "Kế hoạch", "CT": "Chỉ thị", "QĐ": "Quyết định", "NQ": "Nghị quyết", "NĐ": "Nghị định", "TT": "Thông tư",
    "CV": "Công văn", "TB": "Thông báo", "ĐA": "Đề án", "PA": "Phương án", "QC": "Quy chế", "KL": "Kết luận",
    "CTr": "Chương trình", "HD": "Hướng dẫn", "BC": "Báo cáo", "TTr": "Tờ trình",
}  # fmt: skip

# A body of the State writes 6766/KH-UBND or 09/2019/NĐ-CP, a body of the Party 40-CT/TW.
_KIND_LETTERS = re.compile(r"^\d+[/-](?:\d{4}/)?(?P<kind>[A-ZĐ][A-Za-zĐ]*)(?=[-/])")


def find_kind(number: str, title: str = "") -> str | None:
    """Return the kind of a document, as its *title* or its *number* tells it: `Kế hoạch` for `6766/KH-UBND`."""
    begun = title.casefold()
    named = next((kind for kind in _KINDS.values() if begun.startswith(kind.casefold())), None)
    letters = _KIND_LETTERS.match(number)
    return named or (_KINDS.get(letters["kind"]) if letters else None)
