"""All text of an event is Unicode NFC in its record, in every mode and on both paths."""

import hashlib
import json
import unicodedata
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.cloudevents import fast_path, nfc, pipeline
from services.intake.cloudevents.http_binding import ContentMode
from services.intake.core.cloud_event import CloudEvent
from services.intake.core.fact_record import identity_and_digest
from tests.support.assertions.decoding import EVERYBODY, RECEIVED, ExamplePlan, RequestChecker, read_all
from tests.support.builders.plans import Json, a_submission

CHECKER = RequestChecker()
TITLE = "Kết quả thực hiện ủy thác: “Đông Sơn”"
NAMES = {"plan": "6766-KH-UBND", "obligation": "annual-results", "agency": "h-dong-son"}
DATA: Json = {
    **NAMES,
    "document": {"number": "12/BC-UBND", "issued_on": "2024-12-01", "signed_by": "Nguyễn Thị Hồng", "title": TITLE},
    "content": {
        "nil_return": False,
        "figures_as_of": None,
        "sections": {"kết quả": "Đã chuyển vốn\n\tủy thác"},
        "indicators": {"vốn": "9984.20", "nợ": 1.50},
    },
}


def decompose(value: Any) -> Any:
    """Return *value* with all its text in NFD."""
    match value:
        case str():
            return unicodedata.normalize("NFD", value)
        case dict():
            return {decompose(name): decompose(one) for name, one in value.items()}
        case list():
            return [decompose(one) for one in value]
        case _:
            return value


def a_report(**changes: Any) -> Json:
    """Build a report whose id, source and data have Vietnamese letters."""
    event = a_submission(event="số-1", source="urn:sở-tài-chính", data=DATA, **changes)
    return event | {"subject": NAMES["agency"]}


def decode(text: bytes, mode: ContentMode = ContentMode.STRUCTURED, headers: Any = ()) -> CloudEvent:
    """Return the event of a request by the full path."""
    (event,) = read_all(mode, headers, text)
    assert isinstance(event, CloudEvent)
    return event


def receiptid(event: CloudEvent) -> str:
    """Return the receipt id of *event*."""
    return identity_and_digest(event.source, event.id, event.content)[1].hex()


@pytest.mark.parametrize("extension", [{}, {"note": "ghi chú"}], ids=["plain", "with an extension"])
@pytest.mark.parametrize("ensure_ascii", [False, True], ids=["as letters", "as escapes"])
def test_the_same_event_in_both_forms_has_one_record_and_one_receipt(extension: Json, *, ensure_ascii: bool) -> None:
    """NFD and NFC give the same record, identity, key and receipt id; only `sha256` is of the text as it was sent."""
    composed, decomposed = (
        json.dumps(event, ensure_ascii=ensure_ascii).encode()
        for event in (a_report(**extension), decompose(a_report(**extension)))
    )
    assert composed != decomposed
    (one,), (other,) = (CHECKER.check(b"structured\n" + text) for text in (composed, decomposed))
    expected, found = (pipeline.build_record(accepted, RECEIVED) for accepted in (one, other))
    assert msgspec.json.decode(found.value) == msgspec.json.decode(expected.value)
    assert (found.key, found.identity, found.stamp) == (expected.key, expected.identity, expected.stamp)
    assert found.receipt.receiptid == expected.receipt.receiptid
    assert (found.receipt.id, found.receipt.source) == ("số-1", "urn:sở-tài-chính")
    assert found.receipt.sha256 == hashlib.sha256(decomposed).hexdigest()
    assert unicodedata.is_normalized("NFC", json.dumps(msgspec.json.decode(found.value), ensure_ascii=False))


