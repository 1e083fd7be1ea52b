"""A table as it was handed in: cells with their values, and the place of each as its author calls it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from pathlib import Path

from schemas.plan.values import Bilingual

CellValue = str | bool | int | Decimal | datetime | time | None

COLUMNS_MAX = 100
"""Columns that are read; the tables of this project have ten at most."""

ROWS_MAX = 20_000
"""Rows with content. A report sheet has a row a question, a list of contacts one for each person of a province."""

CELLS_MAX = 400_000

FILE_BYTES_MAX = 16 * 1024 * 1024


class RefusedTableError(Exception):
    """The file cannot be read as a table. *place* says where, *detail* why and what to do about it."""

    def __init__(self, place: str, detail: Bilingual) -> None:
        super().__init__(f"{place}: {detail.in_language('en')}")
        self.place = place
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class InputCell:
    """The value of one cell; text is in Unicode NFC. `is_percent` says that the cell shows its number times 100.

    Where `fault` is set there is no value to be trusted, though somebody wrote one.
    """

    value: CellValue = None
    is_percent: bool = False
    fault: Bilingual | None = None

    @property
    def is_empty(self) -> bool:
        return self.fault is None and (self.value is None or self.value == "")


EMPTY_CELL = InputCell()


@dataclass(frozen=True, slots=True, kw_only=True)
class InputRow:
    """A row with at least one cell that is not empty. `number` counts rows in a workbook, and lines in a text."""

    number: int
    cells: Mapping[int, InputCell]

    def cell(self, column: int) -> InputCell:
        """Return the cell in the column with that index, from 0 on."""
        return self.cells.get(column, EMPTY_CELL)

    def text(self, column: int) -> str:
        """Return the text of a cell without spaces around it; empty if the cell holds no text."""
        value = self.cell(column).value
        return value.strip() if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputTable:
    """The rows below the header, and the header itself.

    `page` is the name of the worksheet, empty for the first one and for text. `is_1904` says that the days of the
    workbook are counted from 1904, as Excel for Mac once did.
    """

    path: Path
    rows: tuple[InputRow, ...]
    header: InputRow = InputRow(number=1, cells={})
    is_workbook: bool = False
    page: str = ""
    is_1904: bool = False

    def place(self, row: int, column: int) -> str:
        """Return the name of a cell: `report.xlsx!C7` in a workbook, `report.csv:7` in a text."""
        return format_place(self.path, row, column, page=self.page) if self.is_workbook else f"{self.path}:{row}"


def format_place(path: Path, row: int, column: int, *, page: str = "") -> str:
    """Return the address of a cell of a workbook, with its worksheet unless that is the first."""
    letters, rest = "", column + 1
    while rest:
        rest, letter = divmod(rest - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return "!".join(filter(None, (str(path), page, f"{letters}{row}")))
