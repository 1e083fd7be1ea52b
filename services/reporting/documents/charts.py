"""The charts of the report as pictures, for formats that cannot draw them."""

from datetime import datetime
from pathlib import Path

from services.reporting.core.report.blocks import ReportChart
from services.runtime import typst

CHART_PAGE = Path(__file__).parent / "chart_page.typ"


def draw_chart(chart: ReportChart, *, dated: datetime) -> bytes:
    """Return a chart as a PNG picture; *dated* is the time stamp that Typst writes."""
    content = {"kind": chart.kind, "values": dict(chart.values)}
    return typst.render_png(CHART_PAGE, {"chart": content}, dated=dated)
