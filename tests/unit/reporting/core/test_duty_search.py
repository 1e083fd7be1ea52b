"""Filters, accent-insensitive search and pages over duty lines."""

import pytest

from schemas.events.assessments import Status
from services.reporting.core import duty_search
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.duty_search import LineFilter
from tests.support.builders.annual_report import a_report

LINES = a_report().chapters[0].lines


def test_an_empty_filter_shows_everything() -> None:
    """A filter without conditions returns all lines in their order."""
    assert duty_search.filter_lines(LINES, LineFilter()) == LINES


def test_conditions_are_joined_by_and() -> None:
    """A line must meet all conditions; several statuses are alternatives."""
    line_filter = LineFilter(statuses=frozenset({Status.LATE, Status.OVERDUE}), groups=frozenset({"ubnd-huyen"}))
    found = duty_search.filter_lines(LINES, line_filter)
    assert {line.status for line in found} == {Status.LATE, Status.OVERDUE}
    assert {line.group for line in found} == {"ubnd-huyen"}
    nil_returns = duty_search.filter_lines(LINES, LineFilter(flags=frozenset({"nil_return"})))
    assert all("nil_return" in line.flags for line in nil_returns)


@pytest.mark.parametrize("words", ["Đông Sơn", "dong son", "SON DONG", "đông"])
def test_words_are_found_without_accents_in_any_order(words: str) -> None:
    """A search finds an agency by words in any order, typed with or without accents and in either case."""
    found = duty_search.filter_lines(LINES, LineFilter(words=words))
    assert [line.agency_name for line in found] == ["UBND huyện Đông Sơn"]


def test_pages_cover_the_whole_without_gap_or_repetition() -> None:
    """Following the cursors from page to page gives every line exactly once."""
    seen: list[DutyLine] = []
    cursor = None
    while True:
        page = duty_search.paginate(LINES, limit=7, cursor=cursor)
        assert page.total == len(LINES)
        seen += page.lines
        cursor = page.next_cursor
        if cursor is None:
            break
    assert sorted(str(line.key) for line in LINES) == [str(line.key) for line in seen]


def test_a_page_of_no_lines_is_refused() -> None:
    """A limit below one is refused, because such a page would have no successor."""
    with pytest.raises(ValueError, match="at least 1"):
        duty_search.paginate(LINES, limit=0, cursor=None)
