"""Filters and pages over duties."""

import pytest

from schemas.events.assessments import Status
from services.reporting.core.lines import DutyLine
from services.reporting.core.selection import Filter, page_of, select
from tests.support.builders.annual_report import a_report

LINES = a_report().chapters[0].lines


def test_an_empty_filter_shows_everything() -> None:
    """Nothing asked, nothing hidden."""
    assert select(LINES, Filter()) == LINES


def test_conditions_are_joined_by_and() -> None:
    """A line must meet them all; several statuses are alternatives."""
    wanted = Filter(statuses=frozenset({Status.LATE, Status.OVERDUE}), groups=frozenset({"ubnd-huyen"}))
    found = select(LINES, wanted)
    assert {line.status for line in found} == {Status.LATE, Status.OVERDUE}
    assert {line.group for line in found} == {"ubnd-huyen"}
    assert all("nil_return" in line.flags for line in select(LINES, Filter(flags=frozenset({"nil_return"}))))


@pytest.mark.parametrize("words", ["Đông Sơn", "dong son", "SON DONG", "đông"])
def test_words_are_found_without_accents_in_any_order(words: str) -> None:
    """Who types on a phone leaves the accents out."""
    assert [line.agency_name for line in select(LINES, Filter(words=words))] == ["UBND huyện Đông Sơn"]


def test_pages_part_the_whole_without_gap_or_repetition() -> None:
    """Following the cursors gives every line once."""
    seen: list[DutyLine] = []
    cursor = None
    while True:
        page = page_of(LINES, limit=7, cursor=cursor)
        assert page.total == len(LINES)
        seen += page.lines
        cursor = page.next_cursor
        if cursor is None:
            break
    assert sorted(str(line.key) for line in LINES) == [str(line.key) for line in seen]


def test_a_page_of_nothing_is_refused() -> None:
    """It would have no next one."""
    with pytest.raises(ValueError, match="at least 1"):
        page_of(LINES, limit=0, cursor=None)
