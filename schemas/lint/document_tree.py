"""The values of a document with their paths. A value of the wrong type reads as absent.

The rules for plans and registries read documents through these nodes, so that one broken value hides no error
elsewhere. The pydantic models report the values of the wrong type.
"""

from dataclasses import dataclass
from datetime import date

from schemas.lint.diagnostics import DocumentPath, Finding, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A value of a document and its path from the root."""

    value: object
    path: DocumentPath = ()

    def __getitem__(self, key: str) -> "Node":
        value = self.value.get(key) if isinstance(self.value, dict) else None
        return Node(value=value, path=(*self.path, key))

    def each(self) -> tuple["Node", ...]:
        """Return the members of a list, or nothing if the value is no list."""
        members = self.value if isinstance(self.value, list) else []
        return tuple(Node(value=one, path=(*self.path, index)) for index, one in enumerate(members))

    @property
    def is_given(self) -> bool:
        """Whether there is a value, of whatever type."""
        return self.value is not None

    @property
    def text(self) -> str:
        """The text, or an empty string if the value is no text."""
        return self.value if isinstance(self.value, str) else ""

    @property
    def number(self) -> int | None:
        """The integer, quoted or not, or None."""
        # In Python a bool is an int, so `month: true` would read as January.
        if isinstance(self.value, bool):
            return None
        try:
            return int(self.value) if isinstance(self.value, int | str) else None
        except ValueError:
            return None

    @property
    def day(self) -> date | None:
        """The ISO 8601 local date, or None."""
        try:
            return date.fromisoformat(self.text)
        except ValueError:
            return None

    def finding(self, message: str, severity: Severity = Severity.ERROR) -> Finding:
        """Return a finding at this node."""
        return Finding(path=self.path, message=message, severity=severity)

    def warning(self, message: str) -> Finding:
        """Return a warning at this node."""
        return self.finding(message, Severity.WARNING)
