"""Which duties of an agency come first on its page: of each dated obligation the one that is running.

A season stays first until the next begins to remind. So in January the duty of December is still the one to look at.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from schemas.plan import values
from schemas.plan.plan import Obligation, Plan
from services.reporting.core.duty_lines import DutyLine

# Where an obligation reminds nobody, its next duty comes first as long before it is due.
_USUAL_NOTICE = timedelta(days=30)


def select_current(lines: Iterable[DutyLine], plan: Plan, as_of: datetime) -> tuple[DutyLine, ...]:
    """Return of each dated obligation the duty that is running at *as_of*, in the plan's order."""
    by_obligation: dict[str, list[DutyLine]] = {}
    for line in lines:
        if line.due_at is not None:
            by_obligation.setdefault(line.key.obligation, []).append(line)
    chosen = (
        _choose(by_obligation[one.id], _longest_notice(one), as_of)
        for one in plan.obligations
        if one.id in by_obligation
    )
    return tuple(chosen)


def _choose(lines: list[DutyLine], notice: timedelta, as_of: datetime) -> DutyLine:
    ordered = sorted(lines, key=lambda line: (line.due_at or as_of, str(line.key)))
    begun = [line for line in ordered if line.due_at is not None and line.due_at - notice <= as_of]
    return begun[-1] if begun else ordered[0]


def _longest_notice(obligation: Obligation) -> timedelta:
    """Return how long before the due instant the first reminder goes out, by the latest settings."""
    before = obligation.versions[-1].reminders.before
    notices = [one for text in before if isinstance(one := values.parse_duration(text), timedelta)]
    return max(notices, default=_USUAL_NOTICE)
