"""Reads the input files of commands: plan folders and JSON lines.

Input that cannot be used raises `UnusableInputError`, which ends the command with exit code 2 and a line that names the
place.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from schemas.lint import documents, yaml_source
from schemas.lint.document_tree import Node
from schemas.lint.yaml_source import NotYaml
from schemas.plan import values
from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.notifier import officer_file
from services.notifier.core.rendering.officers import OfficerBook
from services.notifier.officer_file import OfficerFileError
from services.rules.core.duty_catalogue import DutyCatalogue
from services.rules.duty_catalogues import CatalogueLinker

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
    """Return the duty catalogue of the plan and registry in *directory*; raise as `read_plan_folders` does."""
    return read_plan_folders([directory])[0]


def read_plan_folders(directories: Sequence[Path]) -> tuple[DutyCatalogue, ...]:
    """Return the duty catalogue of the plan in each of *directories*, each knowing the plan before and after it.

    A folder without a plan may hold the registry of the others. Raise `UnusableInputError` with every error found in
    a folder; warnings do not refuse anything.
    """
    found: dict[str, tuple[Plan, Registry]] = {}
    for directory in list_plan_folders(directories):
        plan, registry = _read_documents(directory, directories)
        if plan.plan in found:
            raise UnusableInputError(f"{directory / PLAN_FILE}: another folder holds the plan {plan.plan!r} too")
        found[plan.plan] = plan, registry
    return tuple(CatalogueLinker().link(found).values())


def list_plan_folders(directories: Sequence[Path]) -> list[Path]:
    """Return those of *directories* that hold a plan: all but those with a registry alone."""
    with_plan = [one for one in directories if (one / PLAN_FILE).exists() or not (one / REGISTRY_FILE).exists()]
    return with_plan or list(directories)


def find_registry_file(directory: Path, directories: Sequence[Path], plan: Plan | None) -> Path:
    """Return the registry of the plan in *directory*: its own, else the one of that id in another folder or above."""
    own = directory / REGISTRY_FILE
    if own.exists() or plan is None:
        return own
    shared = [one / REGISTRY_FILE for one in (*directories, directory.resolve().parent)]
    return next((one for one in shared if one.exists() and _holds_registry(one, plan.registry)), own)


def find_plan(plan_id: str, directory: Path, directories: Sequence[Path]) -> Node | None:
    """Return the content of the plan with that id in another of *directories* or in a folder beside *directory*."""
    beside = sorted(directory.resolve().parent.glob(f"*/{PLAN_FILE}"))
    contents = (_read_content(path) for path in (*(one / PLAN_FILE for one in directories), *beside))
    return next((one for one in contents if one["plan"].text == plan_id), None)


def _read_content(path: Path) -> Node:
    """Return the content of the document, or none where it cannot be read: its own check says what is wrong with it."""
    try:
        return Node(value=yaml_source.read(read_text(path)).content)
    except (NotYaml, UnusableInputError):
        return Node(value=None)


def _holds_registry(path: Path, registry_id: str) -> bool:
    try:
        return documents.lint_registry(read_text(path)).content["registry"].text == registry_id
    except NotYaml:
        return False


def _read_documents(directory: Path, directories: Sequence[Path]) -> tuple[Plan, Registry]:
    """Return the plan in *directory* with its registry; raise `UnusableInputError` with every error in them."""
    try:
        plan = documents.parse_plan(read_text(directory / PLAN_FILE))
        registry_file = find_registry_file(directory, directories, plan)
        registry = documents.parse_registry(read_text(registry_file))
    except documents.DocumentInvalid as cause:
        raise _error_for(directory, cause.diagnostics) from cause
    faults = documents.cross_check(plan, registry)
    if any(fault.is_error for fault in faults):
        raise _error_for(directory, faults)
    return plan, registry


def read_officers(path: Path | None) -> OfficerBook:
    """Return the officers by plan; none without a file. Raise `UnusableInputError` if the file cannot be used."""
    try:
        return officer_file.load_officers(path)
    except OfficerFileError as cause:
        raise UnusableInputError(str(cause)) from cause


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


def require_words(**options: str) -> None:
    """Raise `UnusableInputError` for an option without words: who and why stay on record."""
    for name, value in options.items():
        if not value.strip():
            raise UnusableInputError(f"--{name} is empty; it stays on record")


def read_date(text: str, place: str) -> date:
    """Return a date as `2026-12-09`; raise `UnusableInputError` that names *place*."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a date has no zone
    except ValueError as cause:
        raise UnusableInputError(f"{place}: {text!r} is no date; write 2026-12-09") from cause


def read_instant(text: object, place: str) -> datetime:
    """Return the RFC 3339 instant in *text*; raise `UnusableInputError` naming *place* otherwise."""
    try:
        return values.parse_instant(str(text))
    except ValueError as cause:
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
