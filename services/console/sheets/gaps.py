"""What a filled sheet lacks by its own words: a cell with a star that is empty, a figure outside the range beside it.

Such a report is taken all the same, and is on file as incomplete. Whether it is complete, rules alone decides.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from schemas.plan.values import Bilingual
from schemas.problems import FieldError
from services.console.sheets.layout import STAR
from services.console.sheets.reading import Cell
from services.intake.core.forms import form_fields, number_parsing

_RANGE = re.compile(r"(?:từ (?P<low>\S+))? ?(?:đến (?P<high>\S+))?")
"""How `form_fields` writes a range in Vietnamese, the language of every sheet."""

_SPARED = frozenset({"sections", "indicators", "attachments"})
"""What a report that there is nothing to report may leave empty."""


def found(cells: Mapping[str, Cell], data: Mapping[str, Any]) -> Iterator[FieldError]:
    """Yield what the sheet with *cells*, which states *data*, lacks, in the order of its lines."""
    is_nil_return = data["content"]["nil_return"]
    for key, cell in cells.items():
        head, _, name = key.partition(".")
        if is_nil_return and head in _SPARED:
            continue
        if cell.label.endswith(STAR) and not _is_answered(head, name, data):
            yield FieldError(pointer=form_fields.event_pointer(key), detail=_EMPTY)
        figure = data["content"]["indicators"].get(name) if head == "indicators" else None
        if figure is not None and not _is_within(Decimal(figure), cell.hint):
            yield FieldError(pointer=form_fields.event_pointer(key), detail=_outside(Decimal(figure), cell.hint))


def _is_answered(head: str, name: str, data: Mapping[str, Any]) -> bool:
    match head:
        case "sections" | "indicators":
            return name in data["content"][head]
        case "attachments":
            return bool(data[head])
        case "document" | "dispatch" | "content":
            return bool(data[head].get(name))
        case _:  # who reports on what: without it there is no report
            return True


def _is_within(figure: Decimal, hint: str) -> bool:
    low, high = _limits(hint)
    return (low is None or figure >= low) and (high is None or figure <= high)


def _limits(hint: str) -> tuple[Decimal | None, Decimal | None]:
    stated = _RANGE.fullmatch(hint)
    return (None, None) if stated is None else (_limit(stated["low"]), _limit(stated["high"]))


def _limit(text: str | None) -> Decimal | None:
    try:
        return None if text is None else Decimal(text.translate(_SIGNS))
    except InvalidOperation:
        return None


def _outside(figure: Decimal, hint: str) -> Bilingual:
    shown = number_parsing.render_number(float(figure))
    low, high = (None if one is None else number_parsing.render_number(float(one)).en for one in _limits(hint))
    limits = " ".join(f"{word} {one}" for word, one in (("from", low), ("to", high)) if one is not None)
    return Bilingual.of(
        en=f"warning: {shown.en} is outside the range that the sheet states, {limits}; the report will not be complete",
        vi=f"cảnh báo: {shown.vi} nằm ngoài khoảng ghi trên phiếu, {hint}; báo cáo sẽ chưa đầy đủ",
    )


_SIGNS = str.maketrans(",", ".", ".")
_EMPTY = Bilingual.of(
    en="warning: this is empty; the report will not be complete without it",
    vi="cảnh báo: ô này còn để trống; thiếu mục này, báo cáo sẽ chưa đầy đủ",
)
