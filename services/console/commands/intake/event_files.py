"""Reads the events of a file as they are sent to intake: each in its sender's own bytes, with its place in the file.

`dondoc submit` sends these bytes. `dondoc receipt verify --event` reads the file in the same way, because a receipt
holds the digest of exactly the bytes that were sent.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Raw

from schemas.plan.values import Bilingual, Language
from services.console.sheets import sheet_to_event
from services.console.support import inputs
from services.console.support.inputs import UnusableInputError

Value = TypeVar("Value")

_ARRAY = msgspec.json.Decoder(list[Raw])
_OBJECT = msgspec.json.Decoder(dict[str, Raw])
_TOO_DEEP = Bilingual.of(en="nested too deeply", vi="lồng nhau quá sâu")


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedEvent:
    """One event as it is sent, with its place in the file, for example `reports.jsonl:7`.

    `place_of` turns a JSON pointer into the event into a place: a cell of a sheet, or the pointer after the place.
    """

    place: str
    body: bytes
    place_of: Callable[[str], str]
    warnings: tuple[str, ...] = ()


def read_events(file: Path, language: Language) -> Iterator[LocatedEvent]:
    """Yield the events of *file* in order; raise `UnusableInputError` naming the line that holds no event.

    A byte order mark is dropped: it belongs to the file, and JSON text that is sent must not begin with one (RFC 8259,
    section 8.1). Every other byte of a file that is one event is sent as it is, a line feed at its end too.
    """
    match file.suffix.lower():
        case ".json":
            yield from _split_json(inputs.read_text(file).encode(), str(file))
        case ".jsonl" | ".ndjson":
            for number, line in inputs.read_lines(file):
                yield _locate_event(line.removesuffix("\r").encode(), f"{file}:{number}")
        # Of the last ones the reader says what to do with them.
        case ".xlsx" | ".csv" | ".tsv" | ".txt" | ".xlsm" | ".xls" | ".ods":
            found = sheet_to_event.read_event(file, language)
            yield LocatedEvent(place=str(file), body=found.event, place_of=found.sheet.place, warnings=found.warnings)
        case other:
            detail = Bilingual.of(
                en=f"{other or 'no suffix'} is not taken; use .json, .jsonl, .xlsx or .csv",
                vi=f"không nhận tệp {f'đuôi {other}' if other else 'không có đuôi'}; hãy dùng .json, .jsonl, .xlsx "
                "hoặc .csv",
            )
            raise UnusableInputError(detail, place=str(file))


def _split_json(text: bytes, place: str) -> Iterator[LocatedEvent]:
    """Yield the one event of a JSON text, or each element of an array in its own bytes.

    The elements are cut out and not decoded and encoded again, which would for example turn 9984.20 into 9984.2.
    """
    if not text.lstrip().startswith(b"["):
        yield _locate_event(text, place)
        return
    events = _decode(_ARRAY, text, place)
    for number, event in enumerate(events, 1):
        yield _locate_event(bytes(event), f"{place}: event {number}")


def _locate_event(body: bytes, place: str) -> LocatedEvent:
    _decode(_OBJECT, body, place)
    return LocatedEvent(place=place, body=body, place_of=lambda pointer: f"{place}: {pointer}")


def _decode(decoder: msgspec.json.Decoder[Value], text: bytes, place: str) -> Value:
    try:
        return decoder.decode(text)
    except msgspec.ValidationError as cause:
        detail = Bilingual.of(en="an event is a JSON object", vi="mỗi sự kiện phải là một đối tượng JSON")
        raise UnusableInputError(detail, place=place) from cause
    except (msgspec.DecodeError, RecursionError) as cause:
        fault = _describe_error(text, cause)
        detail = Bilingual.of(en=f"not JSON: {fault.en}", vi=f"không phải JSON: {fault.vi}")
        raise UnusableInputError(detail, place=place) from cause


def _describe_error(text: bytes, cause: Exception) -> Bilingual:
    """Describe what is wrong with *text* by line and column.

    msgspec names only a byte offset, so the standard library's decoder reads the text once more for the place.
    """
    try:
        json.loads(text, parse_int=str, parse_float=str)
    except json.JSONDecodeError as located:
        return Bilingual.of(
            en=f"{located.msg} at line {located.lineno}, column {located.colno}",
            vi=f"lỗi ở dòng {located.lineno}, cột {located.colno} ({located.msg})",
        )
    except RecursionError:
        return _TOO_DEEP
    return _TOO_DEEP if isinstance(cause, RecursionError) else Bilingual.of(en=str(cause), vi=str(cause))
