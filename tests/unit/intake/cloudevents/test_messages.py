"""What a refused field is told: a sentence a newcomer can act on, in both languages, whatever is wrong with it."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.events.facts import MODEL_OF
from schemas.plan.values import Bilingual
from schemas.problems import FieldError
from services.intake.cloudevents import schema_errors

EXAMPLES = Path(__file__).parents[4] / "schemas" / "examples"

# Words of pydantic and of regular expressions, which say nothing to whoever sends a report.
JARGON = ("valid", "tuple", "dictionary", "instance", "pattern", "input", "unexpected", "[", "Value error")
ABSENT = object()
WRONG: tuple[object, ...] = (
    *(ABSENT, None, 5, -1.5, True, "", "x", [], {}, "x" * 5_000, 10**40),
    *("2026-12-20T24:00:00+07:00", "2026-13-45", "2026-12-20T00:00:00"),
)


def an_example(event_type: str) -> dict[str, Any]:
    """Read the data of the published example of a type."""
    data: dict[str, Any] = json.loads((EXAMPLES / f"{event_type}.json").read_text(encoding="utf-8"))["data"]
    return data


def walk_fields(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every member below *value*."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        yield (*path, key)
        yield from walk_fields(member, (*path, key))


def with_value(data: dict[str, Any], path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    """Return a copy of *data* with another value at *path*, or without it."""
    changed = copy.deepcopy(data)
    node: Any = changed
    for step in path[:-1]:
        node = node[step]
    if value is ABSENT:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return changed


@pytest.mark.parametrize("event_type", MODEL_OF)
def test_no_message_speaks_of_the_machine(event_type: str) -> None:
    """Every field of every type, with everything that may be wrong with it: short, in plain words, twice."""
    data = an_example(event_type)
    for path in walk_fields(data):
        for value in WRONG:
            found = schema_errors.parse_fact(event_type, with_value(data, path, value))
            for error in found if isinstance(found, tuple) else ():
                assert isinstance(error, FieldError)
                assert isinstance(error.detail, Bilingual)
                english, vietnamese = (error.detail.in_language(language) for language in ("en", "vi"))
                assert not any(word in english for word in JARGON), (path, value, english)
                assert vietnamese != "giá trị không hợp lệ", (path, value, english)
                assert len(english) < 300, (path, value)
