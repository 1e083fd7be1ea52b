"""The door decodes what it should, bounds depth by counting, and refuses everything else with one error."""

import json
import sys
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, field_validator

from services.runtime import decoding
from services.runtime.decoding import LEVELS_MAX, RecordDecoder, UnreadableRecordError


class Wire(msgspec.Struct):
    """A record with a number, a text and an instant."""

    number: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] = 0
    text: str = ""
    at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    inner: msgspec.Raw = msgspec.Raw()


class Document(BaseModel):
    """A document whose validator divides."""

    number: int

    @field_validator("number")
    @classmethod
    def _divide(cls, number: int) -> int:
        return 1 // number


DECODER = RecordDecoder[Wire](Wire)


def nest(levels: int, opening: str = "[", closing: str = "]") -> bytes:
    """Return a record whose unknown member is so deep that the whole has *levels*."""
    inner = levels - 1
    return f'{{"x":{opening * inner}{closing * inner}}}'.encode()


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (None, "/: the record has no value"),
        (b"", "/: "),
        (b"[1]", "/: "),
        (b"{} {}", "/: "),
        (b'{"number":"1"}', "/number: "),
        (b'{"number":-1}', "/number: "),
        (b'{"number":9223372036854775808}', "/number: "),
        (b'{"number":1e400}', "/number: "),
        (b'{"number":' + b"9" * 5_000 + b"}", "/number: "),
        (b'{"text":"\xff"}', "/: "),
        (b'{"text":"\\ud800"}', "/: "),
        (b'{"text":"\x01"}', "/: "),
        (b'{"at":"2026-12-01T00:00:00"}', "/at: "),
        (b'{"at":"2026-02-30T00:00:00Z"}', "/at: "),
    ],
)
def test_what_cannot_be_decoded_is_refused_with_its_place(value: bytes | None, place: str) -> None:
    """Each failure of a decoder is one error, which begins with the JSON pointer of the place."""
    with pytest.raises(UnreadableRecordError) as refusal:
        DECODER.decode(value)
    assert str(refusal.value).startswith(place)


def test_of_a_name_that_stands_twice_the_last_value_counts() -> None:
    """The overruled value may be anything; one that counts is validated."""
    assert DECODER.decode(b'{"number":"x","number":1}').number == 1
    with pytest.raises(UnreadableRecordError, match="/number"):
        DECODER.decode(b'{"number":1,"number":"x"}')


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('{"]}":', "}"), ('{"\\\\\\"]":', "}")])
def test_depth_is_bounded_by_counting(opening: str, closing: str) -> None:
    """32 levels are read and 33 are not, of arrays and of objects, whatever brackets and quotation marks names hold."""
    middle = "1" if opening != "[" else ""
    for levels, is_read in ((LEVELS_MAX, True), (LEVELS_MAX + 1, False), (40_000, False)):
        inner = levels - 1
        record = f'{{"x":{opening * inner}{middle}{closing * inner}}}'.encode()
        if is_read:
            assert DECODER.decode(record) == Wire()
        else:
            with pytest.raises(UnreadableRecordError, match="nested too deeply"):
                DECODER.decode(record)


def test_many_brackets_are_not_deep() -> None:
    """A wide record is read, and so is a text full of brackets."""
    wide = json.dumps({"x": [[{"y": []}] for _ in range(10_000)], "text": '[{"\\' * 10_000}).encode()
    assert DECODER.decode(wide).text == '[{"\\' * 10_000


@given(
    st.recursive(
        st.none() | st.text(alphabet='[]{}"\\a'),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(alphabet='[]{}"\\a'), inner),
        max_leaves=20,
    )
)
def test_the_count_is_the_depth(value: Any) -> None:
    """For any JSON the depth that is counted is the depth that there is."""
    inner = LEVELS_MAX - _depth(value)
    for extra, is_read in ((0, True), (1, False)):
        levels = inner + extra
        record = b"[" * levels + json.dumps(value).encode() + b"]" * levels
        assert decoding._is_too_deep(record) is not is_read


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


def test_a_deep_stack_reads_the_same_as_a_shallow_one() -> None:
    """How deep the reader itself stands has no part in what it refuses."""

    def read_from_below(frames: int) -> list[bool]:
        if frames:
            return read_from_below(frames - 1)
        return [_is_read(nest(levels)) for levels in (LEVELS_MAX, LEVELS_MAX + 1, 300)]

    assert read_from_below(0) == read_from_below(sys.getrecursionlimit() // 2) == [True, False, False]


def _is_read(record: bytes) -> bool:
    try:
        DECODER.decode(record)
    except UnreadableRecordError:
        return False
    return True


def test_a_member_that_was_left_encoded_is_decoded_with_its_place() -> None:
    """The pointer of an error within a member begins with that of the member."""
    inner = DECODER.decode(b'{"inner":{"number":"x"}}').inner
    with pytest.raises(UnreadableRecordError) as refusal:
        DECODER.decode_member(inner, "/inner")
    assert refusal.value.pointer == "/inner/number"


@pytest.mark.parametrize("value", [None, b"", b"{}", b'{"number":"x"}', b'{"number":0}', b"[" * 100_000, b"\xff"])
def test_a_document_is_decoded_or_refused(value: bytes | None) -> None:
    """A document that is none is refused, and so is one on which a validator of its model fails."""
    with pytest.raises(UnreadableRecordError):
        decoding.decode_model(Document, value)
    assert decoding.decode_model(Document, b'{"number":1}').number == 1


def test_an_instant_is_brought_to_utc_within_reach() -> None:
    """What a sender wrote is brought within reach; what a service of ours wrote is refused unless it is."""
    assert decoding.read_instant("9999-12-31T23:59:59-12:00", "/x").year == 2999
    with pytest.raises(UnreadableRecordError, match=r"/x: .*has no offset"):
        decoding.read_instant("2026-12-01T00:00:00", "/x")
    local = datetime(2026, 12, 1, 7, tzinfo=timezone(timedelta(hours=7)))
    assert decoding.require_instant(local, "/x").isoformat() == "2026-12-01T00:00:00+00:00"
    for far in (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)):
        with pytest.raises(UnreadableRecordError, match=r"/x: .*outside the years 1000 to 2999"):
            decoding.require_instant(far, "/x")


@pytest.mark.parametrize("timestamp", [-1 - 62_135_596_800_000, 2**60, -(2**63), 2**63 - 1, 253_402_300_799_999])
def test_a_timestamp_that_is_no_instant_is_refused(timestamp: int) -> None:
    """Any writer may stamp a record with any number of 64 bits."""
    with pytest.raises(UnreadableRecordError, match="outside"):
        decoding.read_timestamp(SimpleNamespace(timestamp=timestamp))
    assert decoding.read_timestamp(SimpleNamespace(timestamp=0)) == datetime(1970, 1, 1, tzinfo=UTC)
