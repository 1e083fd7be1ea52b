"""Rules for the agencies above others: unknown ones, overlaps, circles, and offices that end before those below them.

`parent` is an id, or a list of ids with half-open dates.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby

from schemas.lint import date_intervals, id_checks
from schemas.lint.date_intervals import Interval
from schemas.lint.diagnostics import DocumentPath, Finding
from schemas.lint.document_tree import Node
from schemas.plan.plan import PARENT

# The words of plan files for the agency above and the agency itself.
RESERVED_IDS = frozenset({PARENT, "self"})


def check_parents(agencies: Sequence[Node]) -> Iterator[Finding]:
    """Yield every problem of the parents of *agencies*."""
    by_id = {one["id"].text: one for one in agencies}
    for agency in agencies:
        if agency["id"].text in RESERVED_IDS:
            yield agency["id"].finding(f"{agency['id'].text!r} is a word of plan files; give the agency another id")
        spans = agency["parent"].each()
        yield from date_intervals.find_empty(spans)
        yield from date_intervals.find_overlaps(spans)
        for parent in list_parents(agency):
            yield from id_checks.find_unlisted(parent, by_id)
            yield from _find_early_end(agency, parent, by_id)
    yield from _find_circles(agencies)


def list_parents(agency: Node) -> tuple[Node, ...]:
    """Return the nodes that name an agency above *agency*: the single id, or the id of each span."""
    parent = agency["parent"]
    return (parent,) if parent.text else tuple(one["id"] for one in parent.each() if one["id"].text)


def span_of_parent(agency: Node, parent: Node) -> Interval | None:
    """Return the dates on which *parent*, one of `list_parents`, stands above *agency* by its entry alone."""
    if parent.path == agency["parent"].path:
        return Interval(node=parent, from_=date.min, to=date.max)
    position = parent.path[-2]
    return date_intervals.parse_interval(agency["parent"].each()[position]) if isinstance(position, int) else None


def _find_early_end(agency: Node, parent: Node, by_id: Mapping[str, Node]) -> Iterator[Finding]:
    """Yield a warning where the parent ends while the agency below goes on: nobody is told for it from then on."""
    above, span = by_id.get(parent.text), span_of_parent(agency, parent)
    if above is None or span is None:
        return
    validity, own = date_intervals.parse_interval(above["valid"]), date_intervals.parse_interval(agency["valid"])
    if validity is None or own is None:
        return
    if validity.to < min(span.to, own.to):
        yield parent.warning(
            f"{parent.text!r} ends on {validity.to} and {agency['id'].text!r} goes on; "
            "list its parents with dates: parent: [{id: …, from: …, to: …}]"
        )


def _find_circles(agencies: Sequence[Node]) -> Iterator[Finding]:
    """Yield each parent by which an agency would be under itself on some day, once.

    A circle closes on a day on which an entry of one of its agencies begins, so only these are walked upwards from.
    """
    entries = [
        (span, agency["id"].text, parent)
        for agency in agencies
        for parent in list_parents(agency)
        if (span := span_of_parent(agency, parent)) is not None
    ]
    current: dict[str, tuple[Interval, Node]] = {}
    named: set[DocumentPath] = set()
    for day, begun in groupby(sorted(entries, key=lambda one: one[0].from_), key=lambda one: one[0].from_):
        starts = []
        for span, agency, parent in begun:
            current[agency] = span, parent
            starts.append(agency)
        for agency, circle in _walk_upwards(starts, current, day):
            if circle.path not in named:
                named.add(circle.path)
                yield circle.finding(f"{circle.text!r} is under {agency!r} itself; a parent stands above")


def _walk_upwards(
    starts: Sequence[str], current: Mapping[str, tuple[Interval, Node]], day: date
) -> Iterator[tuple[str, Node]]:
    """Yield each agency whose parent on *day* stands below it, and that parent."""
    # Every agency has one parent at most, so a walk upwards ends at a root, at an agency that was walked before, or in
    # a circle. `cleared` holds the walked ones, so that each circle is reported once.
    cleared: set[str] = set()
    for start in starts:
        walked: set[str] = set()
        agency = start
        while agency in current and agency not in cleared and day < current[agency][0].to:
            walked.add(agency)
            parent = current[agency][1]
            if parent.text in walked:
                yield agency, parent
                break
            agency = parent.text
        cleared |= walked
