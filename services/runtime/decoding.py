"""The one door for bytes of the bus: decodes the value of a record, or refuses it as unreadable, with the reason.

Anybody who may write to a topic may write anything to it. So every reader of records (the consumers, what is read back
from a database, the commands of the console) decodes through this module, and catches one exception. An architecture
test forbids any other decoder of JSON to them. Intake's HTTP requests have a door of their own,
`services.intake.cloudevents`, which explains to senders what is wrong.

What is refused here: what is not JSON in UTF-8, what does not have the types of its struct or model, numbers beyond
their range, JSON nested too deeply, and instants out of reach. The depth is counted, because the decoders' own limits
depend on how deep the stack is at that moment: one reader would take a record that another refuses.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any, Generic, Protocol, TypeVar

import msgspec
from pydantic import BaseModel, ValidationError

from schemas.plan import values
from services.runtime import clock

Value = TypeVar("Value")
Model = TypeVar("Model", bound=BaseModel)

LEVELS_MAX = 32
"""Levels of arrays and objects in one record; the outermost object is the first. Intake takes no deeper event."""

_DECODING_ERRORS = (msgspec.MsgspecError, ValueError, RecursionError, OverflowError)

# Quotation marks and brackets alone tell how deep JSON is. Each bracket becomes a step of one level, as a signed byte.
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_NO_MARKS = bytes(set(range(256)) - set(b'"[]{}'))
_QUOTED = re.compile(rb'"[^"]*"?')


class UnreadableRecordError(Exception):
    """The record cannot be read: set it aside. `pointer` is the JSON pointer of the place, the message the reason."""

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(f"{pointer or '/'}: {message}")
        self.pointer = pointer
        self.message = message


class TimestampedRecord(Protocol):
    """The part of a record that says when the log recorded it."""

    @property
    def timestamp(self) -> int: ...


class RecordDecoder(Generic[Value]):
    """Decodes the values of records that have the type *kind*. Fields that *kind* does not have are ignored.

    *float_hook* makes the value of a number with a point from its digits, where *kind* has `Any`.
    """

    def __init__(self, kind: Any, *, float_hook: Callable[[str], Any] | None = None) -> None:  # noqa: ANN401 - a type or a union of types, which has no type of its own
        self._kind = kind
        self._decode: Callable[[bytes | msgspec.Raw], Value] = msgspec.json.Decoder(kind, float_hook=float_hook).decode
        self._decode_untyped = msgspec.json.Decoder(float_hook=float_hook).decode

    def decode(self, value: bytes | None) -> Value:
        """Return what the record holds; raise `UnreadableRecordError`."""
        if value is None:
            raise UnreadableRecordError("", "the record has no value")
        # Few brackets prove that it is not deep. Replacing finds them with memchr(3), which is several times as fast
        # as counting; the arguments leave no bracket behind unless there are more than the levels.
        if value.replace(b"{", b"[").replace(b"[", b" ", LEVELS_MAX).find(b"[") >= 0 and _is_too_deep(value):
            raise UnreadableRecordError("", f"it is nested too deeply; the bound is {LEVELS_MAX} levels")
        try:
            return self._decode(value)
        except msgspec.ValidationError as cause:
            return self._decode_last_members(value, cause)
        except _DECODING_ERRORS as cause:
            raise _unreadable("", cause) from cause

    def decode_member(self, encoded: msgspec.Raw, pointer: str) -> Value:
        """Return what a member holds that a `RecordDecoder` left encoded, at *pointer*; raise as `decode` does."""
        try:
            return self._decode(encoded)
        except _DECODING_ERRORS as cause:
            raise _unreadable(pointer, cause) from cause

    def _decode_last_members(self, value: bytes, refusal: msgspec.ValidationError) -> Value:
        """Decode JSON in which a name may stand twice in an object; the last value counts, as in most parsers.

        A typed decoder validates every value, the overruled ones too, and refuses `{"size": "x", "size": 1}`. So what
        it refuses is decoded again without types and converted. Raise the *refusal* if that fails as well.
        """
        try:
            return msgspec.convert(self._decode_untyped(value), self._kind)  # type: ignore[no-any-return]
        except _DECODING_ERRORS:
            raise _unreadable("", refusal) from refusal


def convert_member(value: Any, kind: type[Value], pointer: str) -> Value:  # noqa: ANN401 - any JSON value
    """Return a member that was decoded without types, at *pointer*, as a *kind*; raise `UnreadableRecordError`."""
    try:
        return msgspec.convert(value, kind)
    except _DECODING_ERRORS as cause:
        raise _unreadable(pointer, cause) from cause


def decode_model(model: type[Model], encoded: bytes | msgspec.Raw | None, pointer: str = "") -> Model:
    """Return the document in *encoded*, which stands at *pointer* in its record; raise `UnreadableRecordError`."""
    if encoded is None:
        raise UnreadableRecordError(pointer, "the record has no value")
    try:
        return model.model_validate_json(bytes(encoded))
    except ValidationError as cause:
        first = cause.errors(include_context=False, include_url=False)[0]
        place = "".join(f"/{part}" for part in first["loc"])
        raise UnreadableRecordError(pointer + place, first["msg"]) from cause
    # A validator of the model may meet values that its arithmetic cannot express.
    except (ValueError, ArithmeticError, LookupError, RecursionError) as cause:
        raise UnreadableRecordError(pointer, str(cause)) from cause


def read_instant(text: str, pointer: str) -> datetime:
    """Return the RFC 3339 instant in *text*, in UTC and within reach; raise `UnreadableRecordError`."""
    try:
        return values.parse_instant(text)
    except ValueError as cause:
        raise UnreadableRecordError(pointer, str(cause)) from cause


def require_instant(instant: datetime, pointer: str) -> datetime:
    """Return in UTC an *instant* that a service wrote; raise `UnreadableRecordError` if it is out of reach."""
    if not values.is_in_reach(instant):
        years = f"{values.FIRST_YEAR} to {values.LAST_YEAR}"
        raise UnreadableRecordError(pointer, f"{instant.isoformat()} lies outside the years {years}")
    # msgspec gives `Z` and `+00:00` the very object `UTC`, so the usual case is one comparison.
    return instant if instant.tzinfo is UTC else instant.astimezone(UTC)


def read_timestamp(record: TimestampedRecord) -> datetime:
    """Return when the log recorded *record*; raise `UnreadableRecordError` where its timestamp is no instant."""
    # Any writer may stamp a record with any number, for example one far beyond the year 9999.
    try:
        instant = clock.instant_of(record.timestamp)
        return instant if values.is_in_reach(instant) else require_instant(instant, "")
    except (ValueError, OverflowError, OSError) as cause:
        message = f"the record's timestamp {record.timestamp} lies outside the calendar"
        raise UnreadableRecordError("", message) from cause


def _is_too_deep(value: bytes) -> bool:
    """Whether *value* has more than `LEVELS_MAX` levels of arrays and objects; for what is no JSON it may be either."""
    if b"\\" in value:
        # First escaped backslashes, then escaped quotation marks: of three backslashes the third escapes.
        value = value.replace(b"\\\\", b"").replace(b'\\"', b"")
    marks = value.translate(_STEPS, _NO_MARKS)
    # A string without brackets is two quotation marks now. What is left of them encloses brackets that do not count.
    steps = marks.replace(b'""', b"")
    if b'"' in steps:
        steps = _QUOTED.sub(b"", marks)
    return max(accumulate(memoryview(steps).cast("b")), default=0) > LEVELS_MAX


def _unreadable(prefix: str, cause: Exception) -> UnreadableRecordError:
    """Return the decoder's error with a JSON pointer: msgspec names the place as a JSON path after ` - at `."""
    if isinstance(cause, RecursionError):
        return UnreadableRecordError(prefix, "it is nested too deeply")
    message, _, path = str(cause).partition(" - at ")
    pointer = path.strip("`").replace("$", "", 1).replace(".", "/").replace("[", "/").replace("]", "")
    return UnreadableRecordError(prefix + pointer, message)
