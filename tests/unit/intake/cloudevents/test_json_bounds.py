"""The bounds of JSON in an event: depth, doubled names and counts, each refused with its pointer in every mode."""

import base64
import json
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events.facts import SUBMITTED
from schemas.plan.values import Bilingual
from schemas.problems import FieldError
from services.intake.asgi import RequestRefusedError
from services.intake.cloudevents import fast_path, json_bounds, schema_errors
from services.intake.cloudevents.http_binding import ContentMode, MalformedEvent
from services.intake.cloudevents.schema_errors import ITEMS_MAX
from services.intake.cloudevents.validator import EventValidator
from services.intake.core.cloud_event import CloudEvent
from services.intake.core.problems import Refusal, RequestProblem
from tests.support.assertions.decoding import EVERYBODY, ExamplePlan, RequestChecker, read_all
from tests.support.builders.plans import Json, a_submission

CHECKER = RequestChecker()
BINARY = (
    *((b"content-type", b"application/json"), (b"ce-specversion", b"1.0"), (b"ce-id", b"s-1")),
    *((b"ce-source", b"urn:x"), (b"ce-type", SUBMITTED.encode())),
)
Sent = Callable[[bytes], list[str]]


def pointers(mode: ContentMode, body: bytes) -> list[str]:
    """Return the pointers of the errors of a request with one event; none if the event is well formed."""
    (event,) = read_all(mode, BINARY if mode is ContentMode.BINARY else (), body)
    return [one.pointer for one in event.errors] if isinstance(event, MalformedEvent) else []


def in_structured_mode(data: bytes) -> list[str]:
    """Return the pointers of the errors of an event with *data* in structured mode."""
    return pointers(ContentMode.STRUCTURED, event_text(data))


def in_batch_mode(data: bytes) -> list[str]:
    """Return the pointers of the errors of the only event of a batch."""
    return pointers(ContentMode.BATCH, b"[%b]" % event_text(data))


def in_binary_mode(data: bytes) -> list[str]:
    """Return the pointers of the errors of an event in binary mode."""
    return pointers(ContentMode.BINARY, data)


def in_base64(data: bytes) -> list[str]:
    """Return the pointers of the errors of an event whose data is in base64."""
    event = a_submission() | {"data_base64": base64.b64encode(data).decode()}
    del event["data"]
    return pointers(ContentMode.STRUCTURED, json.dumps(event).encode())


EVERY_MODE = pytest.mark.parametrize("sent", [in_structured_mode, in_batch_mode, in_binary_mode, in_base64])


def event_text(data: bytes) -> bytes:
    """Return an event in structured mode with the text *data* as its data."""
    return json.dumps(a_submission() | {"data": "@"}).encode().replace(b'"@"', data)


def nested(levels: int, opening: bytes = b'{"a":', closing: bytes = b"}") -> bytes:
    """Return a value of *levels* nested objects (or arrays)."""
    return opening * levels + b"1" + closing * levels


@EVERY_MODE
@pytest.mark.parametrize(
    "form", [(b'{"a":', b"}"), (b"[", b"]"), (b'[{"a":', b"}]")], ids=["objects", "arrays", "both"]
)
def test_the_event_may_have_32_levels(sent: Sent, form: tuple[bytes, bytes]) -> None:
    """The event is the first level and its data the second. The 33rd is refused with its pointer."""
    step = form[0].count(b"[") + form[0].count(b"{")
    room = 30 // step  # levels below the event and its data
    assert sent(b'{"zz":%b}' % nested(room, *form)) == []
    (pointer,) = sent(b'{"zz":%b}' % nested(room + 1, *form))
    assert pointer.startswith("/data/zz/")
    assert pointer.count("/") == json_bounds.LEVELS_MAX


@EVERY_MODE
def test_depth_does_not_depend_on_the_stack_of_the_decoder(sent: Sent) -> None:
    """300 levels, which a decoder reads from any stack that a test runner makes, are refused like 33."""
    (pointer,) = sent(b'{"zz":%b}' % nested(300))
    assert pointer == "/data/zz" + "/a" * 30


@pytest.mark.parametrize(
    "mode,body,pointer",
    [
        (ContentMode.STRUCTURED, event_text(nested(50_000)), "/data" + "/a" * 31),
        (ContentMode.BATCH, b"[%b,%b]" % (event_text(b"1"), event_text(nested(50_000))), "/1/data" + "/a" * 31),
        (ContentMode.BINARY, nested(50_000), "/data" + "/a" * 31),
        (ContentMode.STRUCTURED, b'{"a":' * 50_000 + b"]" * 60_000, "/a" * 32),
    ],
    ids=["structured", "batch", "binary", "no JSON behind"],
)
def test_what_no_decoder_can_read_is_unreadable_with_its_pointer(mode: ContentMode, body: bytes, pointer: str) -> None:
    """A text that the decoder gives up on is refused with 400, and the first place too deep is named all the same."""
    with pytest.raises(RequestRefusedError) as refused:
        read_all(mode, BINARY, body)
    assert refused.value.refusal.problem is RequestProblem.UNREADABLE
    assert [one.pointer for one in refused.value.refusal.errors] == [pointer]


