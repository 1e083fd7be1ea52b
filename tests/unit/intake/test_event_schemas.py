"""The schemas of the OpenAPI document take an event if and only if intake finds no fault in its form."""

import base64
import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import jsonschema_rs
import pytest

from schemas.events.facts import MODEL_OF
from services.intake.cloudevents import schema_errors
from services.intake.cloudevents.http_binding import ContentMode
from services.intake.core import cloud_event
from services.intake.core.cloud_event import CloudEvent
from services.intake.core.problems import RequestProblem
from services.intake.http import event_schemas, openapi, post_events
from tests.support.assertions.decoding import read_all
from tests.support.builders import plans
from tests.support.builders.plans import Json, a_submission

ABSENT: Any = object()
ENCODED = base64.b64encode(json.dumps(a_submission()["data"]).encode()).decode()
SUBMISSION = a_submission(
    dataschema="https://a.vn/x",
    traceparent="00-x",
    data={
        "corrects": "s-0",
        "on_behalf_of": "h-ba",
        "dispatch": {"sent_at": "2024-12-01T08:00:00+07:00", "proof": "postmark", "reference": "RB1"},
        "content": {"nil_return": False, "figures_as_of": "2024-11-30", "sections": {"a": "b"}, "indicators": {"a": 5}},
        "attachments": [{"name": "a", "media_type": "a/b", "size": 1, "sha256": "a" * 64, "url": None}],
    },
)
VALUES: tuple[Any, ...] = (
    *(ABSENT, None, True, 0, -1, 1.5, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 10**29, 10**30, -1e31, [], {}, [None]),
    *("", " ", "\u00a0", "\u3000 ", "a\x00b", "a\x7f", "\ufdd0", "\ufffe", "a\U0001fffe", "\U0010ffff", "đã", "😀"),
    *("x" * 200, "x" * 201, "x" * 1024, "x" * 1025, "1.0", "application/json", "APPLICATION/JSON", "application/jsonx"),
    *("application/json;charset=utf-8", "application/json ; a", "text/plain", "a/b", "a/b;c", "A" * 64, "a" * 63),
    *("2024", "2024-Q3", "2024-13", "2024-02-30", "2024-12-01", "0500-01-01", "3000-01-01", "2999-12-31", "1000-01-01"),
    *("2024-12-01T08:00:00+07:00", "2024-12-01T08:00:00", "2024-12-01t08:00:00z", "2024-12-01T24:00:00Z"),
    *("2024-12-01T08:00:00+07:99", "2024-12-01T08:00:00-23:59", "2024-02-30T00:00:00Z", "0000-01-01T00:00:00Z"),
    *("9984.2", "1.", "1e5", "+.5", "1,5", "nan", "none", "mail-gateway", "vn.dondoc.report.withdrawn.v1"),
    *("urn:x", "https://a.vn/x?y#z", "qlvb.h-mot", "a b", "%zz", "<>", "http://[", "sở/tài-chính", "1a:b", "urn:đ"),
)


def named(changes: Json) -> str:
    """The name of a test, the same in every process."""
    absent = {name: "absent" if value is ABSENT else value for name, value in changes.items()}
    return str(absent).replace(ENCODED[:-1], "encoded")


@pytest.fixture(scope="module")
def validator() -> jsonschema_rs.Validator:
    """The judge of the document."""
    document = json.loads(openapi.openapi_document())
    root = {"$ref": "#/components/schemas/Event", "components": document["components"]}
    return jsonschema_rs.validator_for(root, validate_formats=True)


