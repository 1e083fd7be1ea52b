"""The answer to a question about lines, which is kept for as long as nothing of it changes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from schemas.events.ids import DutyKey
from schemas.plan.plan import Plan
from services.reporting.core import duty_lines
from services.reporting.core.duty_lines import DutyLine, LineBuilder, LineContext
from services.reporting.core.lists.memoized_items import MemoizedBlocks
from services.reporting.core.timeline import DutyState, UnreadableRecord
from services.reporting.core.urging import AlertAttempt
from services.reporting.current.known_duties import CitedVersions


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLines:
    """The lines of the duties asked for, the states that they describe, and the stored records that cannot be read."""

    listed: MemoizedBlocks[DutyLine]
    placed: MemoizedBlocks[DutyState]
    unreadable: tuple[UnreadableRecord, ...]

    @classmethod
    def cut(
        cls,
        lines: Iterable[DutyLine],
        states: Iterable[DutyState],
        unreadable: tuple[UnreadableRecord, ...],
        *,
        earlier: "FoundLines | None",
    ) -> "FoundLines":
        """Return the answer in blocks, those of an *earlier* one where they are the same."""
        listed, placed = (None, None) if earlier is None else (earlier.listed, earlier.placed)
        return cls(
            listed=MemoizedBlocks.cut(duty_lines.split_runs(lines), listed),
            placed=MemoizedBlocks.cut([tuple(states)], placed),
            unreadable=unreadable,
        )

    @classmethod
    def join(cls, several: Sequence["FoundLines"], plans: Sequence[Plan]) -> "FoundLines":
        """Return what *several* found together, each about a period of one of *plans*, in the order of one question."""
        blocks = chain.from_iterable(one.listed.blocks for one in several)
        return cls(
            listed=MemoizedBlocks(duty_lines.order_runs(blocks, plans, lambda block: block.items[0])),
            placed=MemoizedBlocks(chain.from_iterable(one.placed.blocks for one in several)),
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


@dataclass(frozen=True, slots=True, kw_only=True)
class CoveredDuties:
    """Those of some duties that the scope covers, with the alerts about them, and the records that cannot be read."""

    states: list[DutyState]
    attempts: Mapping[DutyKey, Sequence[AlertAttempt]]
    unreadable: tuple[UnreadableRecord, ...]
    cited: CitedVersions | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLines:
    """The answer to a question about lines, and what builds the next one from it."""

    found: FoundLines
    builder: LineBuilder


def build_lines(covered: CoveredDuties, context: LineContext, earlier: KeptLines | None) -> KeptLines:
    """Return the lines of *covered*, those that are as they were from an *earlier* answer by the same documents."""
    builder = LineBuilder(context) if earlier is None else earlier.builder
    lines = builder.build(covered.states, covered.attempts, as_of=context.as_of)
    known = None if earlier is None else earlier.found
    found = FoundLines.cut(lines, covered.states, covered.unreadable, earlier=known)
    return KeptLines(found=found, builder=builder)
