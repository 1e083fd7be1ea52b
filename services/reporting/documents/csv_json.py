"""The report for programs: CSV of the duties, JSON of everything.

Field names are stable English; values are ISO 8601 and plain numbers.
"""

import csv
import io
import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.reporting.core import json_views
from services.reporting.core.annual_report import AnnualReport
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.timeline import UnreadableRecord

BYTE_ORDER_MARK = "\ufeff"  # without it a spreadsheet program takes UTF-8 for its local encoding and garbles accents
FIELDS = (
    "agency", "agency_name", "group", "group_name", "obligation", "title", "clause", "period", "due_at", "due_on",
    "status", "effective_at", "days_late", "submissions", "flags", "missing", "reminders", "urgings",
    "about_incomplete", "escalations", "last_urged_at", "answered_at",
)  # fmt: skip


def render_csv(report: AnnualReport) -> bytes:
    """Render one line a duty, in UTF-8 with a byte order mark; lists are separated by semicolons.

    A stored record that cannot be read is a line with the status `unreadable`, so that nobody takes the rest for all.
    """
    buffer = io.StringIO(newline="")
    # RFC 4180: lines end in CRLF.
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(FIELDS)
    zone = ZoneInfo(report.plan.zone)
    for chapter in report.chapters:
        writer.writerows(_render_record(line, zone) for line in chapter.lines)
    writer.writerows(_render_unreadable(one) for one in report.unreadable)
    return (BYTE_ORDER_MARK + buffer.getvalue()).encode()


def render_json(report: AnnualReport) -> bytes:
    """Render the whole report, figures and lines."""
    return json.dumps(json_views.render_report(report), ensure_ascii=False, indent=1).encode()


def _render_record(line: DutyLine, zone: ZoneInfo) -> list[str | int | None]:
    values = json_views.render_duty(line) | json_views.render_urging(line.urging)
    return [_render_cell(name, values.get(name), zone) for name in FIELDS]


def _render_unreadable(record: UnreadableRecord) -> list[str | None]:
    values = {"status": "unreadable", "missing": f"{record.id}: {record.reason}"}
    return [escape_formula(values[name]) if name in values else None for name in FIELDS]


def _render_cell(name: str, value: Any, zone: ZoneInfo) -> str | int | None:  # noqa: ANN401 - any JSON value
    if isinstance(value, list):
        return ";".join(value)
    if name.endswith("_at") and isinstance(value, str):
        return datetime.fromisoformat(value).astimezone(zone).isoformat()
    return escape_formula(value) if isinstance(value, str) else value


def escape_formula(text: str) -> str:
    """Return *text* so that no spreadsheet program takes it for a formula: `=1+1` becomes `'=1+1`."""
    # CSV injection, CWE-1236: these are the characters by which a program recognises a formula.
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
