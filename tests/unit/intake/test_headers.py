"""What the headers of a request declare: the mode, and in binary mode the attributes."""

from urllib.parse import quote

import pytest

from services.intake.asgi import RequestRefusedError
from services.intake.cloudevents import http_binding
from services.intake.cloudevents.http_binding import MalformedEvent, ContentMode
from services.intake.core.cloud_event import CloudEvent
from services.intake.core.problems import RequestProblem, Refusal
from tests.support.assertions.decoding import read_all

Pairs = list[tuple[bytes, bytes]]
DATA = b"{}"


def headers(**named: str) -> Pairs:
    """Header pairs as the server hands them over."""
    return [(name.replace("_", "-").encode(), value.encode()) for name, value in named.items()]


def binary_headers(**named: str) -> Pairs:
    """The headers of an event in binary mode."""
    usual = {
        "content_type": "application/json",
        "ce_specversion": "1.0",
        "ce_id": "1",
        "ce_source": "urn:x",
        "ce_type": "t",
    }
    return headers(**(usual | named))


def subject_of(value: str) -> object:
    """The subject that an event in binary mode has, with *value* in its header."""
    (arrived,) = read_all(ContentMode.BINARY, binary_headers(ce_subject=value), DATA)
    assert isinstance(arrived, CloudEvent)
    return arrived.attributes["subject"]


def unreadable(given: Pairs) -> Refusal:
    """Why *given* cannot be read."""
    with pytest.raises(RequestRefusedError) as refused:
        read_all(ContentMode.BINARY, given, DATA)
    return refused.value.refusal


def unsupported(given: Pairs) -> Refusal:
    """Why *given* declare no mode."""
    with pytest.raises(RequestRefusedError) as refused:
        http_binding.mode_of(given)
    return refused.value.refusal


@pytest.mark.parametrize(
    "media_type,mode",
    [
        ("application/cloudevents+json", ContentMode.STRUCTURED),
        ("Application/CloudEvents+JSON; charset=UTF-8", ContentMode.STRUCTURED),
        ("application/cloudevents-batch+json", ContentMode.BATCH),
    ],
)
def test_the_media_type_declares_the_mode(media_type: str, mode: ContentMode) -> None:
    """Case and a UTF-8 charset make no difference."""
    assert http_binding.mode_of(headers(content_type=media_type)) is mode


@pytest.mark.parametrize("name", ["ce_id", "ce_source", "ce_type", "ce_specversion"])
def test_json_with_cloudevents_headers_is_binary_mode(name: str) -> None:
    """The attributes are in the headers, the body is the data; any required one tells the mode."""
    assert http_binding.mode_of(binary_headers()) is ContentMode.BINARY
    assert http_binding.mode_of(headers(content_type="application/json", **{name: "x"})) is ContentMode.BINARY


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type"])
def test_a_missing_header_is_told_by_its_attribute(name: str) -> None:
    """Each of the required ones alike."""
    given = [pair for pair in binary_headers() if pair[0] != f"ce-{name}".encode()]
    (arrived,) = read_all(ContentMode.BINARY, given, DATA)
    assert isinstance(arrived, MalformedEvent)
    assert [fault.pointer for fault in arrived.findings] == [f"/{name}"]


@pytest.mark.parametrize(
    "given",
    [
        [],
        headers(content_type="application/json"),
        headers(content_type="application/json", ce_subject="h-mot", ce_specversions="1.0"),
        headers(content_type="text/plain", ce_specversion="1.0"),
        headers(content_type="application/cloudevents+avro"),
        headers(content_type="application/cloudevents+json; charset=utf-16"),
        headers(content_type="application/cloudevents+json", content_encoding="gzip"),
        headers(content_type="application/cloudevents+json", content_encoding="identity, gzip"),
        [*headers(content_type="application/cloudevents+json", content_encoding="gzip"), (b"content-encoding", b"")],
    ],
)
def test_anything_else_is_no_cloudevent(given: Pairs) -> None:
    """An unknown type, charset or coding is refused with 415."""
    assert unsupported(given).problem is RequestProblem.UNSUPPORTED_MEDIA_TYPE


