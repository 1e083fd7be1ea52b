"""Reads the input files of commands: plan folders and JSON lines.

Input that cannot be used raises `UnusableInputError`, which ends the command with exit code 2 and a line that names the
place.
"""

import errno
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from schemas.lint import documents, yaml_source
from schemas.lint.document_tree import Node
from schemas.lint.yaml_source import NotYaml
from schemas.plan import periods, values
from schemas.plan.periods import Period
from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from schemas.plan.values import Bilingual
from schemas.problems import Text
from services.notifier import officer_file
from services.notifier.core.rendering.officers import OfficerBook
from services.notifier.officer_file import OfficerFileError
from services.rules.core.duty_catalogue import DutyCatalogue, UnknownDuty
from services.rules.duty_catalogues import CatalogueLinker

PLAN_FILE = "plan.yaml"
REGISTRY_FILE = "registry.yaml"

# What the machine answers most often, by its number of the error.
_SYSTEM_ERRORS_VI = {
    errno.ENOENT: "không có tệp hoặc thư mục này",
    errno.EACCES: "không có quyền đọc hoặc ghi",
    errno.EISDIR: "đây là thư mục, không phải tệp",
    errno.ENOTDIR: "có phần trong đường dẫn không phải là thư mục",
    errno.ENOSPC: "ổ đĩa đã hết chỗ",
    errno.EROFS: "chỉ đọc được, không ghi được vào đây",
}

# Visible ASCII without a space: what keys consist of and a header may hold (RFC 9110, section 5.5).
_KEY = re.compile("[!-~]+")


class UnusableInputError(Exception):
    """The input cannot be used as it is. The detail names the place and the remedy, in the languages that it has."""

    def __init__(self, detail: Text, *, place: str = "") -> None:
        both = Bilingual.of(en=detail, vi=detail) if isinstance(detail, str) else detail
        prefix = f"{place}: " if place else ""
        self.detail = Bilingual.of(en=f"{prefix}{both.in_language('en')}", vi=f"{prefix}{both.vi}")
        super().__init__(self.detail.in_language("en"))


def format_bearer(key: str, *, malformed: Bilingual) -> str | None:
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
        raise refuse_file(path, cause) from cause
    except UnicodeDecodeError as cause:
        line = cause.object.count(b"\n", 0, cause.start) + 1
        detail = Bilingual.of(
            en=f"not UTF-8 text ({cause.reason}); save it as UTF-8",
            vi="không phải văn bản mã UTF-8; hãy lưu lại bằng UTF-8",
        )
        raise UnusableInputError(detail, place=f"{path}:{line}") from cause


def refuse_file(path: Path, cause: OSError) -> UnusableInputError:
    """Return the error that says why the machine does not read or write *path*."""
    reason = cause.strerror or str(cause)
    vi = _SYSTEM_ERRORS_VI.get(cause.errno or 0, f"không mở được tệp ({reason})")
    return UnusableInputError(Bilingual.of(en=reason, vi=vi), place=str(path))


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
            detail = Bilingual.of(
                en=f"another folder holds the plan {plan.plan!r} too",
                vi=f"một thư mục khác cũng có kế hoạch “{plan.plan}”",
            )
            raise UnusableInputError(detail, place=str(directory / PLAN_FILE))
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
            fault = _describe_error(cause)
            detail = Bilingual.of(en=f"not JSON: {fault}", vi=f"không phải JSON: {fault}")
            raise UnusableInputError(detail, place=f"{path}:{number}") from cause
        if not isinstance(value, dict):
            detail = Bilingual.of(en="a JSON object is wanted on each line", vi="mỗi dòng phải là một đối tượng JSON")
            raise UnusableInputError(detail, place=f"{path}:{number}")
        yield number, value


def require_words(**options: str) -> None:
    """Raise `UnusableInputError` for an option without words: who and why stay on record."""
    for name, value in options.items():
        if not value.strip():
            detail = Bilingual.of(
                en=f"--{name} is empty; it stays on record", vi=f"--{name} còn trống; nội dung này được lưu lại"
            )
            raise UnusableInputError(detail)


def read_date(text: str, place: str) -> date:
    """Return a date as `2026-12-09`; raise `UnusableInputError` that names *place*."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a date has no zone
    except ValueError as cause:
        detail = Bilingual.of(
            en=f"{text!r} is no date; write 2026-12-09", vi=f"“{text}” không phải là ngày; hãy ghi dạng 2026-12-09"
        )
        raise UnusableInputError(detail, place=place) from cause


def read_instant(text: object, place: str) -> datetime:
    """Return the RFC 3339 instant in *text*; raise `UnusableInputError` naming *place* otherwise."""
    try:
        return values.parse_instant(str(text))
    except ValueError as cause:
        vi = f"“{text}” không phải là thời điểm kèm múi giờ; hãy ghi dạng 2026-12-09T23:59:00+07:00"
        raise UnusableInputError(Bilingual.of(en=str(cause), vi=vi), place=place) from cause


def read_period(text: str, place: str) -> Period:
    """Return the reporting period in *text*; raise `UnusableInputError` naming *place* otherwise."""
    try:
        return periods.parse(text)
    except ValueError as cause:
        vi = f"“{text}” không phải là kỳ báo cáo; hãy ghi dạng {periods.FORMS_VI}"
        raise UnusableInputError(Bilingual.of(en=str(cause), vi=vi), place=place) from cause


def refuse_duty(cause: UnknownDuty) -> UnusableInputError:
    """Return the error that says which part of the name of a duty fits nothing."""
    return UnusableInputError(cause.detail, place=f"--{cause.field}")


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
