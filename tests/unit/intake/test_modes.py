"""The three content modes: which headers declare them, and what they carry."""

import base64
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.asgi import RequestRefusedError
from services.intake.cloudevents.http_binding import MalformedEvent, ContentMode
from services.intake.core.cloud_event import CloudEvent
from services.intake.core.problems import RequestProblem
from tests.support.assertions.decoding import read_all

DATA = {"plan": "P-1", "note": "đã gửi"}


def an_event(**changes: Any) -> dict[str, Any]:
    """The least event; `data=None` leaves its data out."""
    usual = {"specversion": "1.0", "id": "1", "source": "urn:x", "type": "t", "data": DATA}
    return {name: value for name, value in (usual | changes).items() if name != "data" or value is not None}


def written(value: object) -> bytes:
    """JSON bytes."""
    return json.dumps(value, ensure_ascii=False).encode()


BINARY = [
    (b"content-type", b"application/json"),
    (b"ce-specversion", b"1.0"),
    (b"ce-id", b"1"),
    (b"ce-source", b"urn:x"),
    (b"ce-type", b"t"),
]


def one(mode: ContentMode, body: bytes, given: list[tuple[bytes, bytes]] | None = None) -> CloudEvent:
    """The only event, which must have no fault."""
    (arrived,) = read_all(mode, given or [], body)
    assert isinstance(arrived, CloudEvent)
    return arrived


def refusal_of(mode: ContentMode, body: bytes, given: list[tuple[bytes, bytes]] | None = None) -> RequestProblem:
    """Why nothing could be read."""
    with pytest.raises(RequestRefusedError) as refused:
        read_all(mode, given or [], body)
    return refused.value.refusal.problem


def test_the_three_modes_carry_the_same_event() -> None:
    """One event has one content, however it is sent, so that a retry in another mode is known."""
    structured = one(ContentMode.STRUCTURED, written(an_event()))
    binary = one(ContentMode.BINARY, written(DATA), BINARY)
    batched = one(ContentMode.BATCH, written([an_event()]))
    encoded = one(
        ContentMode.STRUCTURED, written({**an_event(data=None), "data_base64": base64.b64encode(written(DATA)).decode()})
    )
    assert structured.content == binary.content == batched.content == encoded.content


def test_order_of_keys_and_spaces_do_not_change_the_content() -> None:
    """The content is one canonical writing; the digest is of the bytes as received."""
    first = one(ContentMode.STRUCTURED, written(an_event()))
    second = one(ContentMode.STRUCTURED, json.dumps(dict(reversed(an_event().items())), indent=2).encode())
    assert first.content == second.content
    assert first.sha256 != second.sha256


def test_the_digest_is_of_the_bytes_as_received() -> None:
    """In a batch it is of the event's own bytes."""
    event = written(an_event())
    assert one(ContentMode.STRUCTURED, event).sha256 == hashlib.sha256(event).hexdigest()
    assert one(ContentMode.BATCH, b"[ " + event + b" ]").sha256 == hashlib.sha256(event).hexdigest()


def test_the_data_keeps_the_senders_writing() -> None:
    """A number is not rewritten on its way to the log."""
    body = written(an_event()).replace(b'"note": ', b'"amount": 9984.20, "note": ')
    assert b"9984.20" in one(ContentMode.STRUCTURED, body).raw_data


def test_what_is_intakes_to_say_is_not_believed() -> None:
    """A sender cannot state when the event was received or recorded, nor its receipt."""
    claimed = an_event(receivedtime="2020-01-01T00:00:00Z", recordedtime="2020-01-01T00:00:00Z", receiptid="x")
    assert one(ContentMode.STRUCTURED, written(claimed)).content == one(ContentMode.STRUCTURED, written(an_event())).content


def test_a_null_attribute_is_absent() -> None:
    """The JSON format treats null as not there."""
    assert (
        one(ContentMode.STRUCTURED, written(an_event(subject=None))).content
        == one(ContentMode.STRUCTURED, written(an_event())).content
    )


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"text"', b"\xff\xfe", b'{"id": NaN}', b"[" * 100_000, b'{"a":' * 50_000]
)
def test_what_is_no_json_object_is_unreadable(body: bytes) -> None:
    """Whatever is not an event in JSON is refused with 400, however deep it is nested."""
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
def test_an_event_against_the_rules_is_faulty(changes: dict[str, Any], pointer: str) -> None:
    """Readable events that break a rule are told by pointer."""
    (arrived,) = read_all(ContentMode.STRUCTURED, [], written(an_event(**changes)))
    assert isinstance(arrived, MalformedEvent)
    assert [fault.pointer for fault in arrived.findings] == [pointer]


def test_data_that_cannot_be_read_hide_no_other_fault() -> None:
    """Nobody learns of one fault after the other."""
    event = an_event(data=None, data_base64="%%", id=None, time="now")
    (arrived,) = read_all(ContentMode.STRUCTURED, [], written(event))
    assert isinstance(arrived, MalformedEvent)
    assert [fault.pointer for fault in arrived.findings] == ["/id", "/time", "/data_base64"]


def test_a_batch_may_be_empty() -> None:
    """The specification allows it, and there is nothing wrong to tell."""
    assert read_all(ContentMode.BATCH, [], b"[]") == ()


def test_a_batch_has_at_most_a_thousand_events() -> None:
    """One more is refused with 413."""
    assert len(read_all(ContentMode.BATCH, [], written([an_event()] * 1_000))) == 1_000
    assert refusal_of(ContentMode.BATCH, written([an_event()] * 1_001)) is RequestProblem.TOO_LARGE


def test_an_event_in_a_batch_has_at_most_a_mebibyte() -> None:
    """A larger one is refused with 413, whatever room the batch has."""
    assert refusal_of(ContentMode.BATCH, written([an_event(data="x" * 1024 * 1024)])) is RequestProblem.TOO_LARGE


@given(st.sampled_from(list(ContentMode)), st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_read_or_refused(mode: ContentMode, body: bytes) -> None:
    """No body makes the decoder fail in any other way."""
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
def test_any_json_object_is_read_or_refused(event: dict[str, Any]) -> None:
    """No object makes the decoder fail in any other way."""
    try:
        read_all(ContentMode.STRUCTURED, [], json.dumps(event).encode())
    except RequestRefusedError as refused:
        assert refused.refusal.problem is RequestProblem.UNREADABLE  # noqa: PT017 - the other answer
