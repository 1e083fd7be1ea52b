"""Rules can read every fact that intake accepts: its tolerant decoder refuses nothing that the strict models accept."""

import copy
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.events.facts import MODEL_OF
from services.rules import fact_decoder

EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples"
FACTS = {name: json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8")) for name in MODEL_OF}
STAMP = {"receivedtime": "2024-12-05T08:42:11.507Z"}
UNKNOWN = "unheard-of"

ODD_TEXTS = (
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59.999999-23:59",
    "2024-02-29t23:59:59.1234567z",
    "2024-12-09 23:59:59+07:00",
    "2024-12-09T23:59:59-00:00",
    "2024-12-10T24:00:00Z",
    "2024-06-30T23:59:60Z",
    "2024-12-09",
    "2024-02-30",
    "1000-01-01",
    "٢٠٢٤-12-09",
    "2024",
    "2024\n",
    "2024-H2",
    "none",
    "postmark",
    "a/b",
    "A" * 64,
    "1e29",
    "-.5",
    "1.",
    "1_0",
    "٣",
    "1e400",
    "Infinity",
    "0x10",
    "",
    " ",
    "9" * 400,
    "\x00",
    "\u2028",
)
ODD_NUMBERS = (0, -1, 10**29, 10**31, 2**63, 2**64, 1e29, 5e-324, -0.0, 0.1)
ODD_VALUES: tuple[Any, ...] = (*ODD_TEXTS, *ODD_NUMBERS, None, True, False, {}, [])

# A place that accepts all of these accepts any text.
FREE_TEXTS = ("x", "٣", "1_0", "\u2028", "\x00")

Place = tuple[str | int, ...]


@st.composite
def odd_facts(draw: st.DrawFn) -> dict[str, Any]:
    """A fact with up to three values replaced, removed or added, each in a way that its model accepts."""
    name = draw(st.sampled_from(sorted(FACTS)))
    event: dict[str, Any] = copy.deepcopy(FACTS[name])
    values, removable = _accepted_changes(name)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(sorted(values, key=str)))
        owner = _owner(event["data"], place)
        if owner is None:  # an earlier change has replaced it
            continue
        if place in removable and draw(st.integers(0, 4)) == 0:
            owner.pop(place[-1], None)
        else:
            owner[place[-1]] = copy.deepcopy(draw(values[place]))  # the next change may be inside it
    return event


@given(event=odd_facts())
def test_a_fact_that_the_models_accept_is_read_by_rules(event: dict[str, Any]) -> None:
    """Otherwise a report that intake has acknowledged would end as a dead letter."""
    MODEL_OF[event["type"]].model_validate(event["data"])
    assert fact_decoder.decode_fact(msgspec.json.encode(event | STAMP)).id == event["id"]


def test_the_odd_facts_reach_every_attribute() -> None:
    """The strategy has a value for every attribute of every example, so that none is left untried."""
    for name, event in FACTS.items():
        values, _ = _accepted_changes(name)
        assert set(_places(event["data"])) - set(values) == set()


@cache
def _accepted_changes(name: str) -> tuple[dict[Place, st.SearchStrategy[Any]], set[Place]]:
    """Try every odd value at every place of an example; return what its model accepts there, and what may be absent."""
    data = FACTS[name]["data"]
    places = list(_places(data))
    found = {place: _values_at(name, data, place) for place in places}
    removable = {place for place in places if isinstance(place[-1], str) and _accepts(name, _without(data, place))}
    return {place: values for place, values in found.items() if values is not None}, removable


def _values_at(name: str, data: dict[str, Any], place: Place) -> st.SearchStrategy[Any] | None:
    accepted = [value for value in ODD_VALUES if _accepts(name, _with(data, place, value))]
    members = [value for value in ODD_VALUES if _accepts(name, _with(data, place, {"x": value}))]
    present = [] if place[-1] == UNKNOWN else [_value(data, place)]  # the example's own value is accepted anyway
    options: list[st.SearchStrategy[Any]] = [st.sampled_from(accepted or present)] if accepted or present else []
    if all(text in accepted for text in FREE_TEXTS):
        options.append(st.text(max_size=4).map("x{}".format))
    if members:
        options.append(st.dictionaries(st.sampled_from(ODD_TEXTS), st.sampled_from(members), max_size=2))
    return st.one_of(options) if options else None


def _places(node: Any, place: Place = ()) -> Iterator[Place]:
    """Yield the place of every attribute and list member, and in each object one that does not exist."""
    if isinstance(node, dict):
        for key in (*node, UNKNOWN):
            yield (*place, key)
            yield from _places(node.get(key), (*place, key))
    if isinstance(node, list):
        for index, member in enumerate(node):
            yield from _places(member, (*place, index))


def _owner(data: Any, place: Place) -> Any:
    node = data
    for step in place[:-1]:
        is_there = step in node if isinstance(node, dict) else isinstance(node, list) and step in range(len(node))
        if not is_there:
            return None
        node = node[step]
    return node if isinstance(node, dict) else None


def _value(data: Any, place: Place) -> Any:
    return _owner(data, place)[place[-1]]


def _with(data: dict[str, Any], place: Place, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(data)
    _owner(changed, place)[place[-1]] = value
    return changed


def _without(data: dict[str, Any], place: Place) -> dict[str, Any]:
    changed = copy.deepcopy(data)
    _owner(changed, place).pop(place[-1], None)
    return changed


def _accepts(name: str, data: dict[str, Any]) -> bool:
    try:
        MODEL_OF[name].model_validate(data)
    except ValidationError:
        return False
    return True
