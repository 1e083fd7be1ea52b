"""Reading what a command is given: plan folders and JSON lines.

Anything unusable ends the command with exit code 2 and a line that names the place.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from schemas.lint import documents
from schemas.plan import instants
from services.rules import fact_decoder
from services.rules.core.duty_catalogue import Book, UnknownDuty
from services.rules.core.facts import Fact

PLAN_FILE = "plan.yaml"
REGISTRY_FILE = "registry.yaml"


class Unusable(Exception):  # noqa: N818 - it reads as a claim about the input
    """The input cannot be used as it is. The message names file, line and remedy."""


def read_text(path: Path) -> str:
    """Return the UTF-8 text of *path*; raise `Unusable` where there is none."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as cause:
        raise Unusable(f"{path}: {cause.strerror or cause}") from cause
    except UnicodeDecodeError as cause:
        line = cause.object.count(b"\n", 0, cause.start) + 1
        raise Unusable(f"{path}:{line}: not UTF-8 text ({cause.reason}); save it as UTF-8") from cause


def read_book(directory: Path) -> Book:
    """Return the book of the plan and registry in *directory*; raise `Unusable` with every fault found in them."""
    try:
        plan = documents.parse_plan(read_text(directory / PLAN_FILE))
        registry = documents.parse_registry(read_text(directory / REGISTRY_FILE))
    except documents.DocumentInvalid as cause:
        raise _refused(directory, cause.diagnostics) from cause
    faults = documents.cross_check(plan, registry)
    if any(fault.is_error for fault in faults):
        raise _refused(directory, faults)
    return Book(plan, registry)


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the numbered lines of *path* that are not blank; only a line feed ends a line of JSON."""
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            yield number, line


def read_objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the numbered JSON objects of a JSON lines file; raise `Unusable` at the first line that is none."""
    for number, line in read_lines(path):
        try:
            value = json.loads(line, parse_constant=_no_number)
        except (ValueError, RecursionError) as cause:
            raise Unusable(f"{path}:{number}: not JSON: {_reason(cause)}") from cause
        if not isinstance(value, dict):
            raise Unusable(f"{path}:{number}: a JSON object is wanted on each line")
        yield number, value


def read_instant(text: object, place: str) -> datetime:
    """Return the RFC 3339 instant in *text*; raise `Unusable` naming *place* otherwise."""
    try:
        return instants.parse(str(text))
    except ValueError as cause:
        raise Unusable(f"{place}: {cause}") from cause


def read_facts(path: Path, book: Book) -> Iterator[tuple[Fact, str | None]]:
    """Yield the facts of the book's plan in a log file, each with the reason why it bears on no duty, if so."""
    for number, line in read_lines(path):
        place = f"{path}:{number}"
        try:
            event = fact_decoder.read_event(line.encode())
            if event.type not in fact_decoder.TYPES:
                continue
            fact = fact_decoder.fact_of(event)
        except fact_decoder.UnreadableFact as cause:
            raise Unusable(f"{place}: {cause}") from cause
        if fact.plan != book.plan.plan:
            continue
        try:
            yield book.resolved(fact), None
        except UnknownDuty as cause:
            yield fact, f"{place}: {cause}"


def _refused(directory: Path, faults: Iterable[documents.Diagnostic]) -> Unusable:
    """Return the refusal of the documents in *directory*, one line an error; advice does not refuse anything."""
    errors = [fault for fault in faults if fault.is_error]
    return Unusable("\n".join(f"{directory / fault.file}:{fault.line}: {fault.message}" for fault in errors))


def _no_number(written: str) -> float:
    raise ValueError(f"{written} is no JSON number")


def _reason(cause: Exception) -> str:
    match cause:
        case json.JSONDecodeError():
            return f"{cause.msg} at column {cause.colno}"
        case RecursionError():
            return "nested too deeply"
        case _:
            return str(cause)
