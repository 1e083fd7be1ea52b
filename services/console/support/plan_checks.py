"""Faults of a plan that only the rules' own calendar and expression engine can tell, before the plan is ever adopted.

It refuses to know where the plan came from and which faults its shape already has.
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

_NAMESPACES = frozenset({"base64", "cel", "lists", "math", "optional", "sets", "strings"})
_BOUND_BY_MACRO = re.compile(r"\.\s*(?:all|exists|exists_one|filter|map)\s*\(\s*([A-Za-z_]\w*)\s*,")
_PLACE = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")
_LONGEST = 120  # characters of the engine's own words; it goes on to list its whole grammar
_DAY = timedelta(days=1)


def findings(plan: Node) -> Iterator[Finding]:
    """Yield the faults of *plan*, leaving out what cannot be read."""
    for obligation in plan["obligations"].each():
        for version in obligation["versions"].each():
            for check in version["requires"]["checks"].each():
                yield from _condition(check["cel"])
            yield from _timing(version)


def _condition(cel: Node) -> Iterator[Finding]:
    if not cel.text.strip():
        return
    try:
        program = conditions.compiled(cel.text)
    except conditions.ConditionInvalid as cause:
        yield cel.finding(_in_words(str(cause)))
        return
    bound = set(_BOUND_BY_MACRO.findall(cel.text))
    for name in sorted(set(program.variables()) - conditions.SHOWN.keys() - _NAMESPACES - bound):
        yield cel.warning(
            f"nothing in a submission is called {name!r}; there are {', '.join(sorted(conditions.SHOWN))}"
        )


def _in_words(refusal: str) -> str:
    place = _PLACE.search(refusal)
    if place is None:
        return f"not CEL: {refusal[:_LONGEST]}"
    return f"not CEL at {place[1]}:{place[2]}: {place[3].split(' expecting ')[0][:_LONGEST]}"


def _timing(node: Node) -> Iterator[Finding]:
    try:
        version = ObligationVersion.model_validate(node.value)
    except ValidationError:
        return
    if version.due is None or (version.due.date is not None and version.recurrence.is_periodic):
        return
    yield from _first_departure(node, version, version.due)


def _first_departure(node: Node, version: ObligationVersion, due: DueRule) -> Iterator[Finding]:
    for period in _samples(version):
        found = [
            *_before_figures(node, version, due, period),
            *_before_opening(node, version, due, period),
        ]
        if found:
            yield from found
            return


def _samples(version: ObligationVersion) -> Iterator[Period | None]:
    """Yield every period of the first whole year; a one-off duty has no period."""
    year = periods.containing(version.from_, Recurrence.YEAR)
    if version.recurrence.is_periodic:
        yield from periods.within(periods.following(year), version.recurrence)
    elif version.recurrence is Recurrence.ONCE:
        yield None


def _before_figures(node: Node, version: ObligationVersion, due: DueRule, period: Period | None) -> Iterator[Finding]:
    if version.cut_off is None:
        return
    last = _last_good_day(version, due, period)
    cut_off = calendar.anchored_day(version.cut_off, period, version.from_)
    if last < cut_off:
        words = f"{period or 'it'} is due by the end of {last}, before the cut-off of its figures on {cut_off}"
        yield node["due"].warning(words)


def _before_opening(node: Node, version: ObligationVersion, due: DueRule, period: Period | None) -> Iterator[Finding]:
    due_at = datetime.combine(_last_good_day(version, due, period) + _DAY, time())
    opens_on = period.starts_on if period else version.from_
    for step in node["reminders"]["before"].each():
        if durations.shift(due_at, step.text, back=True).date() < opens_on:
            yield step.warning(
                f"{step.text} before the due date lies before {period or 'the duty'} opens, on {opens_on}"
            )


def _last_good_day(version: ObligationVersion, due: DueRule, period: Period | None) -> date:
    day = calendar.anchored_day(due, period, version.from_)
    return day if due.boundary == "inclusive" else day - _DAY
