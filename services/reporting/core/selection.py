"""Which duties a question asks about: filters over lines, accent-insensitive search, and one page of the answer.

A page is told by the key of its last duty, so that duties appearing meanwhile shift nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from schemas.events.assessments import Status
from services.reporting.core import vietnamese
from services.reporting.core.lines import DutyLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What a line must be; an empty condition holds for all."""

    statuses: frozenset[Status] = frozenset()
    groups: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()
    words: str = ""

    def admits(self, line: DutyLine) -> bool:
        """Whether *line* meets every condition; all flags asked for must be there."""
        return (
            (not self.statuses or line.status in self.statuses)
            and (not self.groups or line.group in self.groups)
            and self.flags <= set(line.flags)
            and self._is_named(line)
        )

    def _is_named(self, line: DutyLine) -> bool:
        named = vietnamese.searchable(f"{line.agency_name} {line.key.agency}")
        return all(word in named for word in vietnamese.searchable(self.words).split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A stretch of the answer; `next_cursor` is nothing on the last page."""

    lines: tuple[DutyLine, ...]
    total: int
    next_cursor: str | None


def select(lines: Iterable[DutyLine], wanted: Filter) -> tuple[DutyLine, ...]:
    """Return the lines that *wanted* admits, in their order."""
    return tuple(line for line in lines if wanted.admits(line))


def page_of(lines: Sequence[DutyLine], *, limit: int, cursor: str | None) -> Page:
    """Return up to *limit* lines after *cursor*, ordered by duty key; raise `ValueError` where *limit* is below one."""
    if limit < 1:
        raise ValueError("limit must be at least 1")
    ordered = sorted(lines, key=lambda line: str(line.key))
    rest = [line for line in ordered if cursor is None or str(line.key) > cursor]
    shown = tuple(rest[:limit])
    more = len(rest) > limit
    return Page(lines=shown, total=len(ordered), next_cursor=str(shown[-1].key) if more else None)
