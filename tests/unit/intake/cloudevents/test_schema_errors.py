"""Errors of an event's data by pointer, in both languages."""

from typing import Any

import pytest

from schemas import validation_messages
from schemas.events.facts import ADOPTED, MODEL_OF, SUBMITTED, ReportSubmitted
from schemas.plan.values import Bilingual
from services.intake.cloudevents import schema_errors
from tests.support.builders import plans


def errors_of(**changes: Any) -> dict[str, str]:
    """Return the Vietnamese message of each error by pointer; *changes* are by name, with `__` for the dot."""
    data = plans.a_submission()["data"]
    for name, value in changes.items():
        *path, last = name.split("__")
        inner = data
        for step in path:
            inner = inner[step]
        inner[last] = value
    found = schema_errors.parse_fact(SUBMITTED, data)
    assert isinstance(found, tuple)
    return {one.pointer: one.detail.vi for one in found if isinstance(one.detail, Bilingual)}


def test_a_valid_submission_is_a_fact() -> None:
    """Valid data gives an instance of the published model."""
    assert isinstance(schema_errors.parse_fact(SUBMITTED, plans.a_submission()["data"]), ReportSubmitted)


def test_an_unknown_attribute_is_accepted() -> None:
    """An attribute that the model does not know is ignored and not refused."""
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
def test_an_error_has_its_pointer_and_its_own_message(name: str, value: object, pointer: str) -> None:
    """The pointer leads to the value, and the Vietnamese message is not the general one."""
    assert errors_of(**{name: value})[pointer] != validation_messages.NOT_VALID


def figure_error(figure: object) -> Bilingual:
    """Return the message of the one error of *figure*."""
    data = plans.a_submission()["data"]
    data["content"]["indicators"] = {"loans": figure}
    found = schema_errors.parse_fact(SUBMITTED, data)
    assert isinstance(found, tuple)
    (one,) = found
    assert one.pointer == "/data/content/indicators/loans"
    assert isinstance(one.detail, Bilingual)
    return one.detail


@pytest.mark.parametrize(
    "figure", [1e30, -1e30, 1e300, 10**30, -(10**40), "1e30", "-1e30", "9" * 31, "1e999", "1e9999", "0.1e31"]
)
def test_the_error_of_a_too_large_figure_names_the_bound(figure: object) -> None:
    """A number beyond 10^30 is refused with a message about the bound, not about the notation."""
    detail = figure_error(figure)
    assert detail.en == "must be below 10^30 and above -10^30; count in a larger unit"
    assert detail.vi == "phải nhỏ hơn 10^30 và lớn hơn -10^30; hãy tính bằng đơn vị lớn hơn"


@pytest.mark.parametrize(
    "figure", ["nan", "inf", "9.984,2", "", True, None, [], {}, "1_0", "x" * 99, "0e9999", "1e" + "9" * 40]
)
def test_the_error_of_a_value_that_is_no_number_explains_the_notation(figure: object) -> None:
    """A value that is not a number is refused with a message about how to write one."""
    assert figure_error(figure).in_language("en").startswith("must be a number, or a decimal string")


def test_a_missing_attribute_has_the_pointer_where_it_belongs() -> None:
    """Each missing attribute is an error at the pointer where it belongs."""
    found = schema_errors.parse_fact(SUBMITTED, {})
    assert isinstance(found, tuple)
    assert "/data/document" in {one.pointer for one in found}


@pytest.mark.parametrize("data", [None, [], "text", 7])
def test_data_that_is_no_object_is_one_error(data: object) -> None:
    """Data that is not an object gives one error, at the data itself."""
    found = schema_errors.parse_fact(SUBMITTED, data)
    assert isinstance(found, tuple)
    assert [one.pointer for one in found] == ["/data"]


def test_the_number_of_errors_is_bounded() -> None:
    """An event with thousands of errors is answered with a limited number of them."""
    assert (
        len(errors_of(content__indicators=dict.fromkeys(map(str, range(schema_errors.ITEMS_MAX)), "x")))
        == schema_errors.ERRORS_OF_EVENT_MAX
    )


def test_senders_cannot_send_an_adoption() -> None:
    """The adoption of a plan is not among the types that intake accepts."""
    assert ADOPTED not in MODEL_OF
