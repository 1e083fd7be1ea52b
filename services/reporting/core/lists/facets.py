"""Count the lines of a list by what it can be narrowed to: each count is that of the list after one more click."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.lists import filters
from services.reporting.core.lists.filters import LineFilter


@dataclass(frozen=True, slots=True, kw_only=True)
class FacetValue:
    """A value that a list can be narrowed to, and how many lines have it among those that meet the other conditions."""

    value: str
    count: int
    is_chosen: bool


Facets = Mapping[str, tuple[FacetValue, ...]]


def count_facets(lines: Iterable[DutyLine], line_filter: LineFilter) -> Facets:
    """Return the values of each facet that occur or are chosen, the most frequent first.

    Of values that exclude each other (a status, a group), several widen the list, so the lines of the others are
    counted as well. Of those that a line may have together (flags, missing parts, queues) each one narrows it further.
    """
    counts: dict[str, Counter[str]] = {name: Counter() for name in line_filter.list_chosen()}
    found = Counter(map(filters.describe_line, filters.search_lines(lines, line_filter.words)))
    for traits, number in found.items():
        values = filters.list_values(traits)
        failed = [name for name, is_met in line_filter.judge(values).items() if not is_met]
        counted = values if not failed else failed if len(failed) == 1 and failed[0] in filters.EXCLUSIVE_FACETS else ()
        for name in counted:
            counts[name].update(dict.fromkeys(values[name], number))
    return {name: _rank(counts[name], chosen) for name, chosen in line_filter.list_chosen().items()}


def _rank(counter: Counter[str], chosen: frozenset[str]) -> tuple[FacetValue, ...]:
    values = {*counter, *chosen}
    ranked = sorted(values, key=lambda value: (-counter[value], value))
    return tuple(FacetValue(value=one, count=counter[one], is_chosen=one in chosen) for one in ranked)
