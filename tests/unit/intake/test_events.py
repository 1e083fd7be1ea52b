"""The CloudEvents 1.0 rules for context attributes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.core import events


def attributes(**changes: Any) -> dict[str, Any]:
    """Attributes that keep every rule; None takes one away."""
    usual = {"specversion": "1.0", "id": "1", "source": "urn:x", "type": "t", "time": "2024-12-01T08:00:00+07:00"}
    return {name: value for name, value in (usual | changes).items() if value is not None}


def pointers(given: dict[str, Any]) -> list[str]:
    """Where the faults stand."""
    return [fault.pointer for fault in events.faults_of(given)]


def test_attributes_that_keep_the_rules_have_no_fault() -> None:
    """A complete event with extensions of every JSON type the specification allows passes."""
    assert pointers(attributes(subject="a", traceparent="00-x", count=3, flag=True)) == []


@pytest.mark.parametrize("name", events.REQUIRED)
def test_each_required_attribute_is_missed_by_name(name: str) -> None:
    """The fault points at the attribute that is not there."""
    assert pointers(attributes(**{name: None})) == [f"/{name}"]


@pytest.mark.parametrize(
    "name,value",
    [
        ("specversion", "0.3"),
        ("id", ""),
        ("id", 7),
        ("source", "x" * 1025),
        ("type", "a\nb"),
        ("time", "2024-12-01T08:00:00"),
        ("time", "2024-13-01T08:00:00Z"),
        ("time", "1733040000"),
        ("datacontenttype", "text/xml"),
        ("extension", 1.5),
        ("extension", {"a": 1}),
        ("extension", 2**31),
        ("Upper", "x"),
        ("with_underscore", "x"),
        ("with-dash", "x"),
    ],
)
def test_a_value_against_the_rules_is_named(name: str, value: object) -> None:
    """The fault points at the attribute, whatever is wrong with its name or value."""
    assert pointers(attributes(**{name: value})) == [f"/{name}"]


@pytest.mark.parametrize("media_type", ["application/json", "Application/JSON", "application/json; charset=utf-8"])
def test_json_data_may_be_declared_with_parameters(media_type: str) -> None:
    """The media type is compared without case or parameters."""
    assert pointers(attributes(datacontenttype=media_type)) == []


@given(
    st.dictionaries(
        st.text(max_size=8), st.none() | st.booleans() | st.integers() | st.floats() | st.text(), max_size=6
    )
)
def test_any_attributes_are_judged_without_an_error(given_attributes: dict[str, object]) -> None:
    """Whatever arrives, the answer is a list of faults."""
    assert isinstance(list(events.faults_of(given_attributes)), list)
