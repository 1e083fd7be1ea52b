"""Decoding of events in the three content modes of the CloudEvents HTTP binding."""

import base64
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.asgi import RequestRefusedError
from services.intake.cloudevents.http_binding import ContentMode, MalformedEvent
from services.intake.core.cloud_event import CloudEvent
from services.intake.core.problems import RequestProblem
from tests.support.assertions.decoding import read_all

DATA = {"plan": "P-1", "note": "đã gửi"}


def an_event(**changes: Any) -> dict[str, Any]:
    """Build a minimal event; `data=None` leaves its data out."""
    minimal = {"specversion": "1.0", "id": "1", "source": "urn:x", "type": "t", "data": DATA}
    return {name: value for name, value in (minimal | changes).items() if name != "data" or value is not None}


def encode(value: object) -> bytes:
    """Return *value* as JSON."""
    return json.dumps(value, ensure_ascii=False).encode()


BINARY = [
    (b"content-type", b"application/json"),
    (b"ce-specversion", b"1.0"),
    (b"ce-id", b"1"),
    (b"ce-source", b"urn:x"),
    (b"ce-type", b"t"),
]


def decode_one(mode: ContentMode, body: bytes, headers: list[tuple[bytes, bytes]] | None = None) -> CloudEvent:
    """Return the only event of a request, which must be valid."""
    (event,) = read_all(mode, headers or [], body)
    assert isinstance(event, CloudEvent)
    return event


def refusal_of(mode: ContentMode, body: bytes, headers: list[tuple[bytes, bytes]] | None = None) -> RequestProblem:
    """Return the problem for which a request is refused."""
    with pytest.raises(RequestRefusedError) as refused:
        read_all(mode, headers or [], body)
    return refused.value.refusal.problem


def test_the_three_modes_carry_the_same_event() -> None:
    """An event has the same canonical form in every mode, so that a retry in another mode is recognised."""
    structured = decode_one(ContentMode.STRUCTURED, encode(an_event()))
    binary = decode_one(ContentMode.BINARY, encode(DATA), BINARY)
    batched = decode_one(ContentMode.BATCH, encode([an_event()]))
    encoded = decode_one(
        ContentMode.STRUCTURED,
        encode({**an_event(data=None), "data_base64": base64.b64encode(encode(DATA)).decode()}),
    )
    assert structured.content == binary.content == batched.content == encoded.content


def test_order_of_keys_and_spaces_do_not_change_the_content() -> None:
    """The canonical form does not depend on order and spaces; the digest of the received bytes does."""
    first = decode_one(ContentMode.STRUCTURED, encode(an_event()))
    second = decode_one(ContentMode.STRUCTURED, json.dumps(dict(reversed(an_event().items())), indent=2).encode())
    assert first.content == second.content
    assert first.sha256 != second.sha256


def test_the_digest_is_of_the_bytes_as_received() -> None:
    """The digest of an event in a batch covers the event's own bytes."""
    event = encode(an_event())
    assert decode_one(ContentMode.STRUCTURED, event).sha256 == hashlib.sha256(event).hexdigest()
    assert decode_one(ContentMode.BATCH, b"[ " + event + b" ]").sha256 == hashlib.sha256(event).hexdigest()


def test_the_data_is_kept_as_sent() -> None:
    """A number in the data is not reformatted on its way to the log."""
    body = encode(an_event()).replace(b'"note": ', b'"amount": 9984.20, "note": ')
    assert b"9984.20" in decode_one(ContentMode.STRUCTURED, body).raw_data


def test_reserved_attributes_of_a_sender_are_dropped() -> None:
    """A sender cannot set when an event was received or recorded, or its receipt id."""
    claimed = an_event(receivedtime="2020-01-01T00:00:00Z", recordedtime="2020-01-01T00:00:00Z", receiptid="x")
    assert (
        decode_one(ContentMode.STRUCTURED, encode(claimed)).content
        == decode_one(ContentMode.STRUCTURED, encode(an_event())).content
    )


def test_a_null_attribute_is_absent() -> None:
    """The JSON format of CloudEvents treats null as absent."""
    assert (
        decode_one(ContentMode.STRUCTURED, encode(an_event(subject=None))).content
        == decode_one(ContentMode.STRUCTURED, encode(an_event())).content
    )


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"text"', b"\xff\xfe", b'{"id": NaN}', b"[" * 100_000, b'{"a":' * 50_000]
)
def test_a_body_that_is_no_json_object_is_unreadable(body: bytes) -> None:
    """A body that is not a JSON object is refused with 400, also if it is nested very deeply."""
    assert refusal_of(ContentMode.STRUCTURED, body) is RequestProblem.UNREADABLE


@pytest.mark.parametrize(
    "changes,pointer",
    [
        ({"data_base64": "e30="}, "/data_base64"),
        ({"data": None, "data_base64": "%%"}, "/data_base64"),
        ({"data": None, "data_base64": 7}, "/data_base64"),
        ({"id": None}, "/id"),
    ],
)
def test_an_event_that_breaks_a_rule_is_malformed(changes: dict[str, Any], pointer: str) -> None:
    """An event that can be decoded but breaks a rule has an error with the pointer."""
    (event,) = read_all(ContentMode.STRUCTURED, [], encode(an_event(**changes)))
    assert isinstance(event, MalformedEvent)
    assert [error.pointer for error in event.errors] == [pointer]


def test_undecodable_data_does_not_hide_other_errors() -> None:
    """The errors of the attributes are reported together with that of the data."""
    body = encode(an_event(data=None, data_base64="%%", id=None, time="now"))
    (event,) = read_all(ContentMode.STRUCTURED, [], body)
    assert isinstance(event, MalformedEvent)
    assert [error.pointer for error in event.errors] == ["/id", "/time", "/data_base64"]


def test_a_batch_may_be_empty() -> None:
    """The specification allows an empty batch, and it has no errors."""
    assert read_all(ContentMode.BATCH, [], b"[]") == ()


def test_a_batch_has_at_most_a_thousand_events() -> None:
    """A batch of 1,000 events is accepted, and one of 1,001 is refused with 413."""
    assert len(read_all(ContentMode.BATCH, [], encode([an_event()] * 1_000))) == 1_000
    assert refusal_of(ContentMode.BATCH, encode([an_event()] * 1_001)) is RequestProblem.TOO_LARGE


def test_an_event_in_a_batch_has_at_most_a_mebibyte() -> None:
    """A larger event is refused with 413, although the batch is below its own limit."""
    assert refusal_of(ContentMode.BATCH, encode([an_event(data="x" * 1024 * 1024)])) is RequestProblem.TOO_LARGE


@given(st.sampled_from(list(ContentMode)), st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_decoded_or_refused(mode: ContentMode, body: bytes) -> None:
    """Arbitrary bytes give events or a refusal, and no other exception."""
    try:
        read_all(mode, BINARY, body)
    except RequestRefusedError as refused:
        assert refused.refusal.problem in {RequestProblem.UNREADABLE, RequestProblem.TOO_LARGE}  # noqa: PT017 - either is an answer


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@given(
    st.dictionaries(
        st.sampled_from(["specversion", "id", "source", "type", "data", "data_base64", "x", "time"]), JSON_VALUES
    )
)
def test_any_json_object_is_decoded_or_refused(event: dict[str, Any]) -> None:
    """An arbitrary JSON object gives an event or a refusal, and no other exception."""
    try:
        read_all(ContentMode.STRUCTURED, [], json.dumps(event).encode())
    except RequestRefusedError as refused:
        assert refused.refusal.problem is RequestProblem.UNREADABLE  # noqa: PT017 - the other answer
