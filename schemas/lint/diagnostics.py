"""What is wrong with a document and where: findings by path, faults by file and line.

It refuses to know which rule found them.
"""

from dataclasses import dataclass
from enum import StrEnum

DocumentPath = tuple[str | int, ...]
"""The keys and indexes that lead from a document's top to one of its values."""


class Severity(StrEnum):
    """Whether a fault refuses the document or only advises."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A departure at a path of the document; `line` only where the path alone does not tell it."""

    path: DocumentPath
    message: str
    severity: Severity = Severity.ERROR
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Diagnostic:
    """A departure at a line of a file; faults sort by file and line."""

    file: str
    line: int
    message: str
    severity: Severity = Severity.ERROR

    @property
    def is_error(self) -> bool:
        """Whether the document is refused because of it."""
        return self.severity is Severity.ERROR

    def __str__(self) -> str:
        prefix = "" if self.is_error else "warning: "
        return f"{self.file}:{self.line}: {prefix}{self.message}"


class DocumentInvalid(ValueError):  # noqa: N818 - it reads as a claim about the document
    """The document is refused; correct every fault it names and check it again with `dondoc check`."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__("\n".join(map(str, diagnostics)))
        self.diagnostics = diagnostics
