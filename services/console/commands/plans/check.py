"""`dondoc check`: prints every fault of a plan and its registry at its line, in one run.

The checks themselves are in `schemas.lint` and in `support.plan_checks`.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from pydantic import BaseModel

from schemas.lint import documents, holiday_rules, plan_rules
from schemas.lint.diagnostics import Diagnostic
from schemas.lint.documents import LintResult
from schemas.lint.hierarchy import level_rules, parent_gaps
from schemas.lint.yaml_source import NotYaml
from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.console.support import inputs, output, plan_checks
from services.notifier.core.rendering.officers import OfficerBook
from services.runtime.clock import SystemClock

M = TypeVar("M", bound=BaseModel)


class CheckFormat(StrEnum):
    """How faults are printed."""

    TEXT = "text"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """The faults of a folder, in order; `is_unreadable` where a file is no YAML document at all."""

    faults: tuple[Diagnostic, ...]
    is_unreadable: bool = False

    @property
    def exit_code(self) -> int:
        """The exit code of the command; warnings alone give 0."""
        if self.is_unreadable:
            return output.EXIT_UNUSABLE
        return output.EXIT_NEGATIVE if any(fault.is_error for fault in self.faults) else 0


def check(
    directories: Annotated[
        list[Path], typer.Argument(metavar="DIR…", help="Folders with plan.yaml and registry.yaml, one a plan.")
    ],
    fmt: Annotated[
        CheckFormat, typer.Option("--format", help="text (FILE:LINE: message) or jsonl.")
    ] = CheckFormat.TEXT,
    officers: Annotated[
        Path | None, typer.Option(metavar="F.yaml", help="Warn of plans whose officer has no telephone there.")
    ] = None,
) -> None:
    """Validate plans and their registries: every error as FILE:LINE: message, exit code 1 if there is one."""
    with output.exit_on_errors():
        book = None if officers is None else inputs.read_officers(officers)
        checked = {one: check_folder(one, directories, officers=book) for one in inputs.list_plan_folders(directories)}
    for directory, result in checked.items():
        for fault in result.faults:
            _print_fault(fault, fmt)
        errors = sum(fault.is_error for fault in result.faults)
        warnings = len(result.faults) - errors
        output.print_message(f"{directory}: {_count(errors, 'error')}, {_count(warnings, 'warning')}")
    raise typer.Exit(max(result.exit_code for result in checked.values()))


def check_folder(
    directory: Path,
    directories: Sequence[Path] = (),
    *,
    today: date | None = None,
    officers: OfficerBook | None = None,
) -> CheckResult:
    """Check the plan in *directory* with its registry, which another of *directories* may hold.

    *today* is by the machine's clock if not given; without *officers* nothing is said of them. Raise
    `UnusableInputError` where a file cannot be read.
    """
    plan_file = directory / inputs.PLAN_FILE
    plan_text = inputs.read_text(plan_file)
    plan = _examine(documents.lint_plan, plan_text, plan_file)
    named = plan.model if isinstance(plan, LintResult) else None
    registry_file = inputs.find_registry_file(directory, directories, named)
    registry = _examine(documents.lint_registry, inputs.read_text(registry_file), registry_file)
    result = _check_both(plan, registry, today or SystemClock().now().date())
    if isinstance(plan, Diagnostic):
        return result
    superseded = plan.content["supersedes"]["plan"].text
    old = inputs.find_plan(superseded, directory, directories) if superseded else None
    found = {*result.faults, *plan.diagnostics_of(level_rules.check_carried(plan.content, old))}
    if officers is not None:
        found.update(plan.diagnostics_of(plan_checks.check_officer(plan.content, officers)))
    return replace(result, faults=tuple(sorted(found)))


def check_texts(
    plan_text: str, registry_text: str, directory: Path = Path(), *, today: date | None = None
) -> CheckResult:
    """Check the two texts; *directory* is only named in the faults. *today* is by the machine's clock if not given."""
    plan = _examine(documents.lint_plan, plan_text, directory / inputs.PLAN_FILE)
    registry = _examine(documents.lint_registry, registry_text, directory / inputs.REGISTRY_FILE)
    return _check_both(plan, registry, today or SystemClock().now().date())


def _check_both(
    plan: LintResult[Plan] | Diagnostic, registry: LintResult[Registry] | Diagnostic, today: date
) -> CheckResult:
    faults = {*_diagnostics_of(plan), *_diagnostics_of(registry)}
    if isinstance(plan, LintResult):
        faults.update(plan.diagnostics_of(plan_checks.check_plan(plan.content)))
    if isinstance(plan, LintResult) and isinstance(registry, LintResult):
        faults.update(plan.diagnostics_of(plan_rules.check_references(plan.content, registry.content)))
        unconfirmed = holiday_rules.check_confirmed_years(plan.content, registry.content, today)
        faults.update(registry.diagnostics_of(unconfirmed))
        if plan.model is not None and registry.model is not None:
            faults.update(plan.diagnostics_of(parent_gaps.find_parent_gaps(plan.model, registry.model)))
    for found in (plan, registry):
        if isinstance(found, LintResult) and found.model is not None:
            faults.update(found.diagnostics_of(plan_checks.check_size(found.content, found.model)))
    is_unreadable = isinstance(plan, Diagnostic) or isinstance(registry, Diagnostic)
    return CheckResult(faults=tuple(sorted(faults)), is_unreadable=is_unreadable)


def _examine(examine: Callable[[str, str], LintResult[M]], text: str, file: Path) -> LintResult[M] | Diagnostic:
    try:
        return examine(text, str(file))
    except NotYaml as cause:
        return Diagnostic(file=str(file), line=cause.line, message=cause.problem)


def _diagnostics_of(found: LintResult[M] | Diagnostic) -> tuple[Diagnostic, ...]:
    return found.diagnostics if isinstance(found, LintResult) else (found,)


def _print_fault(fault: Diagnostic, fmt: CheckFormat) -> None:
    match fmt:
        case CheckFormat.TEXT:
            sys.stdout.write(f"{fault}\n")
        case CheckFormat.JSONL:
            output.print_json(
                {"file": fault.file, "line": fault.line, "severity": fault.severity.value, "message": fault.message}
            )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
