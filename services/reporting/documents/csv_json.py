"""The report for programs: CSV of the agencies, JSON of everything.

Names are stable English; values are ISO 8601 and plain numbers.
"""

import csv
import io
import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.reporting.core import views
from services.reporting.core.annual_report import AnnualReport
from services.reporting.core.lines import DutyLine

BYTE_ORDER_MARK = "\ufeff"  # without it a spreadsheet program reads the accents wrongly
FIELDS = (
    "agency", "agency_name", "group", "group_name", "obligation", "title", "clause", "period", "due_at", "due_on",
    "status", "effective_at", "days_late", "submissions", "flags", "missing", "reminders", "urgings",
    "about_incomplete", "escalations", "last_urged_at", "answered_at",
)  # fmt: skip


def csv_bytes(report: AnnualReport) -> bytes:
    """Return one line a duty, UTF-8 with a byte order mark; lists are parted by semicolons."""
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(FIELDS)
    zone = ZoneInfo(report.plan.zone)
    for chapter in report.chapters:
        writer.writerows(_record(line, zone) for line in chapter.lines)
    return (BYTE_ORDER_MARK + written.getvalue()).encode()


def json_bytes(report: AnnualReport) -> bytes:
    """Return the whole report, figures and lines."""
    return json.dumps(views.whole(report), ensure_ascii=False, indent=1).encode()


def _record(line: DutyLine, zone: ZoneInfo) -> list[str | int | None]:
    shown = views.duty(line) | views.urging(line.urging)
    return [_cell(name, shown.get(name), zone) for name in FIELDS]


def _cell(name: str, value: Any, zone: ZoneInfo) -> str | int | None:  # noqa: ANN401 - any JSON value
    if isinstance(value, list):
        return ";".join(value)
    if name.endswith("_at") and isinstance(value, str):
        return datetime.fromisoformat(value).astimezone(zone).isoformat()
    return _harmless(value) if isinstance(value, str) else value


def _harmless(text: str) -> str:
    """Keep a spreadsheet program from taking a text for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
