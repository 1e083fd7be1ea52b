"""The headers of the CloudEvents HTTP binding: the content mode, and in binary mode the attributes."""

import unicodedata
from typing import Literal
from urllib.parse import quote

import pytest

from services.intake.asgi import RequestRefusedError
from services.intake.cloudevents import http_binding, schema_errors
from services.intake.cloudevents.http_binding import ContentMode, MalformedEvent
from services.intake.core.cloud_event import CloudEvent
from services.intake.core.problems import Refusal, RequestProblem
from tests.support.assertions.decoding import read_all

Pairs = list[tuple[bytes, bytes]]
DATA = b"{}"


def headers(**named: str) -> Pairs:
    """Build header pairs as the HTTP server passes them."""
    return [(name.replace("_", "-").encode(), value.encode()) for name, value in named.items()]


def binary_headers(**named: str) -> Pairs:
    """Build the headers of an event in binary mode."""
    minimal = {
        "content_type": "application/json",
        "ce_specversion": "1.0",
        "ce_id": "1",
        "ce_source": "urn:x",
        "ce_type": "t",
    }
    return headers(**(minimal | named))


def subject_of(value: str) -> object:
    """Return the subject of an event in binary mode with *value* in the header."""
    (event,) = read_all(ContentMode.BINARY, binary_headers(ce_subject=value), DATA)
    assert isinstance(event, CloudEvent)
    return event.attributes["subject"]


def refuse_unreadable(given: Pairs) -> Refusal:
    """Return the refusal of headers that cannot be decoded."""
    with pytest.raises(RequestRefusedError) as refused:
        read_all(ContentMode.BINARY, given, DATA)
    return refused.value.refusal


def refuse_unsupported(given: Pairs) -> Refusal:
    """Return the refusal of headers that declare no content mode."""
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
    """The mode does not depend on the case of the media type or on a charset of UTF-8."""
    assert http_binding.mode_of(headers(content_type=media_type)) is mode


@pytest.mark.parametrize("name", ["ce_id", "ce_source", "ce_type", "ce_specversion"])
def test_json_with_cloudevents_headers_is_binary_mode(name: str) -> None:
    """JSON with any required attribute in a header is in binary mode."""
    assert http_binding.mode_of(binary_headers()) is ContentMode.BINARY
    assert http_binding.mode_of(headers(content_type="application/json", **{name: "x"})) is ContentMode.BINARY


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type"])
def test_a_missing_header_is_reported_by_its_attribute(name: str) -> None:
    """A missing required header is an error at the pointer of its attribute."""
    given = [pair for pair in binary_headers() if pair[0] != f"ce-{name}".encode()]
    (event,) = read_all(ContentMode.BINARY, given, DATA)
    assert isinstance(event, MalformedEvent)
    assert [error.pointer for error in event.errors] == [f"/{name}"]


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
def test_any_other_content_type_is_refused(given: Pairs) -> None:
    """A request of another media type, charset or coding is refused with 415."""
    assert refuse_unsupported(given).problem is RequestProblem.UNSUPPORTED_MEDIA_TYPE


def test_the_lines_of_a_header_are_one_list() -> None:
    """Repeated `Content-Encoding` lines are one list (RFC 9110 section 5.3), in which each coding counts."""
    structured = headers(content_type="application/cloudevents+json")
    gzip, identity = headers(content_encoding="gzip"), headers(content_encoding="identity")
    assert refuse_unsupported([*structured, *gzip, *identity]).accepted_codings == ("identity",)
    assert refuse_unsupported([*structured, *identity, *gzip]).accepted_codings == ("identity",)
    assert (
        http_binding.mode_of([*structured, *identity, *headers(content_encoding="Identity,")]) is ContentMode.STRUCTURED
    )


def test_a_refusal_names_what_is_accepted() -> None:
    """A refused coding is answered with codings, a refused media type with media types (RFC 9110, 15.5.16)."""
    accepted = ("application/cloudevents+json", "application/cloudevents-batch+json", "application/json")
    refusal = refuse_unsupported(headers(content_type="application/cloudevents+json", content_encoding="gzip"))
    assert (refusal.accepted_codings, refusal.accepted_media_types) == (("identity",), ())
    assert refuse_unsupported(headers(content_type="text/plain")).accepted_media_types == accepted
    assert refuse_unsupported([]).accepted_media_types == accepted


