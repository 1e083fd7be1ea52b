"""The counts beside a list say what the list will be after one more click."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from schemas.events.assessments import Status
from services.reporting.core.lists import facets, filters
from services.reporting.core.lists.filters import LineFilter
from services.reporting.core.lists.memoized_items import MemoizedBlocks
from tests.support.builders.annual_report import a_report

LINES = a_report().chapters[0].lines
FILTERS = st.builds(
    LineFilter,
    statuses=st.frozensets(st.sampled_from([Status.LATE, Status.OVERDUE, Status.ON_TIME]), max_size=2),
    groups=st.frozensets(st.sampled_from(["so-ban-nganh", "ubnd-huyen"]), max_size=1),
    flags=st.frozensets(st.sampled_from(["nil_return", "under_extension"]), max_size=1),
    words=st.sampled_from(["", "huyen", "so"]),
)


@given(line_filter=FILTERS)
def test_a_count_is_that_of_the_list_after_the_click(line_filter: LineFilter) -> None:
    """A status that is added widens the list by its count, a flag narrows the list to its count."""
    counted = facets.count_facets(MemoizedBlocks.cut([LINES]), line_filter)
    for one in counted["status"]:
        alone = replace(line_filter, statuses=frozenset({Status(one.value)}))
        assert one.count == len(filters.filter_lines(LINES, alone))
        assert one.is_chosen == (one.value in line_filter.statuses)
    for one in counted["flag"]:
        narrowed = replace(line_filter, flags=line_filter.flags | {one.value})
        assert one.count == len(filters.filter_lines(LINES, narrowed))


def test_a_chosen_value_is_shown_even_where_nothing_has_it() -> None:
    """Somebody must be able to take a condition back that leaves nothing."""
    counted = facets.count_facets(MemoizedBlocks.cut([LINES]), LineFilter(missing=frozenset({"sections.unheard-of"})))
    assert [(one.value, one.count, one.is_chosen) for one in counted["missing"]] == [("sections.unheard-of", 0, True)]
    assert counted["status"] == ()


def test_the_most_frequent_value_stands_first() -> None:
    """Ties are in the order of the values, so that the same list reads the same."""
    counts = [
        (-one.count, one.value) for one in facets.count_facets(MemoizedBlocks.cut([LINES]), LineFilter())["status"]
    ]
    assert counts == sorted(counts)
