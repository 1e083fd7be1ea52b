"""The answer to a question about lines, which is kept for as long as nothing of it changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from schemas.plan.plan import Plan
from services.reporting.core import duty_lines
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.lists.memoized_items import MemoizedItems
from services.reporting.core.timeline import DutyState, UnreadableRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLines:
    """The lines of the duties asked for, the states that they describe, and the stored records that cannot be read."""

    listed: MemoizedItems[DutyLine]
    placed: MemoizedItems[DutyState]
    unreadable: tuple[UnreadableRecord, ...]

    @classmethod
    def join(cls, several: Sequence["FoundLines"], plans: Sequence[Plan]) -> "FoundLines":
        """Return what *several* found together, each about a period of one of *plans*, in the order of one question."""
        lines = chain.from_iterable(one.lines for one in several)
        return cls(
            listed=MemoizedItems(duty_lines.order_periods(lines, plans)),
            placed=MemoizedItems(tuple(chain.from_iterable(one.states for one in several))),
            unreadable=tuple(dict.fromkeys(record for one in several for record in one.unreadable)),
        )

    @property
    def lines(self) -> tuple[DutyLine, ...]:
        """The lines."""
        return self.listed.items

    @property
    def states(self) -> tuple[DutyState, ...]:
        """The states."""
        return self.placed.items
