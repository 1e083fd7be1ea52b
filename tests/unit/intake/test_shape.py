"""Faults of an event's data, by pointer and in both languages."""

from typing import Any

import pytest

from schemas.events.facts import ADOPTED, MODEL_OF, SUBMITTED, ReportSubmitted
from services.intake.cloudevents import schema_errors
from services.intake.core.problems import Said
from tests.support.builders import plans


def faults(**changes: Any) -> dict[str, str]:
    """The Vietnamese sentence of each fault, by pointer, of a submission with *changes* (dotted names reach inside)."""
    data = plans.a_submission()["data"]
    for name, value in changes.items():
        *path, last = name.split("__")
        inner = data
        for step in path:
            inner = inner[step]
        inner[last] = value
    found = schema_errors.parse_fact(SUBMITTED, data)
    assert isinstance(found, tuple)
    return {one.pointer: one.detail.vi for one in found}


def test_a_sound_submission_is_a_fact() -> None:
    """The published model comes back."""
    assert isinstance(schema_errors.parse_fact(SUBMITTED, plans.a_submission()["data"]), ReportSubmitted)


def test_an_unknown_extra_attribute_is_kept() -> None:
    """It is ignored, not refused."""
    data = plans.a_submission()["data"] | {"colour": "red"}
    assert isinstance(schema_errors.parse_fact(SUBMITTED, data), ReportSubmitted)


@pytest.mark.parametrize(
    "name,value,pointer",
    [
        ("plan", 7, "/data/plan"),
        ("period", "2024-13", "/data/period"),
        ("document__number", "", "/data/document/number"),
        ("document__issued_on", "2024-12-01T00:00:00+07:00", "/data/document/issued_on"),
        ("document__issued_on", "1733040000", "/data/document/issued_on"),
        ("dispatch__sent_at", "2024-12-01T00:00:00", "/data/dispatch/sent_at"),
        ("dispatch__proof", "trust me", "/data/dispatch/proof"),
        ("content__nil_return", "no", "/data/content/nil_return"),
        ("content__indicators", {"loans": "9.984,2"}, "/data/content/indicators/loans"),
        ("content__indicators", {"a/b~c": True}, "/data/content/indicators/a~1b~0c"),
        ("content__sections", {"results": 1}, "/data/content/sections/results"),
        ("attachments", [{"name": "a"}], "/data/attachments/0/media_type"),
    ],
)
def test_a_fault_is_told_by_its_pointer(name: str, value: object, pointer: str) -> None:
    """The pointer leads to the value; the sentence is not the catch-all."""
    assert faults(**{name: value})[pointer] != schema_errors._NOT_VALID


def figure_told(figure: object) -> Said:
    """What is told of *figure*."""
    data = plans.a_submission()["data"]
    data["content"]["indicators"] = {"loans": figure}
    found = schema_errors.parse_fact(SUBMITTED, data)
    assert isinstance(found, tuple)
    (one,) = found
    assert one.pointer == "/data/content/indicators/loans"
    return one.detail


@pytest.mark.parametrize(
    "figure", [1e30, -1e30, 1e300, 10**30, -(10**40), "1e30", "-1e30", "9" * 31, "1e999", "1e9999", "0.1e31"]
)
def test_a_figure_that_is_too_large_is_told_the_bound(figure: object) -> None:
    """It is a number; what it is not is below 10^30."""
    told = figure_told(figure)
    assert told.en == "must be below 10^30 and above -10^30; count in a larger unit"
    assert told.vi == "phải nhỏ hơn 10^30 và lớn hơn -10^30; hãy tính bằng đơn vị lớn hơn"


@pytest.mark.parametrize(
    "figure", ["nan", "inf", "9.984,2", "", True, None, [], {}, "1_0", "x" * 99, "0e9999", "1e" + "9" * 40]
)
def test_what_is_no_figure_is_told_how_to_write_one(figure: object) -> None:
    """Whatever else it is."""
    assert figure_told(figure).en.startswith("must be a number, or a decimal string")


def test_a_missing_part_is_told_by_the_pointer_where_it_belongs() -> None:
    """Missing data is one fault; missing fields are one each."""
    found = schema_errors.parse_fact(SUBMITTED, {})
    assert isinstance(found, tuple)
    assert "/data/document" in {one.pointer for one in found}


@pytest.mark.parametrize("data", [None, [], "text", 7])
def test_data_that_is_no_object_is_one_fault(data: object) -> None:
    """The pointer is the data itself."""
    found = schema_errors.parse_fact(SUBMITTED, data)
    assert isinstance(found, tuple)
    assert [one.pointer for one in found] == ["/data"]


def test_a_hostile_event_is_told_a_bounded_number_of_faults() -> None:
    """A million faults help nobody."""
    assert len(faults(content__indicators=dict.fromkeys(map(str, range(5_000)), "x"))) == schema_errors.ERRORS_OF_EVENT_MAX


def test_adoption_is_not_for_senders() -> None:
    """Only the system says which plan is in force."""
    assert ADOPTED not in MODEL_OF
