"""Writes a report sheet as an XLSX workbook: yellow cells with validation for answers, all others locked."""

import io
from datetime import date
from pathlib import Path
from typing import Any

import xlsxwriter

from services.console.sheets.layout import HEADER, NOTES, SheetLayout, SheetLine
from services.intake.core.forms.form_fields import PROOFS, FieldType

HEAD_ROWS = 6
WIDTHS = (24, 36, 58, 14, 46)
LONG_TEXT_HEIGHT = 120

# Points; two lines of the font.
ROW_HEIGHT = 33
FIRST_DAY = date(1900, 1, 1)
CHARS_PER_LINE = 140
LIST_SHEET = "Danh mục"

# Index of the column of answers, C.
ANSWER = 2

_INSTRUCTIONS = (
    "Chỉ điền vào các ô màu vàng; dòng có dấu * là bắt buộc. Điền xong, lưu phiếu và gửi cùng các tệp đính kèm."
)
_BASE = {"font_name": "Times New Roman", "font_size": 12, "valign": "vcenter", "text_wrap": True}
_BOX = {"border": 1, "border_color": "#BFB8AA", "indent": 1}
_STYLES: dict[str, dict[str, object]] = {
    "title": {"bold": True, "font_size": 15, "font_color": "#8C1D26"},
    "basis": {},
    "quote": {"italic": True, "font_color": "#4A4A4A"},
    "guide": {"font_color": "#4A4A4A"},
    "header": {"bold": True, "bg_color": "#8C1D26", "font_color": "#FFFFFF", **_BOX},
    "part": {"bold": True, "bg_color": "#F1ECE2", **_BOX},
    "label": _BOX,
    "hint": {"font_color": "#6B6459", "font_size": 11, **_BOX},
    "fixed": {"bg_color": "#F7F5F0", "font_color": "#4A4A4A", "num_format": "@", **_BOX},
    "text": {"bg_color": "#FFF8DC", "num_format": "@", "locked": False, **_BOX},
    "long": {"bg_color": "#FFF8DC", "num_format": "@", "locked": False, **_BOX, "valign": "top"},
    "day": {"bg_color": "#FFF8DC", "num_format": "dd/mm/yyyy", "align": "left", "locked": False, **_BOX},
    "moment": {"bg_color": "#FFF8DC", "num_format": "dd/mm/yyyy hh:mm", "align": "left", "locked": False, **_BOX},
    "figure": {"bg_color": "#FFF8DC", "num_format": "#,##0.######", "align": "right", "locked": False, **_BOX},
}
_STYLE_OF = {
    FieldType.LONG_TEXT: "long",
    FieldType.DAY: "day",
    FieldType.MOMENT: "moment",
    FieldType.FIGURE: "figure",
}


