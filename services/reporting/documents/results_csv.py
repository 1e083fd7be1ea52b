"""The figures of results as CSV: one line a figure of an agency, ready for a pivot table."""

import csv
import io
from collections.abc import Iterable

from schemas.plan import figures
from services.reporting.core.results import AgencyFigure, IndicatorResult
from services.reporting.core.results_document import PlanResults
from services.reporting.documents.csv_json import BYTE_ORDER_MARK, escape_formula

FIELDS = ("plan", "period", "obligation", "code", "unit", "kind", "agency", "value", "status", "cut_off", "flags",
          "source", "id")  # fmt: skip


def render_results_csv(results: PlanResults) -> bytes:
    """Render the figures in UTF-8 with a byte order mark; flags are separated by semicolons."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")  # RFC 4180
    writer.writerow(FIELDS)
    for obligation in results.obligations:
        named = (results.plan, results.period, obligation.obligation)
        for indicator in obligation.indicators:
            writer.writerows((*named, *cells) for cells in _render_figures(indicator))
    return (BYTE_ORDER_MARK + buffer.getvalue()).encode("utf-8", "backslashreplace")


def _render_figures(result: IndicatorResult) -> Iterable[list[str | None]]:
    indicator = result.indicator
    for one in result.figures:
        texts = [escape_formula(text) for text in (indicator.code, indicator.unit or "", indicator.kind, one.agency)]
        yield [*texts, *_render_figure(one)]


def _render_figure(figure: AgencyFigure) -> list[str | None]:
    return [
        # Not escaped: plain digits, whose minus sign begins no formula but a number.
        None if figure.value is None else figures.write_plainly(figure.value),
        figure.status.value,
        None if figure.cut_off is None else figure.cut_off.isoformat(),
        ";".join(figure.flags),
        escape_formula(figure.source),
        escape_formula(figure.id),
    ]
