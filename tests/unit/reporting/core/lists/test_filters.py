"""Filters and accent-insensitive search over duty lines."""

import pytest

from schemas.events.assessments import Status
from services.reporting.core.lists import filters
from services.reporting.core.lists.filters import LineFilter
from tests.support.builders.annual_report import a_report

LINES = a_report().chapters[0].lines


def test_an_empty_filter_shows_everything() -> None:
    """A filter without conditions returns all lines in their order."""
    assert filters.filter_lines(LINES, LineFilter()) == LINES


def test_conditions_are_joined_by_and() -> None:
    """A line must meet all conditions; several statuses are alternatives."""
    line_filter = LineFilter(statuses=frozenset({Status.LATE, Status.OVERDUE}), groups=frozenset({"ubnd-huyen"}))
    found = filters.filter_lines(LINES, line_filter)
    assert {line.status for line in found} == {Status.LATE, Status.OVERDUE}
    assert {line.group for line in found} == {"ubnd-huyen"}
    nil_returns = filters.filter_lines(LINES, LineFilter(flags=frozenset({"nil_return"})))
    assert all("nil_return" in line.flags for line in nil_returns)


@pytest.mark.parametrize("words", ["Đông Sơn", "dong son", "SON DONG", "đông"])
def test_words_are_found_without_accents_in_any_order(words: str) -> None:
    """A search finds an agency by words in any order, typed with or without accents and in either case."""
    found = filters.filter_lines(LINES, LineFilter(words=words))
    assert [line.agency_name for line in found] == ["UBND huyện Đông Sơn"]
