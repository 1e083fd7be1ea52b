"""The order of a list by any of its columns, and its pages by keyset."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.lists import sorting
from services.reporting.core.lists.memoized_items import MemoizedBlocks
from services.reporting.core.lists.sorting import SortOrder
from tests.support.builders.annual_report import a_report

LINES = a_report().chapters[0].lines
ORDERS = st.lists(st.sampled_from(sorting.COLUMNS), max_size=3, unique=True).flatmap(
    lambda names: st.tuples(*(st.sampled_from([name, f"-{name}"]) for name in names)).map(",".join)
)


def read_pages(lines: tuple[DutyLine, ...], order: SortOrder, limit: int) -> list[DutyLine]:
    """Follow the cursors from page to page."""
    kept = MemoizedBlocks.cut([lines])
    seen: list[DutyLine] = []
    cursor: str | None = ""
    while cursor is not None:
        after = sorting.parse_cursor(cursor, order)
        page = sorting.paginate(kept, order=order, limit=limit, after=after)
        assert page.total == len(lines)
        seen += page.lines
        cursor = page.next_cursor
    return seen


@given(text=ORDERS, limit=st.integers(1, 45))
def test_pages_are_the_ordered_list_without_gap_or_repetition(text: str, limit: int) -> None:
    """In every order the pages together are the list in that order."""
    order = sorting.parse_order(text)
    assert read_pages(LINES, order, limit) == list(sorting.sort_lines(LINES, order))


@pytest.mark.parametrize("name", sorting.COLUMNS)
def test_lines_without_a_value_stand_last_in_either_direction(name: str) -> None:
    """Where some lines have no value they follow those with one, which are turned round."""
    orders = (sorting.parse_order(name), sorting.parse_order(f"-{name}"))
    up, down = ([order.locate(line).values[0] for line in sorting.sort_lines(LINES, order)] for order in orders)
    with_value = [value for value in up if value is not None]
    assert up == with_value + [None] * (len(up) - len(with_value))
    assert down == with_value[::-1] + [None] * (len(up) - len(with_value))


def test_names_are_ordered_as_in_a_vietnamese_dictionary() -> None:
    """Đ stands behind D and before E, whatever the code points say."""
    names = ["Sở Tài chính", "Đông Sơn", "Em", "Dân tộc", "Ân", "An"]
    lines = tuple(replace(line, agency_name=name) for line, name in zip(LINES, names, strict=False))
    ordered = [line.agency_name for line in sorting.sort_lines(lines, sorting.parse_order("agency_name"))]
    assert ordered == ["An", "Ân", "Dân tộc", "Đông Sơn", "Em", "Sở Tài chính"]


def test_a_line_that_appears_meanwhile_shifts_no_other() -> None:
    """A page begins behind the last line of the page before, and not at a number of lines."""
    order = sorting.parse_order("agency_name")
    lines = sorting.sort_lines(LINES, order)
    first = sorting.paginate(MemoizedBlocks.cut([lines[1:]]), order=order, limit=5, after=None)
    second = sorting.paginate(
        MemoizedBlocks.cut([lines]), order=order, limit=5, after=sorting.parse_cursor(first.next_cursor or "", order)
    )
    assert (*first.lines, *second.lines) == lines[1:11]


@pytest.mark.parametrize("text", ["beauty", "-", "status,beauty", "due_at;status"])
def test_an_order_of_no_column_is_refused(text: str) -> None:
    """The refusal names the columns."""
    with pytest.raises(ValueError, match="choose from plan, agency"):
        sorting.parse_order(text)


@given(text=st.text(min_size=1) | st.binary(min_size=1).map(bytes.hex) | st.sampled_from(["W10", "WzEsMl0", "bnVsbA"]))
def test_what_is_no_cursor_is_refused(text: str) -> None:
    """Whatever somebody writes in its place, there is a remedy and no crash."""
    with pytest.raises(ValueError, match="next_cursor"):
        sorting.parse_cursor(text, SortOrder())


def test_the_cursor_of_another_order_is_refused() -> None:
    """A cursor belongs to its order: in another one, its page would leave lines out."""
    first = sorting.paginate(MemoizedBlocks.cut([LINES]), order=sorting.parse_order("status"), limit=5, after=None)
    for other in ("", "-status", "status,agency", "days_late"):
        with pytest.raises(ValueError, match="next_cursor"):
            sorting.parse_cursor(first.next_cursor or "", sorting.parse_order(other))


def test_a_page_of_no_lines_is_refused() -> None:
    """A limit below one is refused, because such a page would have no successor."""
    with pytest.raises(ValueError, match="at least 1"):
        sorting.paginate(MemoizedBlocks.cut([LINES]), order=SortOrder(), limit=0, after=None)