def has_its_form(event: Json) -> bool:
    """Whether intake finds no fault in the form of *event*."""
    (arrived,) = read_all(ContentMode.STRUCTURED, [], json.dumps(event).encode())
    if not isinstance(arrived, CloudEvent) or arrived.type not in MODEL_OF:
        return False
    return not isinstance(schema_errors.parse_fact(arrived.type, json.loads(arrived.raw_data)), tuple)


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in a JSON document."""
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in inner:
        yield (*path, key)
        yield from places(value, (*path, key))


def changed(event: Json, place: tuple[Any, ...], value: Any) -> Json:
    """The event with another value at *place*."""
    *ahead, last = place
    changed = holder = deepcopy(event)
    for step in ahead:
        holder = holder[step]
    if value is ABSENT:
        del holder[last]
    else:
        holder[last] = value
    return changed


@pytest.mark.parametrize(
    "event",
    [
        SUBMISSION,
        plans.a_withdrawal("w", "s-1"),
        plans.a_reassignment("m", "s-1", to="2025"),
        plans.an_extension("e", "2024-12-20T00:00:00+07:00"),
        plans.an_exemption("x", "2024-12-01T00:00:00+07:00", "2025-01-01T00:00:00+07:00"),
        plans.a_revocation("r", "x", None),
    ],
    ids=lambda event: str(event["type"]),
)
def test_the_document_and_intake_judge_alike(validator: jsonschema_rs.Validator, event: Json) -> None:
    """Whatever value stands wherever, or is missing."""
    assert validator.is_valid(event)
    assert has_its_form(event)
    told = [(place, value, changed(event, place, value)) for place in places(event) for value in VALUES]
    assert [
        (place, "absent" if value is ABSENT else value)
        for place, value, other in told
        if validator.is_valid(other) != has_its_form(other)
    ] == []


@pytest.mark.parametrize(
    "changes,is_taken",
    [
        ({"extension": {"a": 1}}, False),
        ({"extension": [1]}, False),
        ({"extension": 1.5}, False),
        ({"extension": 5.0}, True),
        ({"extension": None}, True),
        ({"my_ext": "x"}, False),
        ({"my_ext": None}, True),
        ({"Upper": "x"}, False),
        ({"": "x"}, False),
        ({"receivedtime": {"a": 1}, "receiptid": 1.5, "recordedtime": []}, True),
        ({"data_base64": ENCODED}, False),
        ({"data_base64": None}, True),
        ({"data_base64": ENCODED, "data": None}, False),
        ({"data_base64": ENCODED, "data": ABSENT}, True),
        ({"data_base64": "%%", "data": ABSENT}, False),
        ({"data_base64": ENCODED[:-1], "data": ABSENT}, False),
        ({"data_base64": 7, "data": ABSENT}, False),
        ({"data": ABSENT}, False),
    ],
    ids=lambda value: named(value) if isinstance(value, dict) else str(value),
)
def test_what_stands_beside_the_data_is_judged_alike(
    validator: jsonschema_rs.Validator, changes: Json, *, is_taken: bool
) -> None:
    """Extensions, what is intake's to say, and data in base64."""
    event = {name: value for name, value in (a_submission() | changes).items() if value is not ABSENT}
    assert (validator.is_valid(event), has_its_form(event)) == (is_taken, is_taken)


def test_every_type_is_described() -> None:
    """By its own schema, which its data refers to."""
    components = event_schemas.components()
    assert {f"{model.__name__}Event" for model in MODEL_OF.values()} < set(components)


def test_every_answer_and_every_header_of_binary_mode_is_described() -> None:
    """Whatever intake may be asked or say."""
    operation = json.loads(openapi.openapi_document())["paths"]["/v1/events"]["post"]
    statuses = {str(problem.value.status) for problem in RequestProblem}
    assert set(operation["responses"]) == statuses | {"200", "202"}
    named = {one["name"] for one in operation["parameters"] if one["in"] == "header"}
    assert {f"ce-{name}" for name in cloud_event.REQUIRED_ATTRIBUTES} < named


@pytest.mark.parametrize(
    "given", [*sorted(post_events.TRUE | post_events.FALSE), "True", "FALSE", "on", "", "2", "truefalse"]
)
def test_a_dry_run_is_asked_for_in_the_words_of_the_document(given: str) -> None:
    """Those that intake knows, in any case."""
    (dry_run, *_) = json.loads(openapi.openapi_document())["paths"]["/v1/events"]["post"]["parameters"]
    is_known = given.lower() in post_events.TRUE | post_events.FALSE
    assert jsonschema_rs.is_valid(dry_run["schema"], given) == is_known
