"""Document values are read without trust."""

from datetime import date

import pytest

from schemas.lint.document_tree import Node


@pytest.mark.parametrize(
    "value, number", [(12, 12), ("12", 12), ("x", None), (True, None), (1.5, None), (None, None), ([1], None)]
)
def test_a_number_is_whole_and_may_be_quoted(value: object, number: int | None) -> None:
    """What has another shape reads as absent; true is no one."""
    assert Node(value=value).number == number


@pytest.mark.parametrize("value, day", [("2026-12-09", date(2026, 12, 9)), ("2026-02-30", None), (20261209, None)])
def test_a_day_is_an_iso_date(value: object, day: date | None) -> None:
    """A date that no calendar has reads as absent."""
    assert Node(value=value).day == day


def test_a_path_leads_through_what_is_not_there() -> None:
    """Rules may ask for any key; the path tells where it would stand."""
    node = Node(value={"a": "text"})["a"]["b"]["c"]
    assert (node.is_given, node.each(), node.path) == (False, (), ("a", "b", "c"))
