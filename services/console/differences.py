"""Where two JSON values differ: the path, and what each side says. Pure."""

from collections.abc import Iterator
from typing import Any

ABSENT = "(absent)"
NAMED_BY = ("agency", "obligation", "group")
"""What tells one element of a list from the next, where it has one of these; else its place does."""


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
        names = [str(element[name]) for name in NAMED_BY if name in element]
        if names:
            return "|".join([*names, str(element.get("period") or "")]) if "agency" in element else "|".join(names)
    return str(place)
