"""What differs between two versions of a plan or registry: members of lists are found by their ids."""

from typing import Any

import pytest

from services.reporting.core.evidence import document_differences


@pytest.mark.parametrize(
    ("before", "after", "differences"),
    [
        ({"version": 1, "a": 1}, {"version": 2, "a": 1}, []),
        ({"a": 1}, {"a": 2, "b": 3}, [(("a",), 1, 2), (("b",), None, 3)]),
        (
            {"agencies": [{"id": "x", "note": "1"}, {"id": "z"}]},
            {"agencies": [{"id": "x", "note": "2"}, {"id": "y"}, {"id": "z"}]},
            [(("agencies", "x", "note"), "1", "2"), (("agencies", "y"), None, {"id": "y"})],
        ),
        (
            {"obligations": [{"id": "o", "versions": [{"from": "2016-05-05", "due": {"day": 10}}]}]},
            {"obligations": [{"id": "o", "versions": [{"from": "2016-05-05", "due": {"day": 15}}]}]},
            [(("obligations", "o", "versions", "2016-05-05", "due", "day"), 10, 15)],
        ),
        ({"names": ["a", "b"]}, {"names": ["b"]}, [(("names",), ["a", "b"], ["b"])]),
        ({"list": [{"id": "x"}, {"id": "x"}]}, {"list": []}, [(("list",), [{"id": "x"}, {"id": "x"}], [])]),
    ],
)
def test_each_place_that_differs_is_named(
    before: dict[str, Any], after: dict[str, Any], differences: list[tuple[tuple[str, ...], Any, Any]]
) -> None:
    """The number of the version differs by itself, and is no difference."""
    found = document_differences.compare_documents(before, after)
    assert [(one.place, one.before, one.after) for one in found] == differences