def _height_of(text: str) -> int:
    # Rows of merged cells do not grow by themselves in any spreadsheet program.
    return 20 + 16 * (len(text) // CHARS_PER_LINE)


class _WorkbookWriter:
    """Writes one sheet from top to bottom."""

    def __init__(self, workbook: Any) -> None:  # noqa: ANN401 - the library ships no annotations
        self._workbook = workbook
        self._page = workbook.add_worksheet("Phiếu báo cáo")
        self._lists = workbook.add_worksheet(LIST_SHEET)
        self._styles = {name: workbook.add_format({**_BASE, **style}) for name, style in _STYLES.items()}
        self._whole = workbook.add_format({"num_format": "#,##0"})
        self._row = 0

    def write_head(self, sheet: SheetLayout) -> None:
        for text, style, height in (
            (sheet.title, "title", 26),
            (sheet.basis, "basis", _height_of(sheet.basis)),
            (sheet.quote, "quote", _height_of(sheet.quote)),
            (_INSTRUCTIONS, "guide", 20),
        ):
            self._page.set_row(self._row, height)
            self._page.merge_range(self._row, 1, self._row, len(WIDTHS) - 1, text, self._styles[style])
            self._row += 1
        self._page.set_row(self._row, 6)
        self._row += 1
        self._page.set_row(self._row, 22)
        for column, text in enumerate(HEADER):
            self._page.write_string(self._row, column, text, self._styles["header"])
        self._row += 1

    def write_section(self, title: str) -> None:
        self._page.merge_range(self._row, 1, self._row, len(WIDTHS) - 1, title, self._styles["part"])
        self._page.set_row(self._row, 22)
        self._row += 1

    def write_line(self, line: SheetLine) -> None:
        kind = line.question.kind
        style = "fixed" if line.is_fixed else _STYLE_OF.get(kind, "text")
        self._page.set_row(
            self._row,
            LONG_TEXT_HEIGHT if kind is FieldType.LONG_TEXT else ROW_HEIGHT,
            None,
            {"hidden": line.is_technical},
        )
        self._page.write_string(self._row, 0, line.question.key, self._styles["label"])
        self._page.write_string(self._row, 1, line.label, self._styles["label"])
        self._page.write(self._row, ANSWER, line.answer or None, self._styles[style])
        self._page.write_string(self._row, ANSWER + 1, line.unit, self._styles["hint"])
        self._page.write_string(self._row, ANSWER + 2, line.hint, self._styles["hint"])
        if not line.is_fixed:
            self._add_validation(line)
        self._row += 1

    def write_notes(self, notes: tuple[str, ...]) -> None:
        self._row += 1
        for note in notes:
            self._page.merge_range(self._row, 1, self._row, len(WIDTHS) - 1, note, self._styles["guide"])
            self._row += 1

    def finish(self) -> None:
        for column, width in enumerate(WIDTHS):
            self._page.set_column(column, column, width, None, {"hidden": column == 0})
        self._lists.hide()
        self._page.freeze_panes(HEAD_ROWS, ANSWER)
        self._page.hide_gridlines(2)
        self._page.protect("", {"format_rows": True, "format_columns": True})
        self._page.set_paper(9)  # A4
        self._page.set_landscape()
        self._page.fit_to_pages(1, 0)
        self._page.repeat_rows(HEAD_ROWS - 1)

    def _add_validation(self, line: SheetLine) -> None:
        rule = self._validation_rule(line)
        if rule is not None:
            self._page.data_validation(self._row, ANSWER, self._row, ANSWER, rule)
        if line.question.kind is FieldType.FIGURE:
            cell = f"$C${self._row + 1}"
            # A whole number is shown without the decimal sign that the cell's own format would leave after it.
            whole = {"type": "formula", "criteria": f"={cell}=INT({cell})", "format": self._whole}
            self._page.conditional_format(self._row, ANSWER, self._row, ANSWER, whole)

    def _validation_rule(self, line: SheetLine) -> dict[str, Any] | None:
        match line.question.kind:
            case FieldType.DAY | FieldType.MOMENT:
                rule = {"validate": "date", "criteria": ">=", "value": FIRST_DAY}
                return {**rule, **_error_message("Ngày không hợp lệ", "Hãy ghi ngày/tháng/năm, ví dụ 09/12/2026.")}
            case FieldType.FIGURE:
                return _number_rule(line)
            case FieldType.YES_NO:
                return _choice_rule(list(line.choices))
            case FieldType.PROOF:
                return _choice_rule([one.vi for one in PROOFS.values()])
            case _ if line.choices:
                return _choice_rule(self._write_choices(line.choices))
            case _:
                return None

    def _write_choices(self, choices: tuple[str, ...]) -> str:
        # A list within the validation rule may hold at most 255 characters; a longer one must lie in cells.
        for row, choice in enumerate(choices):
            self._lists.write_string(row, 0, choice)
        return f"='{LIST_SHEET}'!$A$1:$A${len(choices)}"


def write_xlsx(sheet: SheetLayout, path: Path) -> None:
    """Write *sheet* to *path*; raise `OSError` where it cannot be."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as workbook:
        writer = _WorkbookWriter(workbook)
        writer.write_head(sheet)
        for section in sheet.sections:
            writer.write_section(section.title)
            for line in section.lines:
                writer.write_line(line)
        if sheet.notes:
            writer.write_notes((NOTES, *(f"– {note}" for note in sheet.notes)))
        writer.finish()
    path.write_bytes(content.getvalue())


def _number_rule(line: SheetLine) -> dict[str, Any]:
    low, high = line.question.low, line.question.high
    hint = line.question.hint.vi
    message = f"Hãy ghi số{f' {hint}' if hint else ''}, không kèm chữ hoặc đơn vị tính."
    kind = "integer" if line.question.is_whole else "decimal"
    rule: dict[str, Any] = {"validate": kind, "criteria": ">=", "value": -1e15 if low is None else float(low)}
    if high is not None:
        rule = {"validate": kind, "criteria": "between", "minimum": rule["value"], "maximum": float(high)}
    return {**rule, **_error_message("Số không hợp lệ", message)}


def _choice_rule(source: list[str] | str) -> dict[str, Any]:
    return {
        "validate": "list",
        "source": source,
        **_error_message("Không có trong danh sách", "Hãy chọn trong danh sách."),
    }


def _error_message(title: str, message: str) -> dict[str, Any]:
    return {"error_title": title, "error_message": message, "ignore_blank": True}
