"""Reads the worksheets of a workbook (XLSX): the values as they were saved, exact and with what their format says."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Context, InvalidOperation

from schemas.plan.values import Bilingual
from services.console.tables import number_formats, text_cells, workbook_parts
from services.console.tables.number_formats import NumberFormat
from services.console.tables.table import CELLS_MAX, COLUMNS_MAX, ROWS_MAX, CellValue, InputCell, InputRow
from services.console.tables.workbook_parts import Attributes, PartReader, SharedStrings, StyleIndex, WorkbookIndex
from services.intake.core.forms.zip_archive import OversizedArchive, UnreadableArchive, open_archive

_REFERENCE = re.compile(r"([A-Z]{1,3})(\d{1,7})")

# A character that XML cannot hold, as Excel writes it: `_x000D_`.
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")

# The digits to which spreadsheet programs compute. The file has 17, of which the last two are noise of binary
# fractions: 0.1 + 0.2 is saved as 0.30000000000000004.
_PRECISION = Context(prec=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worksheet:
    """One visible worksheet; `name` is empty for the first."""

    name: str
    rows: tuple[InputRow, ...]
    is_1904: bool


def read_worksheets(content: bytes) -> Iterator[Worksheet]:
    """Yield the visible worksheets of the workbook in *content*, in their order.

    Raise `UnreadableArchive` if it is no workbook or is damaged, and `OversizedArchive` if it is too large.
    """
    with open_archive(io.BytesIO(content)) as archive:
        parts = PartReader(archive)
        book = parts.find_workbook()
        index, styles, strings = WorkbookIndex(), StyleIndex(), SharedStrings()
        if not parts.read(book, index):
            raise UnreadableArchive
        relations = parts.relations_of(book)
        for kind, part, handler in (("styles", "styles.xml", styles), ("sharedStrings", "sharedStrings.xml", strings)):
            named = next((target for one, target in relations.values() if one == kind), None)
            parts.read(named or workbook_parts.part_beside(book, part), handler)
        for place, (name, relation) in enumerate(index.pages):
            kind, target = relations.get(relation, ("", ""))
            page = _WorksheetHandler(strings.texts, styles, is_1904=index.is_1904)
            if kind == "worksheet" and parts.read(target, page):
                yield Worksheet(name=name if place else "", rows=tuple(page.rows), is_1904=index.is_1904)


class _WorksheetHandler:
    """Builds the rows of a worksheet from its elements."""

    def __init__(self, strings: list[str], styles: StyleIndex, *, is_1904: bool) -> None:
        self.rows: list[InputRow] = []
        self._strings = strings
        self._styles = styles
        self._is_1904 = is_1904
        self._cells: dict[int, InputCell] = {}
        self._count = self._row = 0
        self._column = -1
        self._cell: Attributes = {}
        self._has_formula = self._is_phonetic = False
        self._written: str | None = None

    def start(self, tag: str, attributes: Attributes) -> None:
        match tag:
            case "row":
                self._row = int(attributes["r"]) if attributes.get("r", "").isdecimal() else self._row + 1
                self._cells, self._column = {}, -1
            case "c":
                found = _REFERENCE.fullmatch(attributes.get("r", ""))
                self._column = _column_index(found[1]) if found else self._column + 1
                self._cell, self._has_formula, self._written = attributes, False, None
            case "f":
                self._has_formula = True
            case "rPh":
                self._is_phonetic = True

    def end(self, tag: str, text: str) -> None:
        match tag:
            case "v":
                self._written = text
            case "t" if not self._is_phonetic:
                self._written = (self._written or "") + text
            case "rPh":
                self._is_phonetic = False
            case "c" if self._column < COLUMNS_MAX:
                self._add_cell()
            case "row" if self._cells:
                self.rows.append(InputRow(number=self._row, cells=self._cells))
                if len(self.rows) > ROWS_MAX:
                    raise OversizedArchive

    def _add_cell(self) -> None:
        cell = self._read_cell(self._cell.get("t", "n"), self._written)
        if cell.is_empty:
            return
        self._cells[self._column] = cell
        self._count += 1
        if self._count > CELLS_MAX:
            raise OversizedArchive

    def _read_cell(self, kind: str, written: str | None) -> InputCell:
        written = written or ""
        match kind:
            case "e":
                return InputCell(fault=_describe_error(written))
            case "str" | "inlineStr":
                return text_cells.read_text(_unescape(written))
            case _ if not written.strip():  # openpyxl writes an empty value beside a formula
                return InputCell(fault=UNCOMPUTED) if self._has_formula else InputCell()
            case "s":
                is_known = written.isdecimal() and int(written) < len(self._strings)
                return text_cells.read_text(_unescape(self._strings[int(written)]) if is_known else "")
            case "b":
                return InputCell(value=written.strip() not in {"0", "false"})
            case "d":
                return _read_iso_day(written)
            case _:
                return self._read_number(written, self._styles.format_of(self._cell.get("s", "0")))

    def _read_number(self, written: str, shown: NumberFormat) -> InputCell:
        try:
            number = _PRECISION.create_decimal(written.strip())
        except InvalidOperation:
            return text_cells.read_text(written)
        if not number.is_finite():
            return text_cells.read_text(written)
        if shown.is_scaled:
            return InputCell(fault=_SCALED)
        value: CellValue = int(number) if number == number.to_integral_value() else number
        if shown.is_day:
            value = number_formats.to_instant(number, is_1904=self._is_1904) or value
        elif shown.is_time:
            value = number_formats.to_time(number) or value
        return InputCell(value=value, is_percent=shown.is_percent)


def _column_index(letters: str) -> int:
    index = 0
    for letter in letters:
        index = index * 26 + ord(letter) - ord("A") + 1
    return index - 1


def _unescape(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def _read_iso_day(written: str) -> InputCell:
    """Read a day as Strict OOXML writes it: `2026-12-09T00:00:00`."""
    try:
        return InputCell(value=datetime.fromisoformat(written.strip()).replace(tzinfo=None))
    except ValueError:
        return text_cells.read_text(written)


def _describe_error(written: str) -> Bilingual:
    return Bilingual.of(
        en=f"the cell holds the error {written}; correct its formula, or write the value",
        vi=f"ô này báo lỗi {written}; hãy sửa công thức hoặc ghi thẳng giá trị",
    )


UNCOMPUTED = Bilingual.of(
    en="the result of this formula is not in the file; "
    "open the sheet in a spreadsheet program and save it, or write what the formula comes to",
    vi="công thức ở ô này chưa có kết quả; hãy mở phiếu bằng phần mềm bảng tính rồi lưu lại, hoặc ghi thẳng kết quả",
)
_SCALED = Bilingual.of(
    en="the cell's format shows this number divided by a thousand or more, so it is not clear which is meant; "
    "set the format to a plain number",
    vi="định dạng của ô này hiển thị số đã chia cho nghìn hoặc triệu nên không rõ giá trị nào là đúng; "
    "hãy đặt lại định dạng số thông thường",
)