def test_every_mode_normalises_alike() -> None:
    """Headers of binary mode, base64 and batches are normalised too."""
    event = decompose(a_report())
    structured = decode(json.dumps(event).encode())
    (batched,) = read_all(ContentMode.BATCH, (), json.dumps([event]).encode())
    attributes = {name: value for name, value in event.items() if name not in {"data", "datacontenttype"}}
    headers = [(b"content-type", b"application/json")]
    headers += [(f"ce-{name}".encode(), _percent_encode(value)) for name, value in attributes.items()]
    binary = decode(json.dumps(event["data"], ensure_ascii=False).encode(), ContentMode.BINARY, headers)
    expected = receiptid(decode(json.dumps(a_report()).encode()))
    assert isinstance(batched, CloudEvent)
    assert {receiptid(one) for one in (structured, batched, binary)} == {expected}


def _percent_encode(text: str) -> bytes:
    return b"".join(b"%%%02X" % byte for byte in text.encode())


def test_figures_and_other_text_keep_their_writing() -> None:
    """Only strings that are not NFC are written anew: a figure keeps the digits it was written with."""
    text = json.dumps(decompose(a_report())).replace("1.5", "1.50e0").encode()
    raw = decode(text).raw_data
    assert b"1.50e0" in raw
    assert b'"9984.20"' in raw
    untouched = json.dumps(a_report()).encode()
    assert decode(untouched).raw_data in untouched


@pytest.mark.parametrize("mark", ["\u0303", "\u0301"])
def test_a_mark_behind_an_escape_sequence_leaves_the_sequence_whole(mark: str) -> None:
    """A line break and a combining mark stay two characters; an escaped letter and a mark become one."""
    text = '{"a": "x\\n@", "b": "\\u0061@", "c": "\\\\n@"}'.replace("@", mark).encode()
    found = msgspec.json.decode(nfc.normalize_json(text))
    expected = {"a": f"x\n{mark}", "b": f"a{mark}", "c": f"\\n{mark}"}
    assert found == {name: unicodedata.normalize("NFC", value) for name, value in expected.items()}


@given(st.text(alphabet=st.sampled_from('an\u0301\u0323\u0303\u1ec7\u212b\u037e\n\\"\u0111u0041,:{} ')), st.booleans())
def test_json_is_normalised_as_its_text_is(value: str, ensure_ascii: bool) -> None:  # noqa: FBT001
    """Normalising the JSON of a text gives the JSON of the normalised text, once and for all."""
    text = json.dumps({value: [value, 1.0]}, ensure_ascii=ensure_ascii).encode()
    composed = unicodedata.normalize("NFC", value)
    found = nfc.normalize_json(text)
    assert msgspec.json.decode(found) == {composed: [composed, 1.0]}
    assert b"1.0" in found
    assert nfc.normalize_json(found) == found
    assert composed == value or not nfc.is_normalized(msgspec.json.encode(value))


def test_the_fast_path_builds_what_is_normalised_and_declines_the_rest() -> None:
    """A report in NFC stays on the fast path, whether its letters are written as they are or as escapes."""
    path = fast_path.FastPath(ExamplePlan())
    forms = [a_report(), decompose(a_report())]
    texts = [json.dumps(event, ensure_ascii=ascii_only).encode() for event in forms for ascii_only in (False, True)]
    together = path.build_records(b"".join(texts), texts, EVERYBODY, RECEIVED)
    alone = [path.build_records(text, [text], EVERYBODY, RECEIVED)[0] for text in texts]
    for built in (together, alone):
        assert [one is not None for one in built] == [True, True, False, False]


def test_the_letters_of_the_short_test_never_need_a_change() -> None:
    """What is taken for NFC without the general test is NFC by the Unicode tables, whatever stands before it."""
    letters = [chr(code) for code in range(0x80, 0x2100) if nfc.match_latin(chr(code))]
    assert "ệ" in letters
    for letter in letters:
        assert unicodedata.combining(letter) == 0
        assert all(
            unicodedata.is_normalized("NFC", before + letter) for before in ("", "a", "E", "ê", "\u0301", letter)
        )
