"""Parse and lint plan and registry documents, with every diagnostic at its line.

This module takes text and does no I/O; the caller reads the files and prints the diagnostics.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from schemas.lint import plan_rules, registry_rules, text_rules, validation_errors, yaml_source
from schemas.lint.diagnostics import Diagnostic, DocumentInvalid, DocumentPath, Finding, Severity
from schemas.lint.document_tree import Node
from schemas.lint.yaml_source import NotYaml, YamlSource
from schemas.plan.plan import Plan
from schemas.plan.registry import Registry

__all__ = [
    "PLAN_FILE",
    "REGISTRY_FILE",
    "Diagnostic",
    "DocumentInvalid",
    "LintResult",
    "Severity",
    "cross_check",
    "lint_plan",
    "lint_registry",
    "parse_plan",
    "parse_registry",
]

PLAN_FILE = "plan.yaml"
REGISTRY_FILE = "registry.yaml"

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class LintResult(Generic[M]):
    """A linted document: its model if the models accept it, its content in any case, and its diagnostics."""

    file: str
    source: YamlSource
    model: M | None
    diagnostics: tuple[Diagnostic, ...]

    @property
    def content(self) -> Node:
        """The root of the document, for further rules."""
        return Node(value=self.source.content)

    def diagnostics_of(self, findings: Iterable[Finding]) -> tuple[Diagnostic, ...]:
        """Turn *findings* into diagnostics at their lines, sorted and without repetition."""
        return tuple(sorted(set(_locate(findings, self.source, self.file))))


def parse_plan(text: str) -> Plan:
    """Parse a plan; raise `DocumentInvalid` with every diagnostic if it has an error."""
    return _parse(lint_plan, text, PLAN_FILE)


def parse_registry(text: str) -> Registry:
    """Parse a registry; raise `DocumentInvalid` with every diagnostic if it has an error."""
    return _parse(lint_registry, text, REGISTRY_FILE)


def lint_plan(text: str, file: str = PLAN_FILE) -> LintResult[Plan]:
    """Lint the plan in *text* and return all its diagnostics; raise `NotYaml` if it is no YAML mapping."""
    return _lint(text, file, Plan, plan_rules.check_plan)


def lint_registry(text: str, file: str = REGISTRY_FILE) -> LintResult[Registry]:
    """Lint the registry in *text* and return all its diagnostics; raise `NotYaml` if it is no YAML mapping."""
    return _lint(text, file, Registry, registry_rules.check_registry)


def cross_check(plan: Plan, registry: Registry) -> tuple[Diagnostic, ...]:
    """Check the agencies and groups that *plan* names against *registry*.

    Every diagnostic is at line 1, because a model does not know the lines of its document.
    """
    contents = (Node(value=one.model_dump(mode="json", by_alias=True)) for one in (plan, registry))
    source = YamlSource(content=next(contents).value)
    findings = plan_rules.check_references(Node(value=source.content), next(contents))
    return tuple(sorted(set(_locate(findings, source, PLAN_FILE))))


def _parse(lint: Callable[[str, str], LintResult[M]], text: str, file: str) -> M:
    try:
        result = lint(text, file)
    except NotYaml as cause:
        raise DocumentInvalid((Diagnostic(file=file, line=cause.line, message=cause.problem),)) from cause
    if result.model is None or any(diagnostic.is_error for diagnostic in result.diagnostics):
        raise DocumentInvalid(result.diagnostics)
    return result.model


def _lint(text: str, file: str, model: type[M], rules: Callable[[Node], Iterable[Finding]]) -> LintResult[M]:
    source = yaml_source.read(text)
    # The rules run even where the models refuse the document, so that one wrong value hides no other error.
    content = Node(value=source.content)
    findings = [*source.duplicates, *text_rules.check_texts(content), *rules(content)]
    try:
        document = model.model_validate(source.content)
    except ValidationError as error:
        document = None
        findings.extend(validation_errors.explain(error, source.content, model))
    diagnostics = tuple(sorted(set(_locate(findings, source, file))))
    return LintResult(file=file, source=source, model=document, diagnostics=diagnostics)


def _locate(findings: Iterable[Finding], source: YamlSource, file: str) -> Iterator[Diagnostic]:
    for finding in findings:
        label = _label(finding.path, source.content)
        message = f"{label}: {finding.message}" if label else finding.message
        line = finding.line or source.line_of(finding.path)
        yield Diagnostic(file=file, line=line, message=message, severity=finding.severity)


def _label(path: DocumentPath, content: object) -> str:
    """Format a path as a person would: `annual-results.versions[0].due.day`."""
    rest = list(path)
    label = ""
    if len(path) > 1 and isinstance(path[1], int):
        owner = Node(value=content)[str(path[0])].each()[path[1]]["id"].text
        label, rest = (owner, rest[2:]) if owner else ("", rest)
    for step in rest:
        label += f"[{step}]" if isinstance(step, int) else f".{step}"
    return label.removeprefix(".")
