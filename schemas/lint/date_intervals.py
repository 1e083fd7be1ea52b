"""Half-open spans of local dates in a document: the empty ones, the holes between them and the overlaps."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from schemas.lint.diagnostics import Finding
from schemas.lint.document_tree import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """The readable span of a node; a side that is not given is open."""

    node: Node
    from_: date
    to: date

    @property
    def is_empty(self) -> bool:
        return self.to <= self.from_

    @property
    def end_in_words(self) -> str:
        return "has no end" if self.to == date.max else f"runs to {self.to}"


def parse_interval(node: Node) -> Interval | None:
    """Return the span of *node*, or nothing where a side is given that is no date."""
    from_, to = node["from"], node["to"]
    if (from_.is_given and from_.day is None) or (to.is_given and to.day is None):
        return None
    return Interval(node=node, from_=from_.day or date.min, to=to.day or date.max)


def find_empty(nodes: Sequence[Node]) -> Iterator[Finding]:
    """Yield the spans that end before they begin."""
    for node in nodes:
        span = parse_interval(node)
        if span is not None and span.is_empty:
            yield node["to"].finding(
                f"{span.to} does not come after `from`, {span.from_}; spans are half-open [from, to)"
            )


def find_overlaps(nodes: Sequence[Node]) -> Iterator[Finding]:
    """Yield the spans that begin before an earlier one has ended."""
    for earlier, later in _neighbours(nodes):
        if later.from_ < earlier.to:
            yield later.node["from"].finding(f"overlaps {_name(earlier.node)}, which {earlier.end_in_words}")


def find_gaps(nodes: Sequence[Node]) -> Iterator[Finding]:
    """Yield the spans that begin later than the one before them ends."""
    for earlier, later in _neighbours(nodes):
        if earlier.to < later.from_:
            message = f"leaves a hole from {earlier.to} to {later.from_} after {_name(earlier.node)}"
            yield later.node["from"].finding(message)


def _neighbours(nodes: Sequence[Node]) -> Iterator[tuple[Interval, Interval]]:
    """Yield each span with the one before it in time; nothing where a span cannot be read or is empty."""
    spans = [parse_interval(node) for node in nodes]
    readable = sorted((one for one in spans if one is not None and not one.is_empty), key=lambda one: one.from_)
    if len(readable) < len(nodes):
        return
    reach = readable[:1]
    for later in readable[1:]:
        yield reach[-1], later
        reach.append(max(reach[-1], later, key=lambda one: one.to))


def _name(node: Node) -> str:
    return f"{node.path[-2]}[{node.path[-1]}]"
