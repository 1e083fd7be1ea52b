"""The schemas of the OpenAPI document accept an event if and only if intake finds no error in its form."""

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
    *(
        2**40,
        2**40 + 1,
        2**63,
        2**70,
        "..",
        ".",
        "...",
        "a\\b",
        "a\u202eb",
        "a\u200bb",
        "a\ufeff",
        "x" * 255,
        "x" * 256,
    ),
    *("http://a.vn/x", "javascript:alert(1)", "HTTPS://a.vn", "https://a@b.vn", "https:///x", "https://a.vn/\u202e"),
    *("URN:isbn:1", "urn:a:b", "urn:ab:", "data:text/html,x", "https://sở.vn/tệp?a=1", "https://a.vn/" + "x" * 2_036),
    *("https://a.vn/" + "x" * 2_035, "https://a.vn/a b", "https://a.vn/<b>", "a/" + "b" * 253, "a/" + "b" * 254),
)


def case_id(changes: Json) -> str:
    """Return the id of a test case, the same in every process."""
    absent = {name: "absent" if value is ABSENT else value for name, value in changes.items()}
    return str(absent).replace(ENCODED[:-1], "encoded")


@pytest.fixture(scope="module")
def validator() -> jsonschema_rs.Validator:
    """Return a validator for the schema of events in the OpenAPI document."""
    document = json.loads(openapi.openapi_document())
    root = {"$ref": "#/components/schemas/Event", "components": document["components"]}
    return jsonschema_rs.validator_for(root, validate_formats=True)


def is_well_formed(event: Json) -> bool:
    """Whether intake finds no error in the form of *event*."""
    (received,) = read_all(ContentMode.STRUCTURED, [], json.dumps(event).encode())
    if not isinstance(received, CloudEvent) or received.type not in MODEL_OF:
        return False
    return not isinstance(schema_errors.parse_fact(received.type, json.loads(received.raw_data)), tuple)


def paths_of(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value in a JSON document."""
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in inner:
        yield (*path, key)
        yield from paths_of(value, (*path, key))


def change(event: Json, path: tuple[Any, ...], value: Any) -> Json:
    """Return *event* with another value at *path*."""
    *parents, last = path
    copy = holder = deepcopy(event)
    for step in parents:
        holder = holder[step]
    if value is ABSENT:
        del holder[last]
    else:
        holder[last] = value
    return copy


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
def test_schema_and_intake_agree_on_every_value(validator: jsonschema_rs.Validator, event: Json) -> None:
    """Schema and intake agree for every value in every place of the event, and for a missing one."""
    assert validator.is_valid(event)
    assert is_well_formed(event)
    cases = [(path, value, change(event, path, value)) for path in paths_of(event) for value in VALUES]
    assert [
        (path, "absent" if value is ABSENT else value)
        for path, value, other in cases
        if validator.is_valid(other) != is_well_formed(other)
    ] == []


@pytest.mark.parametrize("path", [("content", "sections"), ("content", "indicators"), ("attachments",)], ids=str)
@pytest.mark.parametrize("count", [schema_errors.ITEMS_MAX, schema_errors.ITEMS_MAX + 1])
def test_schema_and_intake_agree_on_the_number_of_entries(
    validator: jsonschema_rs.Validator, path: tuple[str, ...], count: int
) -> None:
    """Schema and intake accept as many sections, indicators and attachments, and refuse one more."""
    is_list = path == ("attachments",)
    entries = SUBMISSION["data"]["attachments"] * count if is_list else {str(number): "1" for number in range(count)}
    event = change(SUBMISSION, ("data", *path), entries)
    is_accepted = count == schema_errors.ITEMS_MAX
    assert (validator.is_valid(event), is_well_formed(event)) == (is_accepted, is_accepted)


@pytest.mark.parametrize(
    "changes,is_accepted",
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
    ids=lambda value: case_id(value) if isinstance(value, dict) else str(value),
)
def test_schema_and_intake_agree_on_what_is_beside_the_data(
    validator: jsonschema_rs.Validator, changes: Json, *, is_accepted: bool
) -> None:
    """Schema and intake agree on extensions, reserved attributes and data in base64."""
    event = {name: value for name, value in (a_submission() | changes).items() if value is not ABSENT}
    assert (validator.is_valid(event), is_well_formed(event)) == (is_accepted, is_accepted)


def test_every_type_is_described() -> None:
    """Each event type has a schema of its own."""
    components = event_schemas.components()
    assert {f"{model.__name__}Event" for model in MODEL_OF.values()} < set(components)


def test_every_status_and_every_header_of_binary_mode_is_described() -> None:
    """The document describes every status of a response and every required header of binary mode."""
    operation = json.loads(openapi.openapi_document())["paths"]["/v1/events"]["post"]
    statuses = {str(problem.value.status) for problem in RequestProblem}
    assert set(operation["responses"]) == statuses | {"200", "202"}
    headers = {one["name"] for one in operation["parameters"] if one["in"] == "header"}
    assert {f"ce-{name}" for name in cloud_event.REQUIRED_ATTRIBUTES} < headers


@pytest.mark.parametrize(
    "given", [*sorted(post_events.TRUE | post_events.FALSE), "True", "FALSE", "on", "", "2", "truefalse"]
)
def test_the_dry_run_parameter_is_described_as_intake_parses_it(given: str) -> None:
    """The schema of `dry_run` accepts the words that intake accepts, in upper and lower case."""
    (dry_run, *_) = json.loads(openapi.openapi_document())["paths"]["/v1/events"]["post"]["parameters"]
    is_known = given.lower() in post_events.TRUE | post_events.FALSE
    assert jsonschema_rs.is_valid(dry_run["schema"], given) == is_known
