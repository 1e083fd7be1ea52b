"""Turn pydantic's validation errors into findings that say what to write instead.

This module knows the models and no rule beyond them.
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from schemas.lint.diagnostics import DocumentPath, Finding
from schemas.lint.id_checks import suggest

_ISO_DATE = re.compile(r"^(\d{4})-(\d{2})-(\d{2})$")
_MONTHS_IN_YEAR = 12
_LONGEST = 60  # characters of a wrong value that a message repeats; enough to find it on its line


def explain(error: ValidationError, content: object, model: type[BaseModel]) -> Iterator[Finding]:
    """Yield one finding for each place in *content* that does not fit *model*."""
    seen: set[DocumentPath] = set()
    # For a union pydantic reports the error of every member. The first one at a place counts, and "is no mapping" says
    # least, so it comes last.
    for detail in sorted(error.errors(), key=lambda one: one["type"] == "model_type"):
        path = _path_in(content, detail)
        if path not in seen and not _is_follow_up(detail):
            seen.add(path)
            yield Finding(path=path, message=_message_for(detail, path, model))


def _is_follow_up(detail: ErrorDetails) -> bool:
    """Whether a list is "too short" only because its members were refused, each with an error of its own."""
    return detail["type"] == "too_short" and bool(detail["input"])


def _path_in(content: object, detail: ErrorDetails) -> DocumentPath:
    """Return the location of an error without the names of union members, which are no part of the document."""
    path: list[str | int] = []
    node = content
    for step in detail["loc"]:
        # A step that the document does not have is the name of a union member, except the last one of a missing key.
        if (isinstance(node, dict) and step in node) or (isinstance(node, list) and step in range(len(node))):
            node = node[step]  # type: ignore[index] # a key of the one, an index of the other
        elif detail["type"] != "missing" or step != detail["loc"][-1]:
            continue
        path.append(step)
    return tuple(path)


def _message_for(detail: ErrorDetails, path: DocumentPath, model: type[BaseModel]) -> str:
    given = detail["input"]
    match detail["type"]:
        case "missing":
            return "missing"
        case "extra_forbidden":
            return f"unknown key{suggest(str(path[-1]), _keys_of_model(model, path[:-1]))}"
        case "string_too_short" | "too_short":
            return "empty"
        case "value_error":
            return _value_message(given, str(detail["ctx"]["error"]))
        case kind if kind.startswith("date"):
            return _date_message(given)
        case kind:
            return _type_message(kind, given, detail)


def _type_message(kind: str, given: object, detail: ErrorDetails) -> str:
    if given is None:
        return "empty"
    shown = _shorten(given)
    match kind:
        case "literal_error" | "enum":
            return f"{shown} is not one of {detail['ctx']['expected']}"
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"{shown} is no mapping of keys to values"
        case "tuple_type" | "list_type":
            return f"{shown} is no list"
        case "string_type":
            return f"{shown} is no text; put it in quotes"
        case "string_pattern_mismatch":
            return f"{shown} is not written as {detail['ctx']['pattern']} asks"
        case _:
            return f"{shown}: {detail['msg'][:1].lower()}{detail['msg'][1:]}"


def _shorten(given: object) -> str:
    written = repr(given)
    return written if len(written) <= _LONGEST else f"{written[:_LONGEST]}…"


def _value_message(given: object, refusal: str) -> str:
    if given is None:
        return "empty"
    return refusal if repr(given) in refusal else f"{_shorten(given)}: {refusal}"


def _date_message(given: object) -> str:
    written = _ISO_DATE.match(str(given))
    if written is None or not 1 <= int(written[2]) <= _MONTHS_IN_YEAR or int(written[1]) == 0:
        return f"{_shorten(given)}: write a local date such as 2026-12-09"
    year, month = int(written[1]), int(written[2])
    return f"there is no {written[0]}; that month has {monthrange(year, month)[1]} days"


def _keys_of_model(model: type[BaseModel], path: DocumentPath) -> set[str]:
    models = [model]
    for step in path:
        if isinstance(step, str):
            models = [inner for one in models for inner in _models_below(one, step)]
    return {key for one in models for key in _fields(one)}


def _models_below(model: type[BaseModel], key: str) -> Iterator[type[BaseModel]]:
    if key in _fields(model):
        yield from _models_in(_fields(model)[key])


def _fields(model: type[BaseModel]) -> dict[str, object]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)
