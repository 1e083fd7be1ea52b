"""The cells of a filled sheet, by key, from XLSX or CSV. What they mean is not decided here."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.cell import Cell as WorkbookCell
from openpyxl.cell import MergedCell
from openpyxl.utils.exceptions import InvalidFileException

from services.console.sheets.layout import HEADER
from services.console.support import inputs
from services.intake.core.forms.form_to_event import FieldValue

KEY, LABEL, ANSWER, UNIT, HINT = range(5)
"""Indices of the columns, A to E."""
FORMULA, RESULT_TEXT = "f", "str"
"""Types of a workbook's cells (ISO/IEC 29500, 18.18.11), the first as openpyxl calls it."""
_COLUMNS = "ABCDE"
_DELIMITERS = ",;\t"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One answer with the row it stands in, and what the row says of it: its key, label, unit and hint.

    An unreckoned one is a formula whose result is not in the file: there is no answer, yet one was meant.
    """

    key: str
    row: int
    answer: FieldValue
    label: str = ""
    unit: str = ""
    hint: str = ""
    is_unreckoned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unreckoned:
    formula: str

    def __str__(self) -> str:
        return self.formula


def cells(path: Path) -> Iterator[Cell]:
    """Yield the answers of the sheet in *path*; raise `Unusable` where it is no sheet."""
    rows = _rows_of_table(path) if path.suffix.lower() == ".csv" else _rows_of_workbook(path)
    is_begun = False
    for number, row in enumerate(rows, start=1):
        key = str(row[KEY] or "").strip() if row else ""
        if is_begun and key:
            yield _cell(key, number, [*row, *[None] * len(HEADER)])
        is_begun = is_begun or key == HEADER[KEY]
    if not is_begun:
        raise inputs.Unusable(f"{path}: this is no report sheet; make one with `dondoc sheet`")


def address(path: Path, column: int, row: int) -> str:
    """Return how people name a cell: `report.xlsx!C7`."""
    return f"{path}!{_COLUMNS[column]}{row}"


def _cell(key: str, row: int, values: Sequence[object]) -> Cell:
    answer = values[ANSWER]
    label, unit, hint = (str(values[column] or "").strip() for column in (LABEL, UNIT, HINT))
    is_unreckoned = isinstance(answer, _Unreckoned)
    given = None if is_unreckoned else _given(answer)
    return Cell(key=key, row=row, answer=given, label=label, unit=unit, hint=hint, is_unreckoned=is_unreckoned)


def _given(value: object) -> FieldValue:
    match value:
        case bool():
            return "x" if value else ""
        case str() | int() | float() | date() | None:
            return value
        case time():
            return value.isoformat()
        case _:
            return str(value)


def _rows_of_workbook(path: Path) -> Iterable[Sequence[object]]:
    try:
        content = path.read_bytes()
        results, written = (
            openpyxl.load_workbook(io.BytesIO(content), data_only=is_result).worksheets[0]
            for is_result in (True, False)
        )
    except OSError as cause:
        raise inputs.Unusable(f"{path}: {cause.strerror or cause}") from cause
    except (InvalidFileException, zipfile.BadZipFile, ParseError, LookupError, ValueError, TypeError) as cause:
        raise inputs.Unusable(f"{path}: not an XLSX workbook; save it as .xlsx or .csv") from cause
    pages = (page.iter_rows(max_col=len(HEADER)) for page in (results, written))
    return [tuple(map(_value, *rows)) for rows in zip(*pages, strict=True)]


def _value(result: WorkbookCell | MergedCell, written: WorkbookCell | MergedCell) -> object:
    """Return the value of a cell. A formula that comes to an empty text has none, but is of the type of texts."""
    if result.value is None and written.data_type == FORMULA and result.data_type != RESULT_TEXT:
        return _Unreckoned(formula=str(written.value))
    return result.value


def _rows_of_table(path: Path) -> Iterable[Sequence[object]]:
    text = _text(path)
    start = next((line for line in text.splitlines() if line.lstrip('"').startswith(HEADER[KEY])), "")
    delimiter = max(_DELIMITERS, key=start.count)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as cause:
        raise inputs.Unusable(f"{path}: not CSV: {cause}") from cause


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as cause:
        raise inputs.Unusable(f"{path}: {cause.strerror or cause}") from cause
    if content.startswith(_UTF16_MARKS):
        return content.decode("utf-16", "replace")
    return inputs.read_text(path)
