"""Filter duty lines, search them without accents, and cut the result into pages.

A cursor is the key of the last duty of a page. A duty that appears between two requests therefore shifts no page.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from schemas.events.assessments import Status
from schemas.text import comparison
from services.reporting.core.access.decisions import AccessRefusedError, RefusalReason
from services.reporting.core.access.readers import ReaderScope
from services.reporting.core.duty_lines import DutyLine


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFilter:
    """Conditions on a duty line; an empty condition matches every line."""

    statuses: frozenset[Status] = frozenset()
    groups: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()
    words: str = ""

    def matches(self, line: DutyLine) -> bool:
        """Whether *line* meets every condition: one of the statuses, one of the groups, all flags and all words."""
        return (
            (not self.statuses or line.status in self.statuses)
            and (not self.groups or line.group in self.groups)
            and self.flags <= set(line.flags)
            and self._has_words(line)
        )

    def _has_words(self, line: DutyLine) -> bool:
        text = comparison.make_search_key(f"{line.agency_name} {line.key.agency}")
        return all(word in text for word in comparison.make_search_key(self.words).split())


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePage:
    """One page of lines; `total` counts the lines of all pages, and `next_cursor` is None on the last page."""

    lines: tuple[DutyLine, ...]
    total: int
    next_cursor: str | None


def filter_lines(lines: Iterable[DutyLine], line_filter: LineFilter) -> tuple[DutyLine, ...]:
    """Return the lines that *line_filter* matches, in their order."""
    return tuple(line for line in lines if line_filter.matches(line))


def require_groups(groups: Iterable[str], covered: Sequence[DutyLine], scope: ReaderScope) -> None:
    """Raise `AccessRefusedError` if one of *groups*, which a query names, is outside *scope*.

    A group is inside if *scope* covers it, or if one of the *covered* lines stands under it: a reader of the members of
    one group may ask by which other group a duty reached them.
    """
    inside = {line.group for line in covered}
    if any(not scope.covers_group(group) and group not in inside for group in groups):
        raise AccessRefusedError(RefusalReason.OUTSIDE_SCOPE)


def paginate(lines: Sequence[DutyLine], *, limit: int, cursor: str | None) -> LinePage:
    """Return up to *limit* lines after *cursor*, ordered by duty key; raise `ValueError` where *limit* is below one."""
    if limit < 1:
        raise ValueError("limit must be at least 1")
    ordered = sorted(lines, key=lambda line: str(line.key))
    remaining = [line for line in ordered if cursor is None or str(line.key) > cursor]
    page = tuple(remaining[:limit])
    has_more = len(remaining) > limit
    return LinePage(lines=page, total=len(ordered), next_cursor=str(page[-1].key) if has_more else None)
