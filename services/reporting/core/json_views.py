"""Render duties, figures and reports as JSON values: one shape for the HTTP API, the JSON report and the audit.

Instants are RFC 3339 texts, dates are ISO 8601 texts, and the field names are part of the API's contract.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from services.reporting.core import annual_report
from services.reporting.core.annual_report import AnnualReport, Chapter, UndatedObligation
from services.reporting.core.duty_counts import DutyCounts
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.timeline import UnreadableRecord
from services.reporting.core.urging import Urging

RATE_PLACES = Decimal("0.0001")

JsonObject = dict[str, Any]


def render_duty(line: DutyLine) -> JsonObject:
    """Render one duty with its status, its figures and the alerts about it."""
    return {
        "plan": line.key.plan,
        "agency": line.key.agency,
        "agency_name": line.agency_name,
        "group": line.group,
        "group_name": line.group_name,
        "obligation": line.key.obligation,
        "title": line.title,
        "clause": line.clause,
        "period": line.key.period,
        "due_at": render_instant(line.due_at),
        "due_on": line.due_on.isoformat() if line.due_on else None,
        "status": line.status.value,
        "effective_at": render_instant(line.effective_at),
        "days_late": line.days_late,
        "submissions": line.submissions,
        "flags": list(line.flags),
        "missing": list(line.missing),
        "urging": render_urging(line.urging),
        "assessment": line.event,
        "revision": line.revision,
    }


def render_summary(report: AnnualReport) -> JsonObject:
    """Render the figures of a report, overall, by chapter and by group, without its lines."""
    return {
        "plan": report.plan.plan,
        "plan_version": report.plan.version,
        "period": report.period,
        "as_of": report.as_of.isoformat(),
        "known_at": report.known_at.isoformat(),
        "digest": report.digest,
        "total": render_counts(report.total),
        "chapters": [render_chapter(chapter) for chapter in report.chapters],
        "undated": [render_undated(obligation) for obligation in report.undated],
        "unreadable": render_unreadable(report.unreadable),
    }


def render_report(report: AnnualReport) -> JsonObject:
    """Render the figures of a report with every line of every chapter."""
    view = render_summary(report)
    for chapter_view, chapter in zip(view["chapters"], report.chapters, strict=True):
        chapter_view["duties"] = [render_duty(line) for line in chapter.lines]
    return view


def render_chapter(chapter: Chapter) -> JsonObject:
    """Render the figures of one obligation."""
    return {
        "obligation": chapter.obligation.id,
        "title": chapter.title,
        "clause": chapter.obligation.citation.clause,
        "period": chapter.period,
        "due_at": render_instant(chapter.due_at),
        "total": render_counts(chapter.total),
        "groups": [
            {"group": group.group, "name": group.name, **render_counts(group.counts)} for group in chapter.groups
        ],
    }


def render_counts_by_status(report: AnnualReport) -> JsonObject:
    """Render how many duties have which status, and nothing else: what may be public."""
    return {
        "plan": report.plan.plan,
        "period": report.period,
        "as_of": report.as_of.isoformat(),
        "known_at": report.known_at.isoformat(),
        "total": {status.value: count for status, count in annual_report.count_by_status(report).items()},
    }


def render_undated(obligation: UndatedObligation) -> JsonObject:
    """Render the figures of an obligation without a due date."""
    return {
        "title": obligation.title,
        "clause": obligation.clause,
        "period": obligation.period,
        "fulfilled": obligation.fulfilled,
        "open": obligation.open,
    }


def render_unreadable(records: Iterable[UnreadableRecord]) -> list[JsonObject]:
    """Render the stored records that cannot be read."""
    return [{"record": one.id, "reason": one.reason} for one in records]


def render_urging(urging: Urging) -> JsonObject:
    """Render how often and by which channels an agency was alerted about a duty."""
    return {
        "reminders": urging.reminders,
        "urgings": urging.urgings,
        "about_incomplete": urging.about_incomplete,
        "escalations": urging.escalations,
        "channels": {channel.value: count for channel, count in urging.by_channel},
        "accepted": urging.accepted,
        "confirmed": urging.confirmed,
        "bounced": urging.bounced,
        "unsent": urging.unsent,
        "unknown": urging.unknown,
        "first_urged_at": render_instant(urging.first_at),
        "last_urged_at": render_instant(urging.last_at),
        "answered_at": render_instant(urging.answered_at),
    }


def render_counts(counts: DutyCounts) -> JsonObject:
    """Render every count, and the rates as numbers between 0 and 1 with four places."""
    return {
        "expected_reports": counts.expected,
        "actual_reports": counts.actual,
        "reporting_rate": _render_rate(counts.reporting_rate),
        "reporting_rate_on_time": _render_rate(counts.reporting_rate_on_time),
        "on_time": counts.on_time,
        "late": counts.late,
        "incomplete": counts.incomplete,
        "overdue": counts.overdue,
        "pending": counts.pending,
        "exempt": counts.exempt,
        "superseded": counts.superseded,
        "ended_no_successor": counts.ended_no_successor,
        "open": counts.open,
        "fulfilled": counts.fulfilled,
        "nil_returns": counts.nil_returns,
        "under_extension": counts.under_extension,
    }


def _render_rate(value: Decimal | None) -> float | None:
    return None if value is None else float(value.quantize(RATE_PLACES))


def render_instant(instant: datetime | None) -> str | None:
    """Render an instant as RFC 3339 text, in the offset that it has."""
    return instant.isoformat() if instant else None
