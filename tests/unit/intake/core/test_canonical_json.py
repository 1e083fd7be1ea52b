"""The canonical form of an event: the same however the event is written, and unchanged between releases."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.asgi import RequestRefusedError
from services.intake.cloudevents.http_binding import ContentMode
from services.intake.cloudevents.json_decoding import BODY_LABEL, decode_data
from services.intake.core.canonical_json import encode_event
from services.intake.core.cloud_event import CloudEvent
from services.intake.core.fact_record import identity_and_digest
from services.intake.core.problems import RequestProblem
from tests.support.assertions.decoding import read_all
from tests.support.builders.plans import Json, a_submission

NOTE_VALUES: list[Any] = [1.5, -2.5e-3, 2**53, 1e300, 10**20, "1.0", True, None, {"é": 0}]
WHOLE = 2**53


def event_of(
    text: str | bytes, mode: ContentMode = ContentMode.STRUCTURED, headers: Mapping[str, str] | None = None
) -> CloudEvent:
    """Return the event in *text*."""
    pairs = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    (event,) = read_all(mode, pairs, text.encode() if isinstance(text, str) else text)
    assert isinstance(event, CloudEvent)
    return event


def receiptid(event: CloudEvent) -> str:
    """Return the receipt id of *event*."""
    return identity_and_digest(event.source, event.id, event.content)[1].hex()


def a_report_text(**attributes: Any) -> str:
    """Return a report in structured mode, as text."""
    return json.dumps(a_submission(**attributes), ensure_ascii=False)


def test_a_receipt_id_never_changes() -> None:
    """The receipt id of a known event is a constant, so that a retry across an upgrade is not a conflict."""
    with_note = event_of(a_report_text(data={"note": NOTE_VALUES}, traceparent="00-x"))
    assert receiptid(with_note) == "49dbe87e1cda5771ec5987c4ae52f1cb"


@pytest.mark.parametrize("writing", ["1.0", "1e0", "1.00", "10e-1", "0.1E1"])
@pytest.mark.parametrize("place", ['"n": @', '"n": [0.5, [@]]', '"n": {"m": @}', '"more": {"indicators": {"a": @}}'])
def test_a_whole_number_is_one_value_in_every_writing(writing: str, place: str) -> None:
    """RFC 8785 has one form for a whole number, anywhere in the data; the data as the sender wrote it is kept."""
    text = a_report_text(data={"x": 0}).replace('"x": 0', place)
    plain, other = event_of(text.replace("@", "1")), event_of(text.replace("@", writing))
    assert receiptid(plain) == receiptid(other)
    assert writing.encode() in other.raw_data


@pytest.mark.parametrize("zero", ["0.0", "-0.0", "-0", "0e5"])
def test_zero_has_no_sign(zero: str) -> None:
    """RFC 8785 writes -0 as 0, so both give the same receipt id."""
    text = a_report_text(data={"x": 0})
    assert receiptid(event_of(text)) == receiptid(event_of(text.replace('"x": 0', f'"x": {zero}')))


@given(st.integers(-WHOLE + 1, WHOLE - 1))
def test_a_whole_number_within_doubles_is_its_integer(number: int) -> None:
    """A whole float below 2^53 has the canonical form of its integer."""
    assert encode_event({}, decode_data(repr(float(number)).encode(), BODY_LABEL).value) == b"[{},%d]" % number


@pytest.mark.parametrize("writing", ["9007199254740992.0", "1e16", "-1e300", "0.5", "9007199254740993"])
def test_any_other_number_is_kept_as_decoded(writing: str) -> None:
    """A double from 2^53 on stands for several whole numbers, so it is not turned into one of them."""
    expected = b"[{},%s]" % (
        writing.encode() if writing.isdigit() else repr(json.loads(writing)).replace("+", "").encode()
    )
    assert encode_event({}, decode_data(writing.encode(), BODY_LABEL).value) == expected


def test_a_number_that_no_double_holds_is_unreadable() -> None:
    """A number beyond the range of a double is refused with 400 and does not become infinity."""
    with pytest.raises(RequestRefusedError) as refused:
        event_of(a_report_text(data={"x": 0}).replace('"x": 0', '"x": 1e400'))
    assert refused.value.refusal.problem is RequestProblem.UNREADABLE


def in_both_modes(**extensions: Any) -> Iterator[CloudEvent]:
    """Yield a report in structured mode, and in binary mode with the *extensions* as text."""
    event: Json = a_submission(**extensions)
    yield event_of(json.dumps(event))
    texts = {name: json.dumps(value).strip('"') for name, value in extensions.items()}
    attributes = {name: event[name] for name in ("specversion", "id", "source", "type", "time", "subject")} | texts
    headers = {"content-type": "application/json"} | {f"ce-{name}": value for name, value in attributes.items()}
    yield event_of(json.dumps(event["data"]), ContentMode.BINARY, headers)


@pytest.mark.parametrize("value", [5, -5, 0, True, False, "text"], ids=repr)
def test_an_extension_is_the_same_in_a_header(value: object) -> None:
    """A header can hold only text, so 5 and "5" are one value of an extension, and so are true and "true"."""
    structured, binary = in_both_modes(count=value)
    assert receiptid(structured) == receiptid(binary)
    assert structured.attributes["count"] == value
    assert binary.attributes["count"] == (value if isinstance(value, str) else json.dumps(value))


def test_a_whole_number_with_a_point_is_an_integer_as_an_extension_too() -> None:
    """The extension 5.0 is the integer 5, as in JSON Schema, which the OpenAPI document uses."""
    whole, plain = event_of(a_report_text(count=5.0)), event_of(a_report_text(count=5))
    assert whole.attributes == plain.attributes
    assert receiptid(whole) == receiptid(plain)