@EVERY_MODE
@pytest.mark.parametrize(
    "data,pointer",
    [
        (b'{"agency": "h-mot", "agency": "h-hai"}', "/data/agency"),
        (b'{"agency": "h-mot", "x": {}, "\\u0061gency": "h-mot"}', "/data/agency"),
        (b'{"zz": [1, {"a": {"b/c~d": 1, "e": [], "b/c~d": 1}}]}', "/data/zz/1/a/b~1c~0d"),
        (b'{"a": ":", "b": "\\u003a", "b": 1}', "/data/b"),
        (b'{"": 1, "": 2}', "/data/"),
        (b'{"zz": {"a": 1, "a": 2}, "zz": {"a": 1, "a": 2}}', "/data/zz"),
        ('{"s\u1edf": 1, "so\u031b\u0309": 2}'.encode(), "/data/s\u1edf"),
        (b'{"s\\u1edf": 1, "so\\u031b\\u0309": 2}', "/data/s\u1edf"),
    ],
)
def test_a_name_twice_in_one_object_is_refused_with_its_pointer(sent: Sent, data: bytes, pointer: str) -> None:
    """Anywhere in the data, in any writing and Unicode form; nothing inside a doubled member is named."""
    assert sent(data) == [pointer]


@EVERY_MODE
def test_the_same_name_in_two_objects_is_one_in_each(sent: Sent) -> None:
    """Names are compared within their object only, and with regard to case."""
    assert sent(b'{"a": {"a": [{"a": ":{[,"}, {"a": "\\"a\\":"}]}, "A": {"a": "\\u003a"}}') == []


@pytest.mark.parametrize("name", ["id", "source", "traceparent", "receivedtime", "data", "datacontenttype"])
def test_an_attribute_twice_is_refused(name: str) -> None:
    """Of the two ids of an event every consumer could believe another. Extension attributes are no exception."""
    text = json.dumps(a_submission()).encode()
    doubled = text[:-1] + b', "%b": "x", "%b": "x"}' % (name.encode(), name.encode())
    assert pointers(ContentMode.STRUCTURED, doubled) == [f"/{name}"]
    assert pointers(ContentMode.BATCH, b"[%b]" % doubled) == [f"/{name}"]


def test_the_pointer_of_an_event_in_a_batch_begins_with_its_index() -> None:
    """The refusal of a batch names the place within the request, not within the event."""
    refusal = refuse_batch(json.dumps(a_submission()).encode(), event_text(b'{"a": 1, "a": 1}'), event_text(nested(32)))
    assert refusal.problem is RequestProblem.INVALID
    found = {one.pointer for one in refusal.errors}
    assert found > {"/1/data/a", "/2/data" + "/a" * 31}


def refuse_batch(*events: bytes) -> Refusal:
    """Return the refusal of a batch of *events*."""
    received = dict(enumerate(read_all(ContentMode.BATCH, (), b"[%b]" % b",".join(events))))
    with pytest.raises(RequestRefusedError) as refused:
        EventValidator(ExamplePlan()).validate(received, EVERYBODY, is_batch=True)
    return refused.value.refusal


def a_report(**counts: int) -> Json:
    """Build a report with so many `sections`, `indicators` and `attachments`."""
    attachment = {"name": "a.pdf", "media_type": "application/pdf", "size": 1, "sha256": "a" * 64, "url": None}
    content = {
        "nil_return": False,
        "figures_as_of": None,
        "sections": {f"s{number}": "x" for number in range(counts.get("sections", 0))},
        "indicators": {f"i{number}": number for number in range(counts.get("indicators", 0))},
    }
    data = {"content": content, "attachments": [attachment] * counts.get("attachments", 0)}
    return a_submission(data=data)


@pytest.mark.parametrize(
    "name,pointer",
    [
        ("sections", "/data/content/sections"),
        ("indicators", "/data/content/indicators"),
        ("attachments", "/data/attachments"),
    ],
)
def test_500_of_each_are_accepted_and_501_refused(name: str, pointer: str) -> None:
    """Both paths hold the bound; the message says in either language how many there are and how many may be."""
    most, excess = a_report(**{name: ITEMS_MAX}), a_report(**{name: ITEMS_MAX + 1})
    assert fast_path.decode_report(msgspec.json.encode(most)) is not None
    assert fast_path.decode_report(msgspec.json.encode(excess)) is None
    assert not isinstance(schema_errors.parse_fact(SUBMITTED, most["data"]), tuple)
    errors = schema_errors.parse_fact(SUBMITTED, excess["data"])
    detail = Bilingual.of(en="has 501 entries; at most 500", vi="có 501 mục; tối đa 500 mục")
    assert errors == (FieldError(pointer=pointer, detail=detail),)


