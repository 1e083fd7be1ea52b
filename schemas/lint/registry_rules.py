"""Rules for a registry beyond the types of its values.

They find duplicate ids, gaps between names, unlisted groups, and days that are holiday and working day at once.
"""

from collections.abc import Iterator

from schemas.lint import date_intervals, id_checks, succession_rules
from schemas.lint.diagnostics import Finding, Severity
from schemas.lint.document_tree import Node
from schemas.lint.hierarchy import parent_rules
from schemas.text import comparison


def check_registry(registry: Node) -> Iterator[Finding]:
    """Yield every problem of *registry*."""
    groups, agencies = registry["groups"].each(), registry["agencies"].each()
    aliases = [alias for agency in agencies for alias in agency["aliases"].each()]
    yield from id_checks.find_duplicates((*(one["id"] for one in (*groups, *agencies)), *aliases))
    yield from _find_confusable(agencies)
    for agency in agencies:
        yield from _check_names(agency)
        yield from _check_memberships(agency, groups)
    yield from parent_rules.check_parents(agencies)
    yield from succession_rules.check_successions(registry["successions"].each(), agencies)
    yield from _check_calendar(registry)


def _find_confusable(agencies: tuple[Node, ...]) -> Iterator[Finding]:
    """Yield a warning for each id or alias that reads like that of another agency: only its exact spelling is found."""
    first: dict[str, tuple[Node, Node]] = {}
    for agency in agencies:
        for name in (agency["id"], *agency["aliases"].each()):
            other, named = first.setdefault(comparison.make_name_key(name.text), (agency, name))
            if name.text and other is not agency and named.text != name.text:
                yield name.warning(
                    f"reads like {named.text!r} of {other['id'].text}; only this exact spelling is found"
                )


def _check_names(agency: Node) -> Iterator[Finding]:
    names = agency["names"].each()
    yield from date_intervals.find_empty([agency["valid"]])
    yield from date_intervals.find_empty(names)
    yield from date_intervals.find_overlaps(names)
    yield from date_intervals.find_gaps(names)
    yield from _find_nameless_ends(agency["valid"], names)
    for key in ("brief", "sms"):
        yield from date_intervals.find_empty(agency[key].each())
        yield from date_intervals.find_overlaps(agency[key].each())


def _find_nameless_ends(valid: Node, names: tuple[Node, ...]) -> Iterator[Finding]:
    """Yield a warning if no name covers the beginning or the end of the agency's validity."""
    borne = [span for span in map(date_intervals.parse_interval, names) if span is not None]
    validity = date_intervals.parse_interval(valid)
    if validity is None or not borne or len(borne) < len(names):
        return
    first, last = min(borne, key=lambda one: one.from_), max(borne, key=lambda one: one.to)
    if validity.from_ < first.from_:
        yield first.node["from"].warning(f"leaves a hole: the agency is valid from {_format_day(valid['from'])}")
    if last.to < validity.to:
        yield last.node["to"].warning(f"leaves a hole: the agency is valid to {_format_day(valid['to'])}")


def _format_day(day: Node) -> str:
    return str(day.day) if day.day else "no stated day"


def _check_memberships(agency: Node, groups: tuple[Node, ...]) -> Iterator[Finding]:
    """Yield the problems of an agency's memberships. If the registry lists no groups, any group id is accepted."""
    memberships = agency["groups"].each()
    listed = {one["id"].text for one in groups}
    yield from date_intervals.find_empty(memberships)
    for group in dict.fromkeys(one["id"].text for one in memberships):
        yield from date_intervals.find_overlaps([one for one in memberships if one["id"].text == group])
    validity = date_intervals.parse_interval(agency["valid"])
    for membership in memberships:
        if groups:
            yield from id_checks.find_unknown(membership["id"], listed, "group")
        span = date_intervals.parse_interval(membership)
        if span and validity and (span.to <= validity.from_ or validity.to <= span.from_):
            yield membership.warning("lies outside the dates on which the agency is valid")


def _check_calendar(registry: Node) -> Iterator[Finding]:
    off = [one["date"] for one in registry["holidays"].each()]
    on = [one["date"] if one["date"].is_given else one for one in registry["working_days"].each()]
    yield from id_checks.find_duplicates(off, Severity.WARNING)
    yield from id_checks.find_duplicates(on, Severity.WARNING)
    holidays = {one.text for one in off}
    for day in on:
        if day.text and day.text in holidays:
            yield day.finding(f"{day.text} is a holiday too; a day is one or the other")
