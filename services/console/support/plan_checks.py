"""Checks of a plan that need the calendar and the expression engine of rules, made before the plan is ever adopted.

Faults of structure and of references are found by `schemas.lint`.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from pydantic import ValidationError

from schemas.lint.diagnostics import Finding
from schemas.lint.document_tree import Node
from schemas.plan import durations, periods
from schemas.plan.periods import Period, Recurrence
from schemas.plan.plan import DueRule, ObligationVersion
from services.rules.core import calendar, conditions

# The engine lists the namespaces of its functions among the variables of an expression.
_NAMESPACES = frozenset({"base64", "cel", "lists", "math", "optional", "sets", "strings"})

# The variable that a macro of CEL binds, such as `x` in `list.all(x, x > 0)`: it is no field of a submission.
_BOUND_BY_MACRO = re.compile(r"\.\s*(?:all|exists|exists_one|filter|map)\s*\(\s*([A-Za-z_]\w*)\s*,")
_PLACE = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")
_MAX_MESSAGE_CHARS = 120  # the engine's message goes on to list its whole grammar
_DAY = timedelta(days=1)


def check_plan(plan: Node) -> Iterator[Finding]:
    """Yield the faults of *plan*; parts that cannot be read are skipped, for `schemas.lint` names them."""
    for obligation in plan["obligations"].each():
        for version in obligation["versions"].each():
            for check in version["requires"]["checks"].each():
                yield from _check_condition(check["cel"])
            yield from _check_timing(version)


def _check_condition(cel: Node) -> Iterator[Finding]:
    if not cel.text.strip():
        return
    try:
        program = conditions.compile_expression(cel.text)
    except conditions.InvalidCondition as cause:
        yield cel.finding(_shorten_error(str(cause)))
        return
    bound = set(_BOUND_BY_MACRO.findall(cel.text))
    for name in sorted(set(program.variables()) - conditions.VARIABLES.keys() - _NAMESPACES - bound):
        yield cel.warning(
            f"nothing in a submission is called {name!r}; there are {', '.join(sorted(conditions.VARIABLES))}"
        )


def _shorten_error(refusal: str) -> str:
    place = _PLACE.search(refusal)
    if place is None:
        return f"not CEL: {refusal[:_MAX_MESSAGE_CHARS]}"
    return f"not CEL at {place[1]}:{place[2]}: {place[3].split(' expecting ')[0][:_MAX_MESSAGE_CHARS]}"


def _check_timing(node: Node) -> Iterator[Finding]:
    try:
        version = ObligationVersion.model_validate(node.value)
    except ValidationError:
        return
    if version.due is None or (version.due.date is not None and version.recurrence.is_periodic):
        return
    yield from _check_first_faulty_period(node, version, version.due)


def _check_first_faulty_period(node: Node, version: ObligationVersion, due: DueRule) -> Iterator[Finding]:
    """Yield the findings of the first sample period that has any; the same finding would recur in every period."""
    for period in _sample_periods(version):
        found = [
            *_check_cut_off(node, version, due, period),
            *_check_reminders(node, version, due, period),
        ]
        if found:
            yield from found
            return


def _sample_periods(version: ObligationVersion) -> Iterator[Period | None]:
    """Yield every period of the first whole year; a one-off duty has no period, which is None."""
    year = periods.containing(version.from_, Recurrence.YEAR)
    if version.recurrence.is_periodic:
        yield from periods.within(periods.following(year), version.recurrence)
    elif version.recurrence is Recurrence.ONCE:
        yield None


def _check_cut_off(node: Node, version: ObligationVersion, due: DueRule, period: Period | None) -> Iterator[Finding]:
    if version.cut_off is None:
        return
    last = _last_timely_day(version, due, period)
    cut_off = calendar.resolve_anchor(version.cut_off, period, version.from_)
    if last < cut_off:
        words = f"{period or 'it'} is due by the end of {last}, before the cut-off of its figures on {cut_off}"
        yield node["due"].warning(words)


def _check_reminders(node: Node, version: ObligationVersion, due: DueRule, period: Period | None) -> Iterator[Finding]:
    due_at = datetime.combine(_last_timely_day(version, due, period) + _DAY, time())
    opens_on = period.starts_on if period else version.from_
    for step in node["reminders"]["before"].each():
        if durations.shift(due_at, step.text, back=True).date() < opens_on:
            yield step.warning(
                f"{step.text} before the due date lies before {period or 'the duty'} opens, on {opens_on}"
            )


def _last_timely_day(version: ObligationVersion, due: DueRule, period: Period | None) -> date:
    day = calendar.resolve_anchor(due, period, version.from_)
    return day if due.boundary == "inclusive" else day - _DAY
