"""Reads the answers of a filled sheet with their keys, from XLSX or CSV. What an answer means is not decided here.

All text is brought into Unicode NFC. Some programs write "ệ" as "e" with two marks, in the sheet's own words too.
"""

import csv
import io
import unicodedata
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
from services.intake.core.forms.zip_archive import OversizedArchive, open_archive

# Indices of the columns, A to E.
KEY, LABEL, ANSWER, UNIT, HINT = range(5)

# Types of cells in a workbook (ISO/IEC 29500-1, 18.18.11); the first is openpyxl's own name.
FORMULA, RESULT_TEXT = "f", "str"
ROWS_MAX = 10_000  # a sheet has a row for each question; one cell in the last row would be a million rows
_TOO_LARGE = "the workbook is too large for a report sheet; copy the answers into a new one (`dondoc sheet`)"
_COLUMNS = "ABCDE"
_DELIMITERS = ",;\t"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetCell:
    """One answer with its row number and with the other columns of its row: key, label, unit and hint.

    `is_uncomputed` marks a formula whose result is not in the file: there is no answer, though the reporter gave one.
    """

    key: str
    row: int
    answer: FieldValue
    label: str = ""
    unit: str = ""
    hint: str = ""
    is_uncomputed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _UncomputedFormula:
    formula: str

    def __str__(self) -> str:
        return self.formula


def read_cells(path: Path) -> Iterator[SheetCell]:
    """Yield the answers of the sheet in *path*; raise `UnusableInputError` where it is no report sheet."""
    rows = _read_csv(path) if path.suffix.lower() == ".csv" else _read_workbook(path)
    has_header = False
    for number, row in enumerate((_normalize(one) for one in rows), start=1):
        key = str(row[KEY] or "").strip() if row else ""
        if has_header and key:
            yield _parse_row(key, number, [*row, *[None] * len(HEADER)])
        has_header = has_header or key == HEADER[KEY]
    if not has_header:
        raise inputs.UnusableInputError(f"{path}: this is no report sheet; make one with `dondoc sheet`")


def format_address(path: Path, column: int, row: int) -> str:
    """Return the name of a cell, for example `report.xlsx!C7`."""
    return f"{path}!{_COLUMNS[column]}{row}"


def _normalize(row: Sequence[object]) -> list[object]:
    return [unicodedata.normalize("NFC", value) if isinstance(value, str) else value for value in row]


def _parse_row(key: str, row: int, values: Sequence[object]) -> SheetCell:
    answer = values[ANSWER]
    label, unit, hint = (str(values[column] or "").strip() for column in (LABEL, UNIT, HINT))
    is_uncomputed = isinstance(answer, _UncomputedFormula)
    given = None if is_uncomputed else _convert_value(answer)
    return SheetCell(key=key, row=row, answer=given, label=label, unit=unit, hint=hint, is_uncomputed=is_uncomputed)


def _convert_value(value: object) -> FieldValue:
    match value:
        case bool():
            return "x" if value else ""
        case str() | int() | float() | date() | None:
            return value
        case time():
            return value.isoformat()
        case _:
            return str(value)


def _read_workbook(path: Path) -> Iterable[Sequence[object]]:
    try:
        content = path.read_bytes()
        with open_archive(io.BytesIO(content)):
            pass  # of a bounded cost; openpyxl opens it again
        # The file is opened twice, because openpyxl gives either the results of formulas or the formulas themselves.
        results, written = (
            openpyxl.load_workbook(io.BytesIO(content), data_only=is_result).worksheets[0]
            for is_result in (True, False)
        )
    except OSError as cause:
        raise inputs.UnusableInputError(f"{path}: {cause.strerror or cause}") from cause
    except OversizedArchive as cause:
        raise inputs.UnusableInputError(f"{path}: {_TOO_LARGE}") from cause
    except (InvalidFileException, zipfile.BadZipFile, ParseError, LookupError, ValueError, TypeError) as cause:
        raise inputs.UnusableInputError(f"{path}: not an XLSX workbook; save it as .xlsx or .csv") from cause
    if max(results.max_row, written.max_row) > ROWS_MAX:
        raise inputs.UnusableInputError(f"{path}: {_TOO_LARGE}")
    pages = (page.iter_rows(max_col=len(HEADER)) for page in (results, written))
    return [tuple(map(_cell_value, *rows)) for rows in zip(*pages, strict=True)]


def _cell_value(result: WorkbookCell | MergedCell, written: WorkbookCell | MergedCell) -> object:
    """Return the value of a cell, given its computed result and its content as written.

    A formula whose result is an empty text has no value either, but its result has the type of texts.
    """
    if result.value is None and written.data_type == FORMULA and result.data_type != RESULT_TEXT:
        return _UncomputedFormula(formula=str(written.value))
    return result.value


def _read_csv(path: Path) -> Iterable[Sequence[object]]:
    text = _read_csv_text(path)
    start = next((line for line in text.splitlines() if line.lstrip('"').startswith(HEADER[KEY])), "")
    delimiter = max(_DELIMITERS, key=start.count)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as cause:
        raise inputs.UnusableInputError(f"{path}: not CSV: {cause}") from cause


def _read_csv_text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as cause:
        raise inputs.UnusableInputError(f"{path}: {cause.strerror or cause}") from cause
    if content.startswith(_UTF16_MARKS):
        return content.decode("utf-16", "replace")
    return inputs.read_text(path)
