"""What a table of the report is: typed cells under named columns, the same for every format.

A writer decides how a date or a percentage looks; it never decides what it is.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from services.reporting.core import vietnamese

Cell = str | int | Decimal | date | datetime | None


class Form(StrEnum):
    """What the cells of a column are."""

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
    form: Form = Form.TEXT
    share: int = 10
    is_centred: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row; a total is set in bold, a heading spans the table with its first cell."""

    cells: tuple[Cell, ...]
    is_total: bool = False
    is_heading: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A titled table."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    @property
    def records(self) -> tuple[Row, ...]:
        """The rows that are neither headings nor totals."""
        return tuple(row for row in self.rows if not row.is_heading and not row.is_total)


def written(cell: Cell, form: Form, zone: ZoneInfo) -> str:
    """Write a cell as a Vietnamese reader expects it; nothing is an empty string."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        local = cell.astimezone(zone)
        return f"{local:%H:%M} {vietnamese.short_date(local.date())}"
    if isinstance(cell, date):
        return vietnamese.short_date(cell)
    if isinstance(cell, Decimal):
        return vietnamese.percent(cell) if form is Form.PERCENT else vietnamese.number(cell, 1)
    if isinstance(cell, int):
        return vietnamese.number(cell)
    return cell
