"""The three content modes: which headers declare them, and what they carry."""

import base64
import hashlib
import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake import modes
from services.intake.core.events import Event
from services.intake.core.refusals import Problem
from services.intake.http import RefusedError
from services.intake.modes import Faulty, Mode

DATA = {"plan": "P-1", "note": "đã gửi"}


def an_event(**changes: Any) -> dict[str, Any]:
    """The least event; `data=None` leaves its data out."""
    usual = {"specversion": "1.0", "id": "1", "source": "urn:x", "type": "t", "data": DATA}
    return {name: value for name, value in (usual | changes).items() if name != "data" or value is not None}


def written(value: object) -> bytes:
    """JSON bytes."""
    return json.dumps(value, ensure_ascii=False).encode()


def headers(**named: str) -> list[tuple[bytes, bytes]]:
    """Header pairs as the server hands them over."""
    return [(name.replace("_", "-").encode(), value.encode()) for name, value in named.items()]


def binary_headers(**named: str) -> list[tuple[bytes, bytes]]:
    """The headers of an event in binary mode."""
    usual = {
        "content_type": "application/json",
        "ce_specversion": "1.0",
        "ce_id": "1",
        "ce_source": "urn:x",
        "ce_type": "t",
    }
    return headers(**(usual | named))


def one(mode: Mode, body: bytes, given: list[tuple[bytes, bytes]] | None = None) -> Event:
    """The only event, which must have no fault."""
    (arrived,) = modes.read_all(mode, given or [], body)
    assert isinstance(arrived, Event)
    return arrived


def refusal_of(mode: Mode, body: bytes, given: list[tuple[bytes, bytes]] | None = None) -> Problem:
    """Why nothing could be read."""
    with pytest.raises(RefusedError) as refused:
        modes.read_all(mode, given or [], body)
    return refused.value.refusal.problem


@pytest.mark.parametrize(
    "media_type,mode",
    [
        ("application/cloudevents+json", Mode.STRUCTURED),
        ("Application/CloudEvents+JSON; charset=UTF-8", Mode.STRUCTURED),
        ("application/cloudevents-batch+json", Mode.BATCH),
    ],
)
def test_the_media_type_declares_the_mode(media_type: str, mode: Mode) -> None:
    """Case and a UTF-8 charset make no difference."""
    assert modes.mode_of(headers(content_type=media_type)) is mode


def test_json_with_cloudevents_headers_is_binary_mode() -> None:
    """The attributes are in the headers, the body is the data."""
    assert modes.mode_of(binary_headers()) is Mode.BINARY


@pytest.mark.parametrize(
    "given",
    [
        [],
        headers(content_type="application/json"),
        headers(content_type="text/plain", ce_specversion="1.0"),
        headers(content_type="application/cloudevents+avro"),
        headers(content_type="application/cloudevents+json; charset=utf-16"),
        headers(content_type="application/cloudevents+json", content_encoding="gzip"),
    ],
)
def test_anything_else_is_no_cloudevent(given: list[tuple[bytes, bytes]]) -> None:
    """An unknown type, charset or coding is refused with 415."""
    with pytest.raises(RefusedError) as refused:
        modes.mode_of(given)
    assert refused.value.refusal.problem is Problem.UNSUPPORTED_MEDIA_TYPE


def test_the_three_modes_carry_the_same_event() -> None:
    """One event has one content, however it is sent, so that a retry in another mode is known."""
    structured = one(Mode.STRUCTURED, written(an_event()))
    binary = one(Mode.BINARY, written(DATA), binary_headers())
    batched = one(Mode.BATCH, written([an_event()]))
    encoded = one(
        Mode.STRUCTURED, written({**an_event(data=None), "data_base64": base64.b64encode(written(DATA)).decode()})
    )
    assert structured.content == binary.content == batched.content == encoded.content


def test_order_of_keys_and_spaces_do_not_change_the_content() -> None:
    """The content is one canonical writing; the digest is of the bytes as received."""
    first = one(Mode.STRUCTURED, written(an_event()))
    second = one(Mode.STRUCTURED, json.dumps(dict(reversed(an_event().items())), indent=2).encode())
    assert first.content == second.content
    assert first.sha256 != second.sha256


def test_the_digest_is_of_the_bytes_as_received() -> None:
    """In a batch it is of the event's own bytes."""
    event = written(an_event())
    assert one(Mode.STRUCTURED, event).sha256 == hashlib.sha256(event).hexdigest()
    assert one(Mode.BATCH, b"[ " + event + b" ]").sha256 == hashlib.sha256(event).hexdigest()


