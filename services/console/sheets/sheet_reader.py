"""Reads the answers of a filled sheet with their keys. What an answer means is not decided here."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from schemas.plan import figures
from schemas.plan.values import Bilingual
from schemas.text import comparison
from services.console.sheets.layout import HEADER
from services.console.tables import number_formats, reader
from services.console.tables.table import InputCell, InputRow, InputTable, RefusedTableError
from services.intake.core.forms.form_to_event import FieldValue

PERCENT = "%"
_HEADER_KEYS = tuple(map(comparison.make_name_key, HEADER))
_DAYS = frozenset({"document.issued_on", "content.figures_as_of", "dispatch.sent_at"})

# The numbers of days in this century; a cell that lost its format shows the number of its day.
_DAY_NUMBERS = range(36_526, 73_051)
_HUNDRED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetColumns:
    """In which columns a sheet has its keys, labels, answers, units and hints: people insert columns of their own."""

    key: int
    label: int
    answer: int
    unit: int
    hint: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetCell:
    """One answer with its row number and with the other columns of its row: key, label, unit and hint.

    `fault` says why there is no answer though the reporter gave one, for example a formula without a result.
    """

    key: str
    row: int
    answer: FieldValue
    label: str = ""
    unit: str = ""
    hint: str = ""
    fault: Bilingual | None = None


def read_sheet(path: Path) -> InputTable:
    """Return the table of the sheet in *path*; raise `RefusedTableError` where it is no report sheet."""
    return reader.read_table(path, _is_header, _NO_SHEET)


def find_columns(sheet: InputTable) -> SheetColumns:
    """Return the columns of *sheet* by the titles in its header; raise `RefusedTableError` where one stands twice.

    Keys and labels have their titles, or the row would be no header. Another column whose title somebody has changed is
    looked for where the sheet was made with it, counted from the one before it.
    """
    places: dict[str, int] = {}
    for column in sorted(sheet.header.cells):
        title = comparison.make_name_key(sheet.header.text(column))
        if title in _HEADER_KEYS and places.setdefault(title, column) != column:
            raise RefusedTableError(sheet.place(sheet.header.number, column), _TITLE_TWICE)
    key, label = places[_HEADER_KEYS[0]], places[_HEADER_KEYS[1]]
    answer = places.get(_HEADER_KEYS[2], label + 1)
    unit = places.get(_HEADER_KEYS[3], answer + 1)
    return SheetColumns(key=key, label=label, answer=answer, unit=unit, hint=places.get(_HEADER_KEYS[4], unit + 1))


def read_cells(sheet: InputTable, columns: SheetColumns) -> Iterator[SheetCell]:
    """Yield the answers of *sheet* in the order of its lines."""
    for row in sheet.rows:
        if key := row.text(columns.key):
            yield _parse_row(key, row, columns, is_1904=sheet.is_1904)


def _is_header(row: InputRow) -> bool:
    return {comparison.make_name_key(row.text(column)) for column in row.cells}.issuperset(_HEADER_KEYS[:2])


def _parse_row(key: str, row: InputRow, columns: SheetColumns, *, is_1904: bool) -> SheetCell:
    label, unit, hint = (row.text(column) for column in (columns.label, columns.unit, columns.hint))
    cell = row.cell(columns.answer)
    is_figure = key.startswith("indicators.")
    fault = cell.fault or (_PERCENT_ELSEWHERE if is_figure and cell.is_percent and unit != PERCENT else None)
    answer = None if fault else _convert_value(cell, is_figure=is_figure)
    if key in _DAYS and isinstance(answer, int) and answer in _DAY_NUMBERS:
        answer = number_formats.to_instant(Decimal(answer), is_1904=is_1904)
    return SheetCell(key=key, row=row.number, answer=answer, label=label, unit=unit, hint=hint, fault=fault)


def _convert_value(cell: InputCell, *, is_figure: bool) -> FieldValue:
    value = cell.value
    if isinstance(value, bool):
        return "x" if value else ""
    if cell.is_percent and isinstance(value, int | Decimal):
        # The cell shows 12.5% and holds 0.125.
        shown = Decimal(value) * _HUNDRED
        return shown if is_figure else f"{figures.write_plainly(shown)}%"
    return value


_NO_SHEET = Bilingual.of(
    en="this is no report sheet; make one with `dondoc sheet`",
    vi="đây không phải phiếu báo cáo; hãy tạo phiếu bằng `dondoc sheet`",
)
_TITLE_TWICE = Bilingual.of(
    en="two columns have this title, so it is not clear which one counts; keep one of them",
    vi="có hai cột cùng tên này nên không rõ cột nào là đúng; hãy giữ lại một cột",
)
_PERCENT_ELSEWHERE = Bilingual.of(
    en="the cell's format is a percentage, but the unit of this line is another; set the format to a plain number",
    vi="ô này định dạng phần trăm nhưng đơn vị tính của dòng không phải %; hãy đặt lại định dạng số thông thường",
)
