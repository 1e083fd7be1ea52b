"""The blocks that the report is printed from: headings, paragraphs, tables of typed cells, charts.

A document format decides how a block looks on its page. It never decides what the block says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from schemas.plan import figures as exact
from services.reporting.core import vietnamese_locale
from services.reporting.core.report.figures import ReportFigure

Cell = str | int | Decimal | date | datetime | ReportFigure | None
MINUS = "\u2212"
UNKNOWN = "–"
COLUMNS_UPRIGHT = 7  # beside each other on an upright page


class CellType(StrEnum):
    """How the cells of a column are written."""

    TEXT = "text"
    NUMBER = "number"
    PERCENT = "percent"  # a share of 1
    HUNDREDTHS = "hundredths"  # a percentage as a number of hundredths, with one decimal
    RATIO = "ratio"  # two decimals
    CHANGE = "change"  # with a sign
    RATIO_CHANGE = "ratio_change"  # with a sign and two decimals
    PERCENT_CHANGE = "percent_change"  # with a sign and one decimal
    DATE = "date"
    INSTANT = "instant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: its stable name for programs, its title for people, its share of the page's width.

    Neighbouring columns with the same `heading` stand under it together.
    """

    name: str
    title: str
    cell_type: CellType = CellType.TEXT
    share: float = 10
    is_centred: bool = False
    heading: str = ""

    @property
    def is_numeric(self) -> bool:
        """Whether its cells are figures, which align on the right."""
        return self.cell_type in _NUMERIC


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """One row; a total is set in bold. The last cell of a row with fewer cells than columns spans the rest.

    `types` says how single cells are written where that differs from their column: a row of a ratio in a table of sums.
    """

    cells: tuple[Cell, ...]
    is_total: bool = False
    is_heading: bool = False
    is_note: bool = False
    types: tuple[tuple[int, CellType], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A titled table; `unit` stands above it on the right, `notes` below it."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[TableRow, ...]
    unit: str = ""
    notes: tuple[str, ...] = ()
    size: float = 10.0  # of the letters, in points

    @property
    def records(self) -> tuple[TableRow, ...]:
        """The rows that are neither headings, totals nor notes."""
        return tuple(row for row in self.rows if not (row.is_heading or row.is_total or row.is_note))


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading of the first, second or third level."""

    level: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """A paragraph; `lead` is its beginning in bold, `source` its end in italics.

    A list item has a dash before it. A paragraph with a blank ends in a dotted line, for the signer's own words.
    What introduces a table, a list or a chart stays on one page with its beginning.
    """

    text: str
    lead: str = ""
    source: str = ""
    is_item: bool = False
    leads_on: bool = False
    has_blank: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportChart:
    """A chart: what kind it is of, the values that it draws, and in words what it shows, for who cannot see it."""

    kind: str
    title: str
    alternative: str
    values: Mapping[str, Any]


Block = Heading | Paragraph | Table | ReportChart


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Blocks on pages of one orientation: on their side for tables of many columns, else upright, with more rows."""

    is_landscape: bool
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Appendix:
    """An appendix with a number of its own."""

    number: str
    title: str
    blocks: tuple[Block, ...]

    @property
    def spreads(self) -> list[Spread]:
        """The blocks in order, parted where the pages turn; an empty appendix has one upright spread."""
        runs = [(is_wide, [*run]) for is_wide, run in groupby(self.blocks, key=_needs_landscape)]
        return [Spread(is_landscape=is_wide, blocks=tuple(run)) for is_wide, run in runs] or [
            Spread(is_landscape=False, blocks=())
        ]


def _needs_landscape(block: Block) -> bool:
    return isinstance(block, Table) and len(block.columns) > COLUMNS_UPRIGHT


_NUMERIC = frozenset(CellType) - {CellType.TEXT, CellType.DATE, CellType.INSTANT}


def value_of(cell: Cell) -> str | int | Decimal | date | datetime | None:
    """Return the value of a cell, which may be a figure."""
    return cell.value if isinstance(cell, ReportFigure) else cell


def type_of(row: TableRow, index: int, column: Column) -> CellType:
    """Return how the cell of *row* under *column* is written."""
    return dict(row.types).get(index, column.cell_type) if row.types else column.cell_type


def format_cell(cell: Cell, cell_type: CellType, zone: ZoneInfo) -> str:
    """Format a cell as a Vietnamese reader expects it; an empty cell becomes an empty text."""
    value = value_of(cell)
    if isinstance(value, datetime):
        local = value.astimezone(zone)
        return f"{local:%H:%M} {vietnamese_locale.format_date(local.date())}"
    if isinstance(value, date):
        return vietnamese_locale.format_date(value)
    if isinstance(value, Decimal | int):
        return format_figure(value, cell_type)
    if value is None:
        return UNKNOWN if cell_type is CellType.PERCENT else ""
    return value


def format_row(row: TableRow, table: Table, zone: ZoneInfo) -> list[str]:
    """Return the cells of a row as texts; the last one of a row that lacks some spans the rest of the columns."""
    # A heading has one cell under several columns: not strict.
    pairs = zip(row.cells, table.columns, strict=False)
    return [format_cell(cell, type_of(row, index, column), zone) for index, (cell, column) in enumerate(pairs)]


def align_of(column: Column) -> str:
    """Return how the cells of a column align: `left`, `center` or `right`."""
    if column.is_centred:
        return "center"
    return "right" if column.is_numeric else "left"


def format_figure(value: Decimal | int, cell_type: CellType) -> str:
    """Format a number: `9.984,2`, a share `86,4%`, a change `+1.250`."""
    number = Decimal(value)
    match cell_type:
        case CellType.PERCENT:
            return vietnamese_locale.format_percent(number)
        case CellType.HUNDREDTHS:
            return vietnamese_locale.format_number(number, 1)
        case CellType.RATIO:
            return vietnamese_locale.format_number(number, 2)
        case CellType.CHANGE:
            return format_change(number)
        case CellType.RATIO_CHANGE:
            return format_change(number, 2)
        case CellType.PERCENT_CHANGE:
            return format_change(number, 1)
        case _:
            return exact.write_for_people(number, "vi")


def format_change(value: Decimal, places: int | None = None) -> str:
    """Format a difference with its sign: `+1.250`, `−40`; nothing stands before zero. Without *places* every digit."""
    size = abs(value)
    digits = exact.write_for_people(size, "vi") if places is None else vietnamese_locale.format_number(size, places)
    if not any(digit in digits for digit in "123456789"):
        return digits
    return f"{'+' if value > 0 else MINUS}{digits}"
