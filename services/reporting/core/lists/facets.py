"""Count the lines of a list by what it can be narrowed to: each count is that of the list after one more click."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.lists import filters
from services.reporting.core.lists.filters import LineFilter, LineTraits
from services.reporting.core.lists.memoized_items import MemoizedBlocks


@dataclass(frozen=True, slots=True, kw_only=True)
class FacetValue:
    """A value that a list can be narrowed to, and how many lines have it among those that meet the other conditions."""

    value: str
    count: int
    is_chosen: bool


Facets = Mapping[str, tuple[FacetValue, ...]]


def count_facets(lines: MemoizedBlocks[DutyLine], line_filter: LineFilter) -> Facets:
    """Return the values of each facet that occur or are chosen, the most frequent first.

    Of values that exclude each other (a status, a group), several widen the list, so the lines of the others are
    counted as well. Of those that a line may have together (flags, missing parts, queues) each one narrows it further.
    """
    counts: dict[str, Counter[str]] = {name: Counter() for name in line_filter.list_chosen()}
    found = lines.derive(_count_traits, _add_traits, line_filter.words)
    for traits, number in found.items():
        values = filters.list_values(traits)
        failed = [name for name, is_met in line_filter.judge(values).items() if not is_met]
        counted = values if not failed else failed if len(failed) == 1 and failed[0] in filters.EXCLUSIVE_FACETS else ()
        for name in counted:
            counts[name].update(dict.fromkeys(values[name], number))
    return {name: _rank(counts[name], chosen) for name, chosen in line_filter.list_chosen().items()}


def _count_traits(lines: Iterable[DutyLine], words: str) -> Counter[LineTraits]:
    return Counter(map(filters.describe_line, filters.search_lines(lines, words)))


def _add_traits(several: Iterable[Counter[LineTraits]]) -> Counter[LineTraits]:
    together: Counter[LineTraits] = Counter()
    for one in several:
        together.update(one)
    return together


def _rank(counter: Counter[str], chosen: frozenset[str]) -> tuple[FacetValue, ...]:
    values = {*counter, *chosen}
    ranked = sorted(values, key=lambda value: (-counter[value], value))
    return tuple(FacetValue(value=one, count=counter[one], is_chosen=one in chosen) for one in ranked)
