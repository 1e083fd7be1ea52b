"""Where two JSON values differ: the path, and what each side says. Pure."""

from collections.abc import Iterator
from typing import Any

ABSENT = "(absent)"
NAMED_BY = (("agency", "obligation", "period"), ("obligation", "period"), ("group",), ("title", "period"))
"""What tells one element of a list from the next: the first of these that it has, else its place."""


def differences(rebuilt: Any, live: Any, path: str = "") -> Iterator[dict[str, Any]]:  # noqa: ANN401 - any JSON value
    """Yield each field in which *rebuilt* and *live* differ, in order."""
    if isinstance(rebuilt, dict) and isinstance(live, dict):
        for name in dict.fromkeys((*rebuilt, *live)):
            yield from differences(rebuilt.get(name, ABSENT), live.get(name, ABSENT), f"{path}/{name}")
    elif isinstance(rebuilt, list) and isinstance(live, list):
        yield from differences(_named(rebuilt), _named(live), path)
    elif rebuilt != live:
        yield {"field": path or "/", "rebuilt": rebuilt, "live": live}


def _named(elements: list[Any]) -> dict[str, Any]:
    return {_name(element, place): element for place, element in enumerate(elements)}


def _name(element: Any, place: int) -> str:  # noqa: ANN401 - any JSON value
    if isinstance(element, dict):
        for fields in NAMED_BY:
            if all(field in element for field in fields):
                return "|".join(str(element[field] or "") for field in fields)
    return str(place)