@given(st.data())
def test_no_path_accepts_a_doubled_name(data: st.DataObject) -> None:
    """Wherever a member of a plain report is written twice, it is refused, by the fast path's decline too."""
    text = msgspec.json.encode(a_submission(data={"period": "2024", "corrects": None}))
    names = [
        (match.start(), match.end()) for match in json_bounds._TOKEN.finditer(text) if text[match.end() :][:1] == b":"
    ]
    start, end = data.draw(st.sampled_from(names))
    filler = data.draw(st.sampled_from([b"1", b'"x"', b'":"', b"null", b"{}", b'[":"]']))
    doubled = text[:start] + text[start:end] + b":" + filler + b"," + text[start:]
    assert pointers(ContentMode.STRUCTURED, doubled)
    assert CHECKER.check(b"structured\n" + doubled) == ()
    assert CHECKER.check(b"batch\n[%b]" % doubled) == ()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
        max_leaves=30,
    ),
    st.booleans(),
    st.sampled_from([None, 1]),
)
def test_any_other_json_has_no_errors(value: object, ensure_ascii: bool, indent: int | None) -> None:  # noqa: FBT001
    """The scanner and the quick look agree that a value without doubled names has none, in every way to write it."""
    text = json.dumps(value, ensure_ascii=ensure_ascii, indent=indent).encode("utf-8", "surrogatepass")
    assert json_bounds.scan(text) == ()
    assert json_bounds.find_errors(text, msgspec.json.encode(value)) == ()


@given(st.lists(st.sampled_from([b"[", b"{"]), min_size=25, max_size=40), st.integers(1, 35))
def test_the_bound_on_depth_is_exact(opened: list[bytes], levels: int) -> None:
    """The quick count of levels and the search for the place agree at any bound."""
    text = b"1"
    for one in reversed(opened):
        text = b'[1,%b,"]"]' % text if one == b"[" else b'{"a":"{","b":%b}' % text
    errors = json_bounds.find_errors(text, msgspec.json.encode(msgspec.json.decode(text)), levels=levels)
    assert len(errors) == (len(opened) > levels)
    assert errors == json_bounds.scan(text, levels=levels)


def test_the_number_of_errors_is_bounded() -> None:
    """A text full of doubled names is answered with a limited number of errors."""
    twice = b",".join(b'"%d":1,"%d":1' % (number, number) for number in range(5_000))
    assert len(in_binary_mode(b"{%b}" % twice)) == json_bounds.ERRORS_MAX


@pytest.mark.parametrize(
    "data,pointer",
    [
        (b'{"zz":[%b]}' % b",".join([b"[]"] * 300_000), None),
        (b'{"zz":[%b,"\\u003a"]}' % b",".join([b'{"a":":"}'] * 100_000), None),
        (b'{"zz":[%b],"zz":1}' % b",".join([b"[]"] * 300_000), "/data"),
        (b'{"zz":[%b,%b]}' % (b",".join([b"[]"] * 300_000), nested(31)), "/data"),
        (b'{"a":1,"a":1,"zz":[%b]}' % b",".join([b"[]"] * 300_000), "/data/a"),
    ],
    ids=["many arrays", "many members", "doubled at the end", "deep at the end", "doubled at the start"],
)
def test_a_huge_event_is_not_searched_to_its_end(data: bytes, pointer: str | None) -> None:
    """It is accepted or refused all the same; only a place beyond the first 100,000 tokens is not named exactly."""
    assert in_binary_mode(data) == ([] if pointer is None else [pointer])


def test_a_long_pointer_names_what_encloses_the_place() -> None:
    """Doubled names far inside members with long names do not make an answer that is larger than the request."""
    long_name = b"n" * 1_000
    twice = b",".join(b'"%d":1,"%d":1' % (number, number) for number in range(100))
    data = b'{"%b":{"%b":{%b}}}' % (long_name, long_name, twice)
    assert in_binary_mode(data) == [f"/data/{long_name.decode()}"]


def test_an_event_at_its_bounds_is_a_cloud_event() -> None:
    """A report with 32 levels is decoded, and its data kept as it was written."""
    data = json.dumps(a_submission()["data"]).encode()[:-1] + b', "zz": %b}' % nested(30)
    (event,) = read_all(ContentMode.STRUCTURED, (), event_text(data))
    assert isinstance(event, CloudEvent)
    assert event.raw_data == data
