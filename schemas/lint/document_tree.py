"""Plain document values with their path, read without trust: what has the wrong shape reads as absent.

The rules of plans and registries look at documents through this, so that one broken value hides no fault elsewhere.
Saying that a value has the wrong shape is the models' part.
"""

from dataclasses import dataclass
from datetime import date

from schemas.lint.diagnostics import DocumentPath, Finding, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A value of a document and the path that leads to it."""

    value: object
    path: DocumentPath = ()

    def __getitem__(self, key: str) -> "Node":
        value = self.value.get(key) if isinstance(self.value, dict) else None
        return Node(value=value, path=(*self.path, key))

    def each(self) -> tuple["Node", ...]:
        """Return the members of a list; none of anything else."""
        members = self.value if isinstance(self.value, list) else []
        return tuple(Node(value=one, path=(*self.path, index)) for index, one in enumerate(members))

    @property
    def is_given(self) -> bool:
        """Whether there is a value at all, of whatever shape."""
        return self.value is not None

    @property
    def text(self) -> str:
        """The text, or nothing where the value is none."""
        return self.value if isinstance(self.value, str) else ""

    @property
    def number(self) -> int | None:
        """The whole number, quoted or not."""
        if isinstance(self.value, bool):
            return None
        try:
            return int(self.value) if isinstance(self.value, int | str) else None
        except ValueError:
            return None

    @property
    def day(self) -> date | None:
        """The ISO 8601 local date."""
        try:
            return date.fromisoformat(self.text)
        except ValueError:
            return None

    def finding(self, message: str, severity: Severity = Severity.ERROR) -> Finding:
        """Return a finding at this place."""
        return Finding(path=self.path, message=message, severity=severity)

    def warning(self, message: str) -> Finding:
        """Return an advice at this place."""
        return self.finding(message, Severity.WARNING)
