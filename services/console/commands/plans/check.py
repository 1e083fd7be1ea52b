"""`dondoc check`: every fault of a plan and its registry at its line, in one run. What a fault is, others decide."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from pydantic import BaseModel

from schemas.lint import documents, plan_rules
from schemas.lint.diagnostics import Diagnostic
from schemas.lint.documents import LintResult
from schemas.lint.yaml_source import NotYaml
from services.console.support import inputs, output, plan_checks

M = TypeVar("M", bound=BaseModel)


class CheckFormat(StrEnum):
    """How faults are printed."""

    TEXT = "text"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is wrong with a folder, in order; `unreadable` where a file is no YAML document at all."""

    faults: tuple[Diagnostic, ...]
    unreadable: bool = False

    @property
    def exit_code(self) -> int:
        """The exit code that says it: warnings alone refuse nothing."""
        if self.unreadable:
            return output.UNUSABLE
        return output.NEGATIVE if any(fault.is_error for fault in self.faults) else 0


def check(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with plan.yaml and registry.yaml.")],
    fmt: Annotated[
        CheckFormat, typer.Option("--format", help="text (FILE:LINE: message) or jsonl.")
    ] = CheckFormat.TEXT,
) -> None:
    """Validate a plan and its registry: every error as FILE:LINE: message, exit code 1 if there is one."""
    with output.exits():
        verdict = checked(directory)
    for fault in verdict.faults:
        _print(fault, fmt)
    errors = sum(fault.is_error for fault in verdict.faults)
    output.say(f"{directory}: {errors} errors, {len(verdict.faults) - errors} warnings")
    raise typer.Exit(verdict.exit_code)


def checked(directory: Path) -> Verdict:
    """Return the verdict on *directory*; raise `Unusable` where a file cannot be read."""
    files = [directory / name for name in (inputs.PLAN_FILE, inputs.REGISTRY_FILE)]
    plan_text, registry_text = [inputs.read_text(file) for file in files]
    return examined(plan_text, registry_text, directory)


def examined(plan_text: str, registry_text: str, directory: Path = Path()) -> Verdict:
    """Return the verdict on the two texts, which stand in *directory*."""
    plan = _attempt(documents.lint_plan, plan_text, directory / inputs.PLAN_FILE)
    registry = _attempt(documents.lint_registry, registry_text, directory / inputs.REGISTRY_FILE)
    faults = {*_faults(plan), *_faults(registry)}
    if isinstance(plan, LintResult):
        faults.update(plan.diagnostics_of(plan_checks.findings(plan.content)))
    if isinstance(plan, LintResult) and isinstance(registry, LintResult):
        faults.update(plan.diagnostics_of(plan_rules.check_references(plan.content, registry.content)))
    unreadable = isinstance(plan, Diagnostic) or isinstance(registry, Diagnostic)
    return Verdict(faults=tuple(sorted(faults)), unreadable=unreadable)


def _attempt(examine: Callable[[str, str], LintResult[M]], text: str, file: Path) -> LintResult[M] | Diagnostic:
    try:
        return examine(text, str(file))
    except NotYaml as cause:
        return Diagnostic(file=str(file), line=cause.line, message=cause.problem)


def _faults(found: LintResult[M] | Diagnostic) -> tuple[Diagnostic, ...]:
    return found.diagnostics if isinstance(found, LintResult) else (found,)


def _print(fault: Diagnostic, fmt: CheckFormat) -> None:
    match fmt:
        case CheckFormat.TEXT:
            sys.stdout.write(f"{fault}\n")
        case CheckFormat.JSONL:
            output.line(
                {"file": fault.file, "line": fault.line, "severity": fault.severity.value, "message": fault.message}
            )
