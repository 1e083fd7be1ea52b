"""Holds what the system says of each agency against what the story planted. Pure; it names every difference."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from services.console.demo.events import RESULTS
from services.console.demo.expected import Truth

Row = Mapping[str, Any]


def differences(truths: Iterable[Truth], rows: Iterable[Row], *, said_by: str) -> Iterator[str]:
    """Yield a sentence for each field in which the *rows* of the year's results depart from the *truths*."""
    found = {row["agency"]: row for row in rows if row["obligation"] == RESULTS}
    for truth in truths:
        row = found.pop(truth.agency, None)
        if row is None:
            yield f"{truth.agency}: {said_by} says nothing of it"
            continue
        for field, wanted in expected(truth).items():
            if (said := told(row)[field]) != wanted:
                yield f"{truth.agency}: {field} is {said!r} in {said_by}, the story planted {wanted!r}"
    for agency in found:
        yield f"{agency}: {said_by} names it, the story knows nothing of it"


def expected(truth: Truth) -> Row:
    """Return the *truth* field by field."""
    return {
        "status": truth.status.value,
        "due_at": truth.due_at,
        "effective_at": truth.effective_at,
        "days_late": truth.days_late,
        "submissions": truth.submissions,
        "flags": sorted(truth.flags),
        "missing": list(truth.missing),
        "reminders": truth.told.reminders,
        "urgings": truth.told.urgings,
        "about_incomplete": truth.told.about_incomplete,
        "escalations": truth.told.escalations,
    }


def told(row: Row) -> Row:
    """Return what a *row* of the API or of the report says, field by field."""
    urging = row["urging"]
    return {
        "status": row["status"],
        "due_at": _instant(row["due_at"]),
        "effective_at": _instant(row["effective_at"]),
        "days_late": row["days_late"],
        "submissions": row["submissions"],
        "flags": sorted(row["flags"]),
        "missing": row["missing"],
        "reminders": urging["reminders"],
        "urgings": urging["urgings"],
        "about_incomplete": urging["about_incomplete"],
        "escalations": urging["escalations"],
    }


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
