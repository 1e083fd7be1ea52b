"""Finds the gaps of a filled sheet by what the sheet itself states: an empty answer with a star, a figure out of range.

These are warnings: intake accepts such a report, and it counts as incomplete. Only rules decides on completeness.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from schemas.plan.values import Bilingual
from schemas.problems import FieldError
from services.console.sheets.layout import REQUIRED_MARK
from services.console.sheets.sheet_reader import SheetCell
from services.intake.core.forms import form_fields, number_parsing

# A range as `form_fields` writes it in Vietnamese, the language of every sheet: `từ 0 đến 100`.
_RANGE = re.compile(r"(?:từ (?P<low>\S+))? ?(?:đến (?P<high>\S+))?")

# The parts that a nil return may leave empty.
_OPTIONAL_IN_NIL_RETURN = frozenset({"sections", "indicators", "parts", "attachments"})


def find_gaps(cells: Mapping[str, SheetCell], data: Mapping[str, Any]) -> Iterator[FieldError]:
    """Yield a finding for each gap of the sheet with *cells*, in the order of its lines; *data* is the event's data."""
    is_nil_return = data["content"]["nil_return"]
    for key, cell in cells.items():
        head, _, name = key.partition(".")
        if is_nil_return and head in _OPTIONAL_IN_NIL_RETURN:
            continue
        if cell.label.endswith(REQUIRED_MARK) and not _is_answered(head, name, data):
            yield FieldError(pointer=form_fields.event_pointer(key), detail=_EMPTY)
        given = data["content"]["indicators"].get(name) if head == "indicators" else None
        if given is not None:
            faults = _find_faults(Decimal(given), cell.hint)
            yield from (FieldError(pointer=form_fields.event_pointer(key), detail=one) for one in faults)


def _is_answered(head: str, name: str, data: Mapping[str, Any]) -> bool:
    match head:
        case "sections" | "indicators":
            return name in data["content"][head]
        case "parts":
            return name in data["content"].get(head, ())
        case "attachments":
            return bool(data[head])
        case "document" | "dispatch" | "content":
            return bool(data[head].get(name))
        case _:  # agency, obligation and so on: without them there is no event
            return True


def _find_faults(figure: Decimal, hint: str) -> Iterator[Bilingual]:
    """Yield a sentence for each way in which *figure* departs from what the *hint* of its line asks for."""
    parts = hint.split("; ")
    for stated in filter(None, map(_RANGE.fullmatch, filter(None, parts))):
        low, high = _parse_limit(stated["low"]), _parse_limit(stated["high"])
        if (low is not None and figure < low) or (high is not None and figure > high):
            yield _describe_outside(figure, low, high, stated[0])
    if form_fields.WHOLE_NUMBER.vi in parts and figure != figure.to_integral_value():
        yield _describe_fraction(figure)


def _parse_limit(text: str | None) -> Decimal | None:
    try:
        return None if text is None else Decimal(text.translate(_DECIMAL_SIGNS))
    except InvalidOperation:
        return None


def _describe_outside(figure: Decimal, low: Decimal | None, high: Decimal | None, stated: str) -> Bilingual:
    shown = number_parsing.render_number(figure)
    ends = [
        (word, number_parsing.render_number(one).en) for word, one in (("from", low), ("to", high)) if one is not None
    ]
    limits = " ".join(f"{word} {end}" for word, end in ends)
    return Bilingual.of(
        en=f"warning: {shown.en} is outside the range that the sheet states, {limits}; the report will not be complete",
        vi=f"cảnh báo: {shown.vi} nằm ngoài khoảng ghi trên phiếu, {stated}; báo cáo sẽ chưa đầy đủ",
    )


def _describe_fraction(figure: Decimal) -> Bilingual:
    shown = number_parsing.render_number(figure)
    return Bilingual.of(
        en=f"warning: {shown.en} is not a whole number; the report will not be complete",
        vi=f"cảnh báo: {shown.vi} không phải số nguyên; báo cáo sẽ chưa đầy đủ",
    )


_DECIMAL_SIGNS = str.maketrans(",", ".", ".")  # Vietnamese writes 1.234,5
_EMPTY = Bilingual.of(
    en="warning: this is empty; the report will not be complete without it",
    vi="cảnh báo: ô này còn để trống; thiếu mục này, báo cáo sẽ chưa đầy đủ",
)
