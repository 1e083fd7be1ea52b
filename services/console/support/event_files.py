"""The events that a file holds, each as it is sent: in its sender's own writing, with the place where it stands.

A receipt is for the bytes that were sent. So whoever looks for the receipt of a file reads the file here as well.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Raw

from schemas.plan.values import Language
from services.console.sheets import filled
from services.console.support import inputs
from services.console.support.inputs import Unusable

Value = TypeVar("Value")

_ARRAY = msgspec.json.Decoder(list[Raw])
_OBJECT = msgspec.json.Decoder(dict[str, Raw])
_TOO_DEEP = "nested too deeply"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One event as it is sent, and the place where it stands; *pointed* names a place within it."""

    place: str
    body: bytes
    pointed: Callable[[str], str]
    warnings: tuple[str, ...] = ()


def read(file: Path, language: Language) -> Iterator[Source]:
    """Yield the events of *file* in order; raise `Unusable` naming the line that is none.

    A byte order mark is no part of any event: it says how the file is written, and no JSON that is sent begins with one
    (RFC 8259, section 8.1). Everything else of a file that is one event is sent as it is, a line feed at its end too.
    """
    match file.suffix.lower():
        case ".json":
            yield from _of_json(inputs.read_text(file).encode(), str(file))
        case ".jsonl" | ".ndjson":
            for number, line in inputs.read_lines(file):
                yield _source(line.removesuffix("\r").encode(), f"{file}:{number}")
        case ".xlsx" | ".csv":
            found = filled.read(file, language)
            yield Source(place=str(file), body=found.event, pointed=found.sheet.place, warnings=found.warnings)
        case other:
            raise Unusable(f"{file}: {other or 'no suffix'} is not taken; use .json, .jsonl, .xlsx or .csv")


def _of_json(text: bytes, place: str) -> Iterator[Source]:
    """Yield the one event, or those of an array: decoded and written anew, 9984.20 would be sent as 9984.2."""
    if not text.lstrip().startswith(b"["):
        yield _source(text, place)
        return
    events = _decoded(_ARRAY, text, place)
    for number, event in enumerate(events, 1):
        yield _source(bytes(event), f"{place}: event {number}")


def _source(body: bytes, place: str) -> Source:
    _decoded(_OBJECT, body, place)
    return Source(place=place, body=body, pointed=lambda pointer: f"{place}: {pointer}")


def _decoded(decoder: msgspec.json.Decoder[Value], text: bytes, place: str) -> Value:
    try:
        return decoder.decode(text)
    except msgspec.ValidationError as cause:
        raise Unusable(f"{place}: an event is a JSON object") from cause
    except (msgspec.DecodeError, RecursionError) as cause:
        raise Unusable(f"{place}: not JSON: {_reason(text, cause)}") from cause


def _reason(text: bytes, cause: Exception) -> str:
    """Return what is wrong with *text* by line and column, which the decoder of *cause* does not tell."""
    try:
        json.loads(text, parse_int=str, parse_float=str)
    except json.JSONDecodeError as located:
        return f"{located.msg} at line {located.lineno}, column {located.colno}"
    except RecursionError:
        return _TOO_DEEP
    return _TOO_DEEP if isinstance(cause, RecursionError) else str(cause)
