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
from openpyxl.utils.exceptions import InvalidFileException

from services.console import inputs
from services.console.sheets.layout import HEADER
from services.intake.core.answers import Given

KEY, ANSWER, UNIT = 0, 2, 3
"""Indices of the columns that are read: A, C and D."""
_COLUMNS = "ABCDE"
_DELIMITERS = ",;\t"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One answer: its key, the row it stands in, and its unit."""

    key: str
    row: int
    answer: Given
    unit: str = ""


def cells(path: Path) -> Iterator[Cell]:
    """Yield the answers of the sheet in *path*; raise `Unusable` where it is no sheet."""
    rows = _rows_of_table(path) if path.suffix.lower() == ".csv" else _rows_of_workbook(path)
    is_begun = False
    for number, row in enumerate(rows, start=1):
        key = str(row[KEY] or "").strip() if row else ""
        if is_begun and key:
            padded = [*row, *[None] * len(HEADER)]
            yield Cell(key=key, row=number, answer=_given(padded[ANSWER]), unit=str(padded[UNIT] or "").strip())
        is_begun = is_begun or key == HEADER[KEY]
    if not is_begun:
        raise inputs.Unusable(f"{path}: this is no report sheet; make one with `dondoc sheet`")


def address(path: Path, column: int, row: int) -> str:
    """Return how people name a cell: `report.xlsx!C7`."""
    return f"{path}!{_COLUMNS[column]}{row}"


def _given(value: object) -> Given:
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
        book = openpyxl.load_workbook(io.BytesIO(path.read_bytes()), data_only=True)
    except OSError as cause:
        raise inputs.Unusable(f"{path}: {cause.strerror or cause}") from cause
    except (InvalidFileException, zipfile.BadZipFile, ParseError, KeyError, ValueError, TypeError) as cause:
        raise inputs.Unusable(f"{path}: not an XLSX workbook; save it as .xlsx or .csv") from cause
    page = book.worksheets[0]
    return [tuple(cell.value for cell in row) for row in page.iter_rows(max_col=len(HEADER))]


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
