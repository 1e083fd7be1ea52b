"""The model of a table: typed cells in named columns, the same for every document format.

A document format decides how a date or a percentage looks. It never decides what the value is.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from services.reporting.core import vietnamese_locale

Cell = str | int | Decimal | date | datetime | None


class CellType(StrEnum):
    """The type of the cells of a column."""

    TEXT = "text"
    NUMBER = "number"
    PERCENT = "percent"
    DATE = "date"
    INSTANT = "instant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: its stable name for programs, its title for people, its share of the page's width."""

    name: str
    title: str
    cell_type: CellType = CellType.TEXT
    share: int = 10
    is_centred: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """One row; a total is set in bold, and a heading spans the table with its first cell."""

    cells: tuple[Cell, ...]
    is_total: bool = False
    is_heading: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A titled table."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[TableRow, ...]

    @property
    def records(self) -> tuple[TableRow, ...]:
        """The rows that are neither headings nor totals."""
        return tuple(row for row in self.rows if not row.is_heading and not row.is_total)


def format_cell(cell: Cell, cell_type: CellType, zone: ZoneInfo) -> str:
    """Format a cell as a Vietnamese reader expects it; an empty cell becomes an empty text."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        local = cell.astimezone(zone)
        return f"{local:%H:%M} {vietnamese_locale.format_date(local.date())}"
    if isinstance(cell, date):
        return vietnamese_locale.format_date(cell)
    if isinstance(cell, Decimal):
        is_percent = cell_type is CellType.PERCENT
        return vietnamese_locale.format_percent(cell) if is_percent else vietnamese_locale.format_number(cell, 1)
    if isinstance(cell, int):
        return vietnamese_locale.format_number(cell)
    return cell
