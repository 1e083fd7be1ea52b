"""The report for programs: CSV of the duties, JSON of everything.

Field names are stable English; values are ISO 8601 and plain numbers.
"""

import csv
import io
import json
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from schemas.plan import figures as exact
from schemas.text import normal_form
from services.reporting.core import json_views
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.report import json_document
from services.reporting.core.report.inputs import PeriodResults, ReportInputs
from services.reporting.core.results import AgencyFigure
from services.reporting.core.timeline import UnreadableRecord

GivenFigures = dict[tuple[str, str | None, str], dict[str, AgencyFigure]]

CUT_OFF = "figures_as_of"
BYTE_ORDER_MARK = "\ufeff"  # without it a spreadsheet program takes UTF-8 for its local encoding and garbles accents
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
FIELDS = (
    "agency", "agency_name", "group", "group_name", "obligation", "title", "clause", "period", "due_at", "due_on",
    "status", "effective_at", "days_late", "submissions", "flags", "missing", "reminders", "urgings",
    "about_incomplete", "escalations", "last_urged_at", "answered_at",
)  # fmt: skip


def render_csv(inputs: ReportInputs) -> bytes:
    """Render one line a duty, in UTF-8 with a byte order mark; lists are separated by semicolons.

    The last columns are the day as of which the figures are, and the indicators by code. A stored record that cannot be
    read is a line with the status `unreadable`, so that nobody takes the rest for all.
    """
    report = inputs.report
    given = _list_given(inputs.results)
    codes = list(dict.fromkeys(code for figures in given.values() for code in figures))
    buffer = io.StringIO(newline="")
    # RFC 4180: lines end in CRLF.
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow((*FIELDS, CUT_OFF, *codes))
    zone = ZoneInfo(report.plan.zone)
    for chapter in report.chapters:
        writer.writerows(render_record(line, zone) + _render_figures(line, given, codes) for line in chapter.lines)
    blank: list[str | None] = [None] * (1 + len(codes))
    writer.writerows(render_unreadable(one) + blank for one in report.unreadable)
    return (BYTE_ORDER_MARK + buffer.getvalue()).encode()


def render_json(inputs: ReportInputs, language: str = "vi") -> bytes:
    """Render the whole report, figures and lines, with the titles in *language*."""
    return json.dumps(json_document.build_json_document(inputs, language), ensure_ascii=False, indent=1).encode(
        "utf-8", "backslashreplace"
    )


def _list_given(results: Iterable[PeriodResults]) -> GivenFigures:
    """Return the figures of every duty by obligation, period and agency, then by code."""
    given: GivenFigures = {}
    for one in results:
        for result in one.results.indicators:
            for figure in result.figures:
                of_duty = given.setdefault((one.results.obligation, one.period, figure.agency), {})
                of_duty[result.indicator.code] = figure
    return given


def _render_figures(line: DutyLine, given: GivenFigures, codes: Iterable[str]) -> list[str | int | None]:
    of_duty = given.get((line.key.obligation, line.key.period, line.key.agency), {})
    cut_off = next((one.cut_off for one in of_duty.values()), None)
    values = (of_duty.get(code) for code in codes)
    written = [exact.write_plainly(one.value) if one and one.value is not None else None for one in values]
    return [cut_off.isoformat() if cut_off else None, *written]


def render_record(line: DutyLine, zone: ZoneInfo) -> list[str | int | None]:
    """Return the values of `FIELDS` of one duty, with instants in *zone*."""
    values = json_views.render_duty(line) | json_views.render_urging(line.urging)
    return [_render_cell(name, values.get(name), zone) for name in FIELDS]


def render_unreadable(record: UnreadableRecord) -> list[str | None]:
    """Return the values of `FIELDS` that stand for a stored record that cannot be read."""
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
    seen = normal_form.drop_unseen(text)
    # CSV injection, CWE-1236: these are the characters by which a program recognises a formula, at the beginning or
    # behind spaces that it ignores. Of the full-width ones (U+FF1D and its like) some programs make these.
    first = unicodedata.normalize("NFKC", seen.lstrip(" \n")[:1])
    return f"'{seen}" if first in _FORMULA_SIGNS else seen
