"""Half-open intervals of local dates in a document: parse them, and find empty ones, gaps and overlaps."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from schemas.lint.diagnostics import Finding
from schemas.lint.document_tree import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """The interval that a node states with `from` and `to`; a side that is not given is unbounded."""

    node: Node
    from_: date
    to: date

    @property
    def is_empty(self) -> bool:
        return self.to <= self.from_

    @property
    def end_text(self) -> str:
        return "has no end" if self.to == date.max else f"runs to {self.to}"


def parse_interval(node: Node) -> Interval | None:
    """Return the interval of *node*, or None if one of its sides is given and is no date."""
    from_, to = node["from"], node["to"]
    if (from_.is_given and from_.day is None) or (to.is_given and to.day is None):
        return None
    return Interval(node=node, from_=from_.day or date.min, to=to.day or date.max)


def find_empty(nodes: Sequence[Node]) -> Iterator[Finding]:
    """Yield a finding for each interval that does not end after it begins."""
    for node in nodes:
        interval = parse_interval(node)
        if interval is not None and interval.is_empty:
            yield node["to"].finding(
                f"{interval.to} does not come after `from`, {interval.from_}; spans are half-open [from, to)"
            )


def find_overlaps(nodes: Sequence[Node]) -> Iterator[Finding]:
    """Yield a finding for each interval that begins before an earlier one has ended."""
    for earlier, later in _consecutive_pairs(nodes):
        if later.from_ < earlier.to:
            yield later.node["from"].finding(f"overlaps {_name(earlier.node)}, which {earlier.end_text}")


def find_gaps(nodes: Sequence[Node]) -> Iterator[Finding]:
    """Yield a finding for each interval that begins later than the one before it ends."""
    for earlier, later in _consecutive_pairs(nodes):
        if earlier.to < later.from_:
            message = f"leaves a hole from {earlier.to} to {later.from_} after {_name(earlier.node)}"
            yield later.node["from"].finding(message)


def _consecutive_pairs(nodes: Sequence[Node]) -> Iterator[tuple[Interval, Interval]]:
    """Yield each interval with the earlier one that ends last; nothing if any interval is unreadable or empty.

    A long interval may enclose several later ones, so the earlier one of a pair is the one that reaches furthest.
    """
    intervals = [parse_interval(node) for node in nodes]
    readable = sorted((one for one in intervals if one is not None and not one.is_empty), key=lambda one: one.from_)
    # A missing interval would make its neighbours look like a gap. The error that it has is reported elsewhere.
    if len(readable) < len(nodes):
        return
    furthest = readable[:1]
    for later in readable[1:]:
        yield furthest[-1], later
        furthest.append(max(furthest[-1], later, key=lambda one: one.to))


def _name(node: Node) -> str:
    return f"{node.path[-2]}[{node.path[-1]}]"
