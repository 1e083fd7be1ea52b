"""The chart's figures: one bar a group, parted by status. How it is drawn stands in `chart.typ`, once."""

from typing import Any

from schemas.events.assessments import Status
from services.reporting.core import wording
from services.reporting.core.annual_report import Chapter
from services.reporting.core.scorecard import Scorecard

SHOWN = (Status.ON_TIME, Status.LATE, Status.INCOMPLETE, Status.OVERDUE, Status.PENDING)
"""The statuses that make up the denominator, in the order of the bars."""

Chart = dict[str, Any]


def chart_of(chapter: Chapter) -> Chart:
    """Return what `chart.typ` draws for a chapter: groups, and the total where there is more than one."""
    bars = [_bar(group.name, group.scores) for group in chapter.groups if group.scores.expected]
    if len(bars) > 1:
        bars.append(_bar("Tổng cộng", chapter.total))
    return {
        "title": "Tình hình gửi kết quả theo nhóm đơn vị",
        "bars": bars,
        "legend": [{"name": status.value, "title": wording.status(status)} for status in SHOWN],
    }


def _bar(name: str, scores: Scorecard) -> Chart:
    segments = [{"name": status.value, "count": getattr(scores, status.value)} for status in SHOWN]
    return {"name": name, "expected": scores.expected, "segments": segments}
