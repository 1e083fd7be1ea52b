"""Filter duty lines by their columns, and search them without accents."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from schemas.events.assessments import Status
from schemas.text import comparison
from services.reporting.core.access.decisions import AccessRefusedError, RefusalReason
from services.reporting.core.access.readers import ReaderScope
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.lists import queues
from services.reporting.core.lists.queues import Queue

# The facets of which a line has one value; of the others it may have several.
EXCLUSIVE_FACETS = frozenset({"status", "group", "obligation"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFilter:
    """Conditions on a duty line; an empty condition matches every line.

    Of statuses, groups and obligations a line has one, and one of those named is enough. Flags, missing parts and
    queues must all be there.
    """

    statuses: frozenset[Status] = frozenset()
    groups: frozenset[str] = frozenset()
    obligations: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()
    queues: frozenset[Queue] = frozenset()
    words: str = ""

    def matches(self, line: DutyLine) -> bool:
        """Whether *line* meets every condition."""
        return all(self.judge(line).values())

    def judge(self, line: DutyLine) -> Mapping[str, bool]:
        """Return which of the conditions *line* meets, by facet; the search is the condition `q`."""
        chosen = self.list_chosen()
        values = list_values(line)
        judged = {
            facet: not wanted or (wanted & values[facet] if facet in EXCLUSIVE_FACETS else wanted <= values[facet])
            for facet, wanted in chosen.items()
        }
        return {**{facet: bool(one) for facet, one in judged.items()}, "q": self._has_words(line)}

    def list_chosen(self) -> Mapping[str, frozenset[str]]:
        """Return the chosen values of each facet, by the name that the facet has in a query."""
        return {
            "status": frozenset(self.statuses),
            "group": self.groups,
            "obligation": self.obligations,
            "flag": self.flags,
            "missing": self.missing,
            "queue": frozenset(self.queues),
        }

    def _has_words(self, line: DutyLine) -> bool:
        if not self.words:
            return True
        text = comparison.make_search_key(f"{line.agency_name} {line.key.agency}")
        return all(word in text for word in comparison.make_search_key(self.words).split())


def list_values(line: DutyLine) -> Mapping[str, frozenset[str]]:
    """Return the values that *line* has in each facet."""
    return {
        "status": frozenset({line.status.value}),
        "group": frozenset({line.group}),
        "obligation": frozenset({line.key.obligation}),
        "flag": frozenset(line.flags),
        "missing": frozenset(line.missing),
        "queue": frozenset(queue.value for queue in Queue if queues.is_in(queue, line)),
    }


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
