"""Filter duty lines by their columns, and search them without accents."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from schemas.events.assessments import Status
from schemas.text import comparison
from services.reporting.core.access.decisions import AccessRefusedError, RefusalReason
from services.reporting.core.access.readers import ReaderScope
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.lists import queues
from services.reporting.core.lists.memoized_items import MemoizedBlocks, MemoizedItems
from services.reporting.core.lists.queues import Queue

# The facets of which a line has one value; of the others it may have several.
EXCLUSIVE_FACETS = frozenset({"status", "group", "obligation"})

# Status, group, obligation, flags, missing parts and queues of a line.
LineTraits = tuple[Status, str, str, tuple[str, ...], tuple[str, ...], tuple[Queue, ...]]

# The values of a line in each facet, by the name that the facet has in a query.
FacetValues = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFilter:
    """Conditions on a duty line; an empty condition matches every line.

    Of statuses, groups and obligations a line has one, and one of those named is enough. Flags, missing parts and
    queues must all be there.
    """

    statuses: frozenset[Status] = frozenset()
    groups: frozenset[str] = frozenset()
    obligations: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()
    queues: frozenset[Queue] = frozenset()
    words: str = ""

    def judge(self, values: FacetValues) -> Mapping[str, bool]:
        """Return which of the conditions a line with *values* meets, by facet."""
        return {
            facet: not wanted or bool(wanted & values[facet] if facet in EXCLUSIVE_FACETS else wanted <= values[facet])
            for facet, wanted in self.list_chosen().items()
        }

    def list_chosen(self) -> Mapping[str, frozenset[str]]:
        """Return the chosen values of each facet, by the name that the facet has in a query."""
        return {
            "status": frozenset(self.statuses),
            "group": self.groups,
            "obligation": self.obligations,
            "flag": self.flags,
            "missing": self.missing,
            "queue": frozenset(self.queues),
        }


# What never bound anybody is told of nowhere but where it is asked for.
APPLICABLE = LineFilter(statuses=frozenset(Status) - {Status.NOT_APPLICABLE})


def search_lines(lines: Iterable[DutyLine], words: str) -> tuple[DutyLine, ...]:
    """Return the lines of which the agency's name or id holds every one of *words*, in their order."""
    wanted = comparison.make_search_key(words).split()
    if not wanted:
        return tuple(lines)
    return tuple(
        line for line in lines if all(map(_make_line_key(line.agency_name, line.key.agency).__contains__, wanted))
    )


# Whoever types a search asks for the same names again and again.
@lru_cache(maxsize=32_768)
def _make_line_key(name: str, agency: str) -> str:
    return comparison.make_search_key(f"{name} {agency}")


def describe_line(line: DutyLine) -> LineTraits:
    """Return what of *line* the facets are about; thousands of lines have the same."""
    status, group, obligation, flags, missing, _ = _describe_without_queues(line)
    return status, group, obligation, flags, missing, queues.list_queues(line)


def _describe_without_queues(line: DutyLine) -> LineTraits:
    return line.status, line.group, line.key.obligation, line.flags, line.missing, ()


def list_values(traits: LineTraits) -> FacetValues:
    """Return the values that a line with *traits* has in each facet."""
    status, group, obligation, flags, missing, queued = traits
    return {
        "status": frozenset({status.value}),
        "group": frozenset({group}),
        "obligation": frozenset({obligation}),
        "flag": frozenset(flags),
        "missing": frozenset(missing),
        "queue": frozenset(queue.value for queue in queued),
    }


def filter_lines(lines: Iterable[DutyLine], line_filter: LineFilter) -> tuple[DutyLine, ...]:
    """Return the lines that *line_filter* matches, in their order."""
    named = search_lines(lines, line_filter.words)
    if not any(line_filter.list_chosen().values()):
        return named
    judged: dict[LineTraits, bool] = {}
    chosen = []
    # The queues of a line take longer than all else of it, and mostly nobody asks for any.
    describe = describe_line if line_filter.queues else _describe_without_queues
    for line in named:
        traits = describe(line)
        if traits not in judged:
            judged[traits] = all(line_filter.judge(list_values(traits)).values())
        if judged[traits]:
            chosen.append(line)
    return tuple(chosen)


def narrow_lines(lines: Iterable[DutyLine], line_filter: LineFilter) -> MemoizedItems[DutyLine]:
    """Return the lines that *line_filter* matches, for pages in any order."""
    return MemoizedItems(filter_lines(lines, line_filter))


def require_groups(groups: Iterable[str], covered: MemoizedBlocks[DutyLine], scope: ReaderScope) -> None:
    """Raise `AccessRefusedError` if one of *groups*, which a query names, is outside *scope*.

    A group is inside if *scope* covers it, or if one of the *covered* lines stands under it: a reader of the members of
    one group may ask by which other group a duty reached them.
    """
    outside = {group for group in groups if not scope.covers_group(group)}
    if outside and not outside <= {line.group for line in covered.items}:
        raise AccessRefusedError(RefusalReason.OUTSIDE_SCOPE)
