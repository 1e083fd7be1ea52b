"""Finds the differences between two JSON values: the path of each, and the value on either side. Pure."""

from collections.abc import Iterator
from typing import Any

ABSENT = "(absent)"

# The elements of a list are matched by the first of these sets of fields that they have, else by their index.
IDENTIFYING_FIELDS = (("agency", "obligation", "period"), ("obligation", "period"), ("group",), ("title", "period"))


def find_differences(rebuilt: Any, live: Any, path: str = "") -> Iterator[dict[str, Any]]:  # noqa: ANN401 - any JSON value
    """Yield each field in which *rebuilt* and *live* differ, in order, as `{"field", "rebuilt", "live"}`."""
    if isinstance(rebuilt, dict) and isinstance(live, dict):
        for name in dict.fromkeys((*rebuilt, *live)):
            yield from find_differences(rebuilt.get(name, ABSENT), live.get(name, ABSENT), f"{path}/{name}")
    elif isinstance(rebuilt, list) and isinstance(live, list):
        yield from find_differences(_index_elements(rebuilt), _index_elements(live), path)
    elif rebuilt != live:
        yield {"field": path or "/", "rebuilt": rebuilt, "live": live}


def _index_elements(elements: list[Any]) -> dict[str, Any]:
    return {_name_element(element, place): element for place, element in enumerate(elements)}


def _name_element(element: Any, place: int) -> str:  # noqa: ANN401 - any JSON value
    if isinstance(element, dict):
        for fields in IDENTIFYING_FIELDS:
            if all(field in element for field in fields):
                return "|".join(str(element[field] or "") for field in fields)
    return str(place)