def test_the_data_keeps_the_senders_writing() -> None:
    """A number is not rewritten on its way to the log."""
    body = written(an_event()).replace(b'"note": ', b'"amount": 9984.20, "note": ')
    assert b"9984.20" in one(Mode.STRUCTURED, body).written_data


def test_what_is_intakes_to_say_is_not_believed() -> None:
    """A sender cannot state when the event was received or recorded, nor its receipt."""
    claimed = an_event(receivedtime="2020-01-01T00:00:00Z", recordedtime="2020-01-01T00:00:00Z", receiptid="x")
    assert one(Mode.STRUCTURED, written(claimed)).content == one(Mode.STRUCTURED, written(an_event())).content


def test_a_null_attribute_is_absent() -> None:
    """The JSON format treats null as not there."""
    assert (
        one(Mode.STRUCTURED, written(an_event(subject=None))).content
        == one(Mode.STRUCTURED, written(an_event())).content
    )


@pytest.mark.parametrize("text", ["Sở Tài chính", 'says "hi"', "100%", "ế😀"])
def test_a_percent_encoded_header_is_decoded(text: str) -> None:
    """Header values are percent-encoded UTF-8."""
    event = one(Mode.BINARY, written(DATA), binary_headers(ce_subject=quote(text)))
    assert event.attributes["subject"] == text


def test_a_quoted_header_is_unquoted() -> None:
    """Older senders quote header values; the quotes are not part of the value."""
    assert one(Mode.BINARY, written(DATA), binary_headers(ce_subject='"a b"')).attributes["subject"] == "a b"


@pytest.mark.parametrize("value", ["%FF", "%C3%28"])
def test_a_header_that_is_not_utf8_is_unreadable(value: str) -> None:
    """What cannot be decoded is refused with 400."""
    assert refusal_of(Mode.BINARY, written(DATA), binary_headers(ce_subject=value)) is Problem.UNREADABLE


def test_an_attribute_given_twice_is_unreadable() -> None:
    """Which of the two would hold is nobody's to guess."""
    assert refusal_of(Mode.BINARY, written(DATA), [*binary_headers(), (b"ce-id", b"2")]) is Problem.UNREADABLE


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"text"', b"\xff\xfe", b'{"id": NaN}', b"[" * 100_000, b'{"a":' * 50_000]
)
def test_what_is_no_json_object_is_unreadable(body: bytes) -> None:
    """Whatever is not an event in JSON is refused with 400, however deep it is nested."""
    assert refusal_of(Mode.STRUCTURED, body) is Problem.UNREADABLE


@pytest.mark.parametrize(
    "changes,pointer",
    [
        ({"data_base64": "e30="}, "/data_base64"),
        ({"data": None, "data_base64": "%%"}, "/data_base64"),
        ({"id": None}, "/id"),
    ],
)
def test_an_event_against_the_rules_is_faulty(changes: dict[str, Any], pointer: str) -> None:
    """Readable events that break a rule are told by pointer."""
    (arrived,) = modes.read_all(Mode.STRUCTURED, [], written(an_event(**changes)))
    assert isinstance(arrived, Faulty)
    assert [fault.pointer for fault in arrived.findings] == [pointer]


def test_a_batch_may_be_empty() -> None:
    """The specification allows it, and there is nothing wrong to tell."""
    assert modes.read_all(Mode.BATCH, [], b"[]") == ()


def test_a_batch_has_at_most_a_thousand_events() -> None:
    """One more is refused with 413."""
    assert len(modes.read_all(Mode.BATCH, [], written([an_event()] * 1_000))) == 1_000
    assert refusal_of(Mode.BATCH, written([an_event()] * 1_001)) is Problem.TOO_LARGE


def test_an_event_in_a_batch_has_at_most_a_mebibyte() -> None:
    """A larger one is refused with 413, whatever room the batch has."""
    assert refusal_of(Mode.BATCH, written([an_event(data="x" * 1024 * 1024)])) is Problem.TOO_LARGE


@given(st.sampled_from(list(Mode)), st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_read_or_refused(mode: Mode, body: bytes) -> None:
    """No body makes the decoder fail in any other way."""
    try:
        modes.read_all(mode, binary_headers(), body)
    except RefusedError as refused:
        assert refused.refusal.problem in {Problem.UNREADABLE, Problem.TOO_LARGE}  # noqa: PT017 - either is an answer


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
        modes.read_all(Mode.STRUCTURED, [], json.dumps(event).encode())
    except RefusedError as refused:
        assert refused.refusal.problem is Problem.UNREADABLE  # noqa: PT017 - the other answer