def test_the_lines_of_a_header_are_one_list() -> None:
    """A coding is no less applied because another line follows (RFC 9110 section 5.3)."""
    structured = headers(content_type="application/cloudevents+json")
    gzip, identity = headers(content_encoding="gzip"), headers(content_encoding="identity")
    assert unsupported([*structured, *gzip, *identity]).accepted_codings == ("identity",)
    assert unsupported([*structured, *identity, *gzip]).accepted_codings == ("identity",)
    assert http_binding.mode_of([*structured, *identity, *headers(content_encoding="Identity,")]) is ContentMode.STRUCTURED


def test_who_is_told_that_something_is_not_taken_is_told_what_is() -> None:
    """Codings for a coding, media types for a media type (RFC 9110 section 15.5.16)."""
    taken = ("application/cloudevents+json", "application/cloudevents-batch+json", "application/json")
    coded = unsupported(headers(content_type="application/cloudevents+json", content_encoding="gzip"))
    assert (coded.accepted_codings, coded.accepted_media_types) == (("identity",), ())
    assert unsupported(headers(content_type="text/plain")).accepted_media_types == taken
    assert unsupported([]).accepted_media_types == taken


@pytest.mark.parametrize("text", ["Sở Tài chính", 'says "hi"', "100%", "ế😀"])
def test_a_percent_encoded_header_is_decoded(text: str) -> None:
    """Header values are percent-encoded UTF-8."""
    assert subject_of(quote(text)) == text


@pytest.mark.parametrize(
    "value,text", [('"a b"', "a b"), (r'"a\b\"c\\d"', 'ab"c\\d'), (r'"\\\\"', "\\\\"), ('"', '"'), (r"a\b", r"a\b")]
)
def test_a_quoted_header_is_unquoted(value: str, text: str) -> None:
    """Older senders quote header values; neither the quotes nor what escapes is part of the value (RFC 9110 5.6.4)."""
    assert subject_of(value) == text


@pytest.mark.parametrize("value", ["%FF", "%C3%28"])
def test_a_header_that_is_not_utf8_is_unreadable(value: str) -> None:
    """What cannot be decoded is refused with 400."""
    assert unreadable(binary_headers(ce_subject=value)).problem is RequestProblem.UNREADABLE


def test_an_attribute_given_twice_is_unreadable() -> None:
    """Which of the two would hold is nobody's to guess."""
    assert unreadable([*binary_headers(), (b"ce-id", b"2")]).problem is RequestProblem.UNREADABLE


@pytest.mark.parametrize(
    "given,said",
    [
        (headers(content_type="text/plain"), "không nhận text/plain; hãy gửi"),
        ([], "yêu cầu không có content-type; hãy gửi"),
        (headers(content_type="application/json; charset=utf-16"), "không nhận bảng mã utf-16; hãy gửi"),
        (headers(content_encoding="gzip"), "không nhận content-encoding gzip; hãy gửi nội dung không nén"),
    ],
)
def test_what_is_not_taken_is_told_in_vietnamese(given: Pairs, said: str) -> None:
    """Whole: only names of HTTP stay as they are."""
    told = unsupported(given).detail.vi
    assert told.startswith(said)
    assert not {"with", "headers", "or", "is", "not", "send"} & set(told.replace(",", " ").split())


def test_a_header_that_cannot_be_read_is_told_in_vietnamese() -> None:
    """By its name."""
    assert unreadable(binary_headers(ce_subject="%FF")).detail.vi == (
        "trường tiêu đề ce-subject không phải UTF-8 mã hóa dạng %XX"
    )
    assert unreadable([*binary_headers(), (b"ce-id", b"2")]).detail.vi == (
        "trường tiêu đề ce-id không được có ở đây hoặc không được lặp lại"
    )
