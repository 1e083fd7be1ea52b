"""What is wrong with a document: findings by path, and diagnostics by file and line.

A rule yields findings; the module that knows the source text turns them into diagnostics. Neither type names the rule.
"""

from dataclasses import dataclass
from enum import StrEnum

# The keys and indexes that lead from the root of a document to one of its values.
DocumentPath = tuple[str | int, ...]


class Severity(StrEnum):
    """Whether a diagnostic makes the document unacceptable or is only advice."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A problem at a path of the document; `line` is given only if the path does not determine it."""

    path: DocumentPath
    message: str
    severity: Severity = Severity.ERROR
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Diagnostic:
    """A problem at a line of a file; diagnostics sort by file and line."""

    file: str
    line: int
    message: str
    severity: Severity = Severity.ERROR

    @property
    def is_error(self) -> bool:
        """Whether the document is refused because of this problem."""
        return self.severity is Severity.ERROR

    def __str__(self) -> str:
        prefix = "" if self.is_error else "warning: "
        return f"{self.file}:{self.line}: {prefix}{self.message}"


class DocumentInvalid(ValueError):  # noqa: N818 - it reads as a claim about the document
    """The document has errors; correct each of its `diagnostics` and check it again with `dondoc check`."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__("\n".join(map(str, diagnostics)))
        self.diagnostics = diagnostics
