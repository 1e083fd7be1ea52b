"""The chart of a chapter: one bar a group, divided by status. `chart.typ` draws it for the PDF and for the DOCX."""

from datetime import datetime
from pathlib import Path
from typing import Any

from services.reporting.core import labels
from services.reporting.core.annual_report import Chapter
from services.reporting.core.duty_counts import EXPECTED_STATUSES, DutyCounts
from services.runtime import typst

CHART_PAGE = Path(__file__).parent / "chart_page.typ"
TITLE = "Tình hình gửi kết quả theo nhóm đơn vị"

ChartData = dict[str, Any]


def build_chart_data(chapter: Chapter) -> ChartData:
    """Return what `chart.typ` draws for a chapter: one bar a group, and the total where there are several groups."""
    bars = [_build_bar(group.name, group.counts) for group in chapter.groups if group.counts.expected]
    if len(bars) > 1:
        bars.append(_build_bar("Tổng cộng", chapter.total))
    return {
        "title": TITLE,
        "bars": bars,
        "legend": [{"name": status.value, "title": labels.status_label(status)} for status in EXPECTED_STATUSES],
    }


def draw_chart(chapter: Chapter, *, dated: datetime) -> bytes:
    """Return the chart of a chapter as a PNG picture; *dated* is the time stamp that Typst writes."""
    return typst.render_png(CHART_PAGE, {"chart": build_chart_data(chapter)}, dated=dated)


def _build_bar(name: str, counts: DutyCounts) -> ChartData:
    segments = [{"name": status.value, "count": getattr(counts, status.value)} for status in EXPECTED_STATUSES]
    return {"name": name, "expected": counts.expected, "segments": segments}
