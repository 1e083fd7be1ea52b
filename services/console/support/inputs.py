"""Reads the input files of commands: plan folders, logs of facts and JSON lines.

Input that cannot be used raises `UnusableInputError`, which ends the command with exit code 2 and a line that names the
place.
"""

import json
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from schemas.lint import documents
from schemas.plan import instants
from services.rules import fact_decoder
from services.rules.core.duty_catalogue import DutyCatalogue, UnknownDuty
from services.rules.core.facts import Fact
from services.rules.fact_decoder import OtherEventError
from services.runtime.decoding import UnreadableRecordError

PLAN_FILE = "plan.yaml"
REGISTRY_FILE = "registry.yaml"

# Visible ASCII without a space: what keys consist of and a header may hold (RFC 9110, section 5.5).
_KEY = re.compile("[!-~]+")


class UnusableInputError(Exception):
    """The input cannot be used as it is. The message names file, line and remedy."""


def format_bearer(key: str, *, malformed: str) -> str | None:
    """Return the value of the authorization header, or None where there is no key.

    The white space that files and pasting leave around a key is left out. Raise `UnusableInputError` with the message
    *malformed* where it is no key.
    """
    bare = key.strip()
    if not bare:
        return None
    if not _KEY.fullmatch(bare):
        raise UnusableInputError(malformed)
    return f"Bearer {bare}"


def read_text(path: Path) -> str:
    """Return the UTF-8 text of *path* without a byte order mark; raise `UnusableInputError` where it cannot be read."""
    try:
        # Excel and Notepad write a byte order mark at the beginning of UTF-8 files.
        return path.read_bytes().decode("utf-8-sig")
    except OSError as cause:
        raise UnusableInputError(f"{path}: {cause.strerror or cause}") from cause
    except UnicodeDecodeError as cause:
        line = cause.object.count(b"\n", 0, cause.start) + 1
        raise UnusableInputError(f"{path}:{line}: not UTF-8 text ({cause.reason}); save it as UTF-8") from cause


def read_plan_folder(directory: Path) -> DutyCatalogue:
    """Return the duty catalogue of the plan and registry in *directory*.

    Raise `UnusableInputError` with every error found in them; warnings do not refuse anything.
    """
    try:
        plan = documents.parse_plan(read_text(directory / PLAN_FILE))
        registry = documents.parse_registry(read_text(directory / REGISTRY_FILE))
    except documents.DocumentInvalid as cause:
        raise _error_for(directory, cause.diagnostics) from cause
    faults = documents.cross_check(plan, registry)
    if any(fault.is_error for fault in faults):
        raise _error_for(directory, faults)
    return DutyCatalogue(plan, registry)


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the numbered lines of *path* that are not blank.

    Only a line feed ends a line: `str.splitlines` would also break inside JSON strings, at U+2028 for example.
    """
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            yield number, line


def read_objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the numbered objects of a JSON lines file; raise `UnusableInputError` at the first line without one."""
    for number, line in read_lines(path):
        try:
            # The standard library reads NaN and Infinity, which JSON does not have (RFC 8259 section 6).
            value = json.loads(line, parse_constant=_reject_constant)
        except (ValueError, RecursionError) as cause:
            raise UnusableInputError(f"{path}:{number}: not JSON: {_describe_error(cause)}") from cause
        if not isinstance(value, dict):
            raise UnusableInputError(f"{path}:{number}: a JSON object is wanted on each line")
        yield number, value


def read_instant(text: object, place: str) -> datetime:
    """Return the RFC 3339 instant in *text*; raise `UnusableInputError` naming *place* otherwise."""
    try:
        return instants.parse(str(text))
    except ValueError as cause:
        raise UnusableInputError(f"{place}: {cause}") from cause


def read_facts(path: Path, catalogue: DutyCatalogue) -> Iterator[tuple[Fact, str | None]]:
    """Yield the facts of the catalogue's plan in the log file *path*, each with None or with why it concerns no duty.

    Events of other types and facts of other plans are skipped. Raise `UnusableInputError` at a line that is no event.
    """
    for fact, reason, _ in read_recorded_facts(path, catalogue):
        yield fact, reason


def read_recorded_facts(path: Path, catalogue: DutyCatalogue) -> Iterator[tuple[Fact, str | None, bytes]]:
    """Yield what `read_facts` yields, each with the event as the file has it."""
    for place, event, fact in _decode_facts(path):
        if fact.plan != catalogue.plan.plan:
            continue
        try:
            yield catalogue.resolve_names(fact), None, event
        except UnknownDuty as cause:
            yield fact, f"{place}: {cause}", event


def read_last_recorded(path: Path) -> datetime | None:
    """Return when the last fact of the file was recorded; None if it has none. Raise as `read_facts` does."""
    return max((fact.recorded_at for _, _, fact in _decode_facts(path)), default=None)


def _decode_facts(path: Path) -> Iterator[tuple[str, bytes, Fact]]:
    """Yield each fact with its place and its event; events of other types are skipped."""
    for number, line in read_lines(path):
        place, event = f"{path}:{number}", line.encode()
        fact = _decode_fact(event, place)
        if fact is not None:
            yield place, event, fact


def _decode_fact(event: bytes, place: str) -> Fact | None:
    """Return the fact in *event*, or None for an event of another type; raise `UnusableInputError` naming *place*."""
    try:
        return fact_decoder.decode_fact(event)
    except OtherEventError:
        return None
    except UnreadableRecordError as cause:
        raise UnusableInputError(f"{place}: {cause}") from cause


def _error_for(directory: Path, faults: Iterable[documents.Diagnostic]) -> UnusableInputError:
    """Return the error that refuses the documents in *directory*, with a line for each error among *faults*."""
    errors = [fault for fault in faults if fault.is_error]
    return UnusableInputError("\n".join(f"{directory / fault.file}:{fault.line}: {fault.message}" for fault in errors))


def _reject_constant(written: str) -> float:
    raise ValueError(f"{written} is no JSON number")


def _describe_error(cause: Exception) -> str:
    match cause:
        case json.JSONDecodeError():
            return f"{cause.msg} at column {cause.colno}"
        case RecursionError():
            return "nested too deeply"
        case _:
            return str(cause)
