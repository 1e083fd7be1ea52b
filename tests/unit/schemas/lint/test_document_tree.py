"""A value of the wrong type in a document reads as absent."""

from datetime import date

import pytest

from schemas.lint.document_tree import Node


@pytest.mark.parametrize(
    "value, number", [(12, 12), ("12", 12), ("x", None), (True, None), (1.5, None), (None, None), ([1], None)]
)
def test_a_number_is_whole_and_may_be_quoted(value: object, number: int | None) -> None:
    """A value of another type reads as absent, and `true` is not the number 1."""
    assert Node(value=value).number == number


@pytest.mark.parametrize("value, day", [("2026-12-09", date(2026, 12, 9)), ("2026-02-30", None), (20261209, None)])
def test_a_day_is_an_iso_date(value: object, day: date | None) -> None:
    """A date that does not exist reads as absent."""
    assert Node(value=value).day == day


def test_a_path_leads_through_what_is_not_there() -> None:
    """A rule may ask for any key; the path of an absent value is where it would be."""
    node = Node(value={"a": "text"})["a"]["b"]["c"]
    assert (node.is_given, node.each(), node.path) == (False, (), ("a", "b", "c"))
