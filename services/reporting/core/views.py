"""How a duty and its figures are written for programs: one shape for HTTP, the JSON report and the audit."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from services.reporting.core.annual_report import AnnualReport, Chapter, UndatedScore
from services.reporting.core.lines import DutyLine
from services.reporting.core.scorecard import Scorecard
from services.reporting.core.urging import Urging

RATE_PLACES = Decimal("0.0001")

View = dict[str, Any]


def duty(line: DutyLine) -> View:
    """Return one duty with its status, its figures and what was said about it."""
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
        "due_at": _written(line.due_at),
        "due_on": line.due_on.isoformat() if line.due_on else None,
        "status": line.status.value,
        "effective_at": _written(line.effective_at),
        "days_late": line.days_late,
        "submissions": line.submissions,
        "flags": list(line.flags),
        "missing": list(line.missing),
        "urging": urging(line.urging),
        "assessment": line.event,
        "revision": line.revision,
    }


def summary(report: AnnualReport) -> View:
    """Return the figures of a report, overall, by chapter and by group; without its lines."""
    return {
        "plan": report.plan.plan,
        "plan_version": report.plan.version,
        "period": report.period,
        "as_of": report.as_of.isoformat(),
        "known_at": report.known_at.isoformat(),
        "digest": report.digest,
        "total": scores(report.total),
        "chapters": [chapter(one) for one in report.chapters],
        "undated": [undated(one) for one in report.undated],
    }


def whole(report: AnnualReport) -> View:
    """Return the figures of a report with every line of every chapter."""
    view = summary(report)
    for shown, told in zip(view["chapters"], report.chapters, strict=True):
        shown["duties"] = [duty(line) for line in told.lines]
    return view


def chapter(one: Chapter) -> View:
    """Return the figures of one obligation."""
    return {
        "obligation": one.obligation.id,
        "title": one.title,
        "clause": one.obligation.citation.clause,
        "period": one.period,
        "due_at": _written(one.due_at),
        "total": scores(one.total),
        "groups": [{"group": group.group, "name": group.name, **scores(group.scores)} for group in one.groups],
    }


def undated(one: UndatedScore) -> View:
    """Return the figures of an obligation without a date."""
    return {
        "title": one.title,
        "clause": one.clause,
        "period": one.period,
        "fulfilled": one.fulfilled,
        "open": one.open,
    }


def urging(told: Urging) -> View:
    """Return how often and by what channel an agency was spoken to."""
    return {
        "reminders": told.reminders,
        "urgings": told.urgings,
        "about_incomplete": told.about_incomplete,
        "escalations": told.escalations,
        "channels": {channel.value: count for channel, count in told.by_channel},
        "unsent": told.unsent,
        "unknown": told.unknown,
        "first_urged_at": _written(told.first_at),
        "last_urged_at": _written(told.last_at),
        "answered_at": _written(told.answered_at),
    }


def scores(card: Scorecard) -> View:
    """Return every count, and the rates as numbers between 0 and 1 with four places."""
    return {
        "expected_reports": card.expected,
        "actual_reports": card.actual,
        "reporting_rate": _rate(card.reporting_rate),
        "reporting_rate_on_time": _rate(card.reporting_rate_on_time),
        "on_time": card.on_time,
        "late": card.late,
        "incomplete": card.incomplete,
        "overdue": card.overdue,
        "pending": card.pending,
        "exempt": card.exempt,
        "superseded": card.superseded,
        "ended_no_successor": card.ended_no_successor,
        "open": card.open,
        "fulfilled": card.fulfilled,
        "nil_returns": card.nil_returns,
        "under_extension": card.under_extension,
    }


def _rate(value: Decimal | None) -> float | None:
    return None if value is None else float(value.quantize(RATE_PLACES))


def _written(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None