@pytest.mark.parametrize("text", ["Sở Tài chính", 'says "hi"', "100%", "ế😀"])
def test_a_percent_encoded_header_is_decoded(text: str) -> None:
    """Header values are percent-decoded as UTF-8."""
    assert subject_of(quote(text)) == text


@pytest.mark.parametrize(
    "value,text", [('"a b"', "a b"), (r'"a\b\"c\\d"', 'ab"c\\d'), (r'"\\\\"', "\\\\"), ('"', '"'), (r"a\b", r"a\b")]
)
def test_a_quoted_header_is_unquoted(value: str, text: str) -> None:
    """Older senders quote header values: quotes and escapes are not part of the value (RFC 9110 section 5.6.4)."""
    assert subject_of(value) == text


@pytest.mark.parametrize("text", ["sở-tài-chính", "UBND huyện Thọ Xuân"])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_letters_sent_as_they_are_are_taken(text: str, form: Literal["NFC", "NFD"]) -> None:
    """The SDKs of Go and Java send UTF-8 without encoding it by percent signs; it is recorded in NFC."""
    assert subject_of(unicodedata.normalize(form, text)) == text


def test_a_header_in_latin_1_is_unreadable() -> None:
    """Bytes that are no UTF-8 are refused with 400, and not taken for other letters."""
    given = [*binary_headers(), (b"ce-subject", "s\u00f2".encode("latin-1"))]
    assert refuse_unreadable(given).problem is RequestProblem.UNREADABLE


def test_an_empty_body_is_an_event_without_data() -> None:
    """It is told as what it is, and not as JSON that was cut off."""
    (event,) = read_all(ContentMode.BINARY, binary_headers(), b"")
    assert isinstance(event, CloudEvent)
    assert event.raw_data == b"null"
    errors = schema_errors.parse_fact("vn.dondoc.report.submitted.v1", None)
    assert isinstance(errors, tuple)
    assert [(one.pointer, "có phần data" in str(one.detail)) for one in errors] == [("/data", True)]


@pytest.mark.parametrize("value", ["%FF", "%C3%28"])
def test_a_header_that_is_not_utf8_is_unreadable(value: str) -> None:
    """A header that is not UTF-8 is refused with 400."""
    assert refuse_unreadable(binary_headers(ce_subject=value)).problem is RequestProblem.UNREADABLE


def test_an_attribute_given_twice_is_unreadable() -> None:
    """An attribute in two headers is refused with 400, because it is unclear which one is meant."""
    assert refuse_unreadable([*binary_headers(), (b"ce-id", b"2")]).problem is RequestProblem.UNREADABLE


@pytest.mark.parametrize(
    "given,beginning",
    [
        (headers(content_type="text/plain"), "không nhận text/plain; hãy gửi"),
        ([], "yêu cầu không có content-type; hãy gửi"),
        (headers(content_type="application/json; charset=utf-16"), "không nhận bảng mã utf-16; hãy gửi"),
        (headers(content_encoding="gzip"), "không nhận content-encoding gzip; hãy gửi nội dung không nén"),
    ],
)
def test_a_refused_content_type_is_explained_in_vietnamese(given: Pairs, beginning: str) -> None:
    """The Vietnamese message has no English words except names of HTTP."""
    message = refuse_unsupported(given).detail.vi
    assert message.startswith(beginning)
    assert not {"with", "headers", "or", "is", "not", "send"} & set(message.replace(",", " ").split())


def test_an_undecodable_header_is_named_in_vietnamese() -> None:
    """The Vietnamese message names the header."""
    assert refuse_unreadable(binary_headers(ce_subject="%FF")).detail.vi == (
        "trường tiêu đề ce-subject không phải UTF-8, cũng không phải UTF-8 mã hóa dạng %XX"
    )
    assert refuse_unreadable([*binary_headers(), (b"ce-id", b"2")]).detail.vi == (
        "trường tiêu đề ce-id không được có ở đây hoặc không được lặp lại"
    )
