"""The formulas of the workbook: what is worked out from other cells is a formula, so that a reader can follow it.

A formula stands with the value that the report has for it; where the two would differ, as in a change that covers fewer
agencies than the total, the value stands alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from xlsxwriter.utility import xl_rowcol_to_cell

from schemas.plan import figures as exact
from schemas.plan.figures import Formula, FormulaOperation, Term
from services.reporting.core.report import blocks
from services.reporting.core.report.blocks import Cell, CellType, Table

Place = tuple[int, int]
# SUBTOTAL follows the filter: it sums (9) and counts (2) the rows that are shown.
SUM, COUNT = 9, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFormula:
    """A formula and the value that it gives in the report."""

    text: str
    value: float | int | str


def build_formulas(table: Table, first_row: int) -> dict[Place, CellFormula]:
    """Return the formulas of a sheet by place; the first row of the table stands in row *first_row*, from 0."""
    match table.name:
        case "summary":
            return _build_rates(table, first_row) | _build_sums(table, first_row)
        case "indicators":
            return _build_changes(table, first_row)
        case _:
            return {}


def sum_column(table: Table, first_row: int, column: int) -> CellFormula:
    """Return the sum of a column over the rows that the filter shows."""
    total = exact.add_exactly(_list_decimals(table, column))
    return CellFormula(text=_subtotal(SUM, table, first_row, column), value=float(total))


def count_column(table: Table, first_row: int, column: int) -> CellFormula:
    """Return how many of the rows that the filter shows have a figure in a column."""
    count = len(_list_decimals(table, column))
    return CellFormula(text=_subtotal(COUNT, table, first_row, column), value=count)


def work_out_ratio(formula: Formula, columns: Mapping[str, int], row: int, table: Table) -> CellFormula | None:
    """Return a ratio as a formula of the sums in *row*; None where a figure that it names has no column."""
    if not columns.keys() >= set(formula.codes):
        return None
    cells = {code: xl_rowcol_to_cell(row, columns[code]) for code in formula.codes}
    sums = {code: exact.add_exactly(_list_decimals(table, columns[code])) for code in formula.codes}
    value = formula.work_out(sums)
    text = f'=IFERROR(ROUND({_write(formula.term, cells)},6),"")'
    return CellFormula(text=text, value="" if value is None else float(value))


def _list_decimals(table: Table, column: int) -> list[Decimal]:
    return [one for row in table.records if (one := _decimal(row.cells[column])) is not None]


def _write(term: Term, cells: Mapping[str, str]) -> str:
    match term:
        case str():
            return cells[term]
        case FormulaOperation():
            return f"({_write(term.left, cells)}{term.operator}{_write(term.right, cells)})"
        case _:
            # A fraction that was written as a decimal divides without a remainder.
            return f"{Decimal(term.numerator) / Decimal(term.denominator):f}"


def _subtotal(function: int, table: Table, first_row: int, column: int) -> str:
    last = first_row + max(len(table.records), 1) - 1
    return f"=SUBTOTAL({function},{xl_rowcol_to_cell(first_row, column)}:{xl_rowcol_to_cell(last, column)})"


def _build_rates(table: Table, first_row: int) -> dict[Place, CellFormula]:
    place = {column.name: index for index, column in enumerate(table.columns)}
    found: dict[Place, CellFormula] = {}
    for offset, row in enumerate(table.rows):
        at = first_row + offset
        expected = _decimal(row.cells[place["expected"]]) or Decimal(0)
        whole = xl_rowcol_to_cell(at, place["expected"])
        for name, part in (("reporting_rate", "actual"), ("reporting_rate_on_time", "on_time")):
            value = float((_decimal(row.cells[place[part]]) or Decimal(0)) / expected) if expected else ""
            text = f'=IF({whole}=0,"",{xl_rowcol_to_cell(at, place[part])}/{whole})'
            found[at, place[name]] = CellFormula(text=text, value=value)
    return found


def _build_sums(table: Table, first_row: int) -> dict[Place, CellFormula]:
    total = next((offset for offset, row in enumerate(table.rows) if row.is_total), None)
    if total is None or not table.records:
        return {}
    numbers = [index for index, column in enumerate(table.columns) if column.cell_type is CellType.NUMBER]
    return {(first_row + total, index): sum_column(table, first_row, index) for index in numbers}


def _build_changes(table: Table, first_row: int) -> dict[Place, CellFormula]:
    place = {column.name: index for index, column in enumerate(table.columns)}
    if "change" not in place:
        return {}
    # What is compared is the total, or has a column of its own where it is the total of fewer agencies.
    compared = "same" if "same" in place else "total"
    found: dict[Place, CellFormula] = {}
    for offset, row in enumerate(table.rows):
        if len(row.cells) < len(table.columns):
            continue
        now, before, change = (_decimal(row.cells[place[name]]) for name in (compared, "before", "change"))
        if now is None or before is None or change != now - before:
            continue
        at = first_row + offset
        cells = {name: xl_rowcol_to_cell(at, place[name]) for name in (compared, "before", "change")}
        found[at, place["change"]] = CellFormula(text=f"={cells[compared]}-{cells['before']}", value=float(change))
        percent = _decimal(row.cells[place["percent"]])
        if percent is not None:
            text = f'=IF({cells["before"]}=0,"",{cells["change"]}*100/{cells["before"]})'
            found[at, place["percent"]] = CellFormula(text=text, value=float(percent))
    return found


def _decimal(cell: Cell) -> Decimal | None:
    value = blocks.value_of(cell)
    return Decimal(value) if isinstance(value, Decimal | int) else None
