"""Checks of a plan that need the calendar and the expression engine of rules, made before the plan is ever adopted.

Faults of structure and of references are found by `schemas.lint`.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta

from pydantic import ValidationError

from schemas.cel import compiler, syntax
from schemas.cel.compiler import Scope
from schemas.cel.costs import SMALL
from schemas.cel.syntax import InvalidExpression
from schemas.lint.diagnostics import Finding
from schemas.lint.document_tree import Node
from schemas.plan import calendar, periods, values
from schemas.plan.grading import GRADING_VARIABLES
from schemas.plan.periods import Period, Recurrence
from schemas.plan.plan import ObligationVersion, Plan
from schemas.plan.registry import Registry, WorkingDays
from services.notifier.core.rendering.officers import OfficerBook
from services.rules.core import conditions
from services.runtime.kafka import document_parts
from services.runtime.kafka.document_parts import DOCUMENT_BYTES_MAX

_DAY = timedelta(days=1)


def check_plan(plan: Node) -> Iterator[Finding]:
    """Yield the faults of *plan*; parts that cannot be read are skipped, for `schemas.lint` names them."""
    for rule in plan["grading"].each():
        yield from _check_grade(rule["when"])
    for obligation in plan["obligations"].each():
        for version in obligation["versions"].each():
            for check in version["requires"]["checks"].each():
                yield from _check_condition(check["cel"])
            yield from _check_timing(version)


def check_officer(plan: Node, officers: OfficerBook) -> Iterator[Finding]:
    """Yield a warning if letters are sent about *plan* and *officers* names nobody who can be called about it."""
    versions = (version for obligation in plan["obligations"].each() for version in obligation["versions"].each())
    if not any(version["reminders"].value for version in versions):
        return
    officer = officers.get(plan["plan"].text)
    if officer is None:
        yield plan["plan"].warning("the file of officers has nobody for this plan: letters name nobody to ask")
    elif not officer.phone:
        yield plan["plan"].warning(
            "the officer of this plan has no telephone: letters name nobody to call; add its `phone` to that file"
        )


def check_size(document: Node, model: Plan | Registry) -> Iterator[Finding]:
    """Yield a fault if *model*, which *document* reads as, is too large to be published."""
    size = len(document_parts.encode_document(model))
    if size > DOCUMENT_BYTES_MAX:
        yield document.finding(
            f"published, it would have {size:,} bytes, and {DOCUMENT_BYTES_MAX:,} is the most: shorten names and texts "
            "in it, or divide the registry among several plans"
        )


def _check_condition(cel: Node) -> Iterator[Finding]:
    if not cel.text.strip():
        return
    try:
        condition = conditions.compile_condition(cel.text)
    except InvalidExpression as cause:
        yield cel.finding(f"not a condition, at {cause}")
        return
    for name in sorted(condition.unknown):
        yield cel.warning(
            f"nothing in a submission is called {name!r}; there are {', '.join(sorted(conditions.VARIABLES))}"
        )


def _check_grade(when: Node) -> Iterator[Finding]:
    if not when.text.strip():
        return
    scope = Scope({name: (name, SMALL) for name in GRADING_VARIABLES}, set())
    try:
        compiler.compile_node(syntax.parse(when.text), scope)
    except InvalidExpression as cause:
        yield when.finding(f"not a condition, at {cause}")
        return
    for name in sorted(scope.unbound):
        yield when.finding(
            f"nothing that is graded is called {name!r}; there are {', '.join(sorted(GRADING_VARIABLES))}"
        )


def _check_timing(node: Node) -> Iterator[Finding]:
    try:
        version = ObligationVersion.model_validate(node.value)
    except ValidationError:
        return
    sample = list(_sample_periods(version))
    yield from _take_first(_check_window(node, version, period) for period in sample)
    due = version.due
    if due is None or (due.date is not None and version.recurrence.is_periodic):
        return
    working_days = WorkingDays()
    last_days = [(one, calendar.resolve_last_good_day(version, due, one, working_days)) for one in sample]
    yield from _take_first(
        [*_check_cut_off(node, version, period, last), *_check_reminders(node, version, period, last)]
        for period, last in last_days
    )
    yield from _take_first(
        _check_opening(node, period, calendar.resolve_last_good_day(version, due, period, working_days))
        for period in _list_first_periods(version)
    )


def _take_first(findings: Iterable[list[Finding]]) -> list[Finding]:
    """Return the findings of the first sample period that has any; the same ones would recur in every period."""
    return next((found for found in findings if found), [])


def _sample_periods(version: ObligationVersion) -> Iterator[Period | None]:
    """Yield every period of the first whole year; a one-off duty has no period, which is None."""
    year = periods.first_ending_after(version.from_, Recurrence.YEAR)
    if version.recurrence.is_periodic:
        inner = periods.within(periods.following(year), version.recurrence)
        yield from (period for period in inner if version.asks_for(period))
    elif version.recurrence is Recurrence.ONCE:
        yield None


def _list_first_periods(version: ObligationVersion) -> Iterator[Period]:
    """Yield the periods of the year in which the version begins, from then on, and of the next year."""
    if not version.recurrence.is_periodic:
        return
    year = periods.first_ending_after(version.from_, Recurrence.YEAR)
    for one in (year, periods.following(year)):
        inner = periods.within(one, version.recurrence)
        yield from (period for period in inner if version.from_ <= period.starts_on and version.asks_for(period))


def _check_opening(node: Node, period: Period, last: date) -> list[Finding]:
    """Return that nobody owes *period* if its *last* good day lies before it, where a weekend rule may move it."""
    if last >= period.starts_on:
        return []
    words = f"{period} is due by the end of {last}, before it opens on {period.starts_on}: nobody owes it"
    return [node["due"].warning(words)]


def _check_window(node: Node, version: ObligationVersion, period: Period | None) -> list[Finding]:
    window = calendar.find_window(version, period)
    if window is None or window.starts_on <= window.ends_on:
        return []
    words = f"the figures of {period} would cover {window.starts_on} to {window.ends_on}, which ends before it begins"
    return [node["window"].finding(words)]


def _check_cut_off(node: Node, version: ObligationVersion, period: Period | None, last: date) -> Iterator[Finding]:
    if version.cut_off is None and version.window is None:
        return
    cut_off = calendar.find_cut_off(version, period)
    if last < cut_off:
        words = f"{period or 'it'} is due by the end of {last}, before the cut-off of its figures on {cut_off}"
        yield node["due"].warning(words)


def _check_reminders(node: Node, version: ObligationVersion, period: Period | None, last: date) -> Iterator[Finding]:
    due_at = datetime.combine(last + _DAY, time())
    opens_on = period.starts_on if period else version.from_
    for step in node["reminders"]["before"].each():
        if values.shift(due_at, step.text, back=True).date() < opens_on:
            yield step.warning(
                f"{step.text} before the due date lies before {period or 'the duty'} opens, on {opens_on}"
            )
