"""The queues of duties that need a person: each duty in one of them asks for something that no letter will do."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import chain

from schemas.events.assessments import Status
from services.reporting.core.duty_lines import DutyLine

# How often an agency was reminded or urged in vain before somebody should ring it up.
URGED_IN_VAIN = 3
SILENT = frozenset({Status.PENDING, Status.OVERDUE})
_RETURNED = "returned"  # rules names so what is missing while the recipient waits for a new version
_NEEDS_RECONCILIATION = "needs_reconciliation"
_WITHDRAWN = "withdrawn"


class Queue(StrEnum):
    """What somebody has to do with a duty; the most urgent first."""

    UNREACHABLE = "unreachable"
    """Nothing is on file, and no alert has reached the agency, or none does any more."""

    URGED = "urged"
    """Nothing is on file after three occasions of reminding or urging."""

    RETURNED = "returned"
    """The report was returned, and no new version has come."""

    INCOMPLETE = "incomplete"
    """A report is on file that lacks a part, and was not returned."""

    RECONCILE = "reconcile"
    """Several documents contradict each other."""

    WITHDRAWN = "withdrawn"
    """The report was withdrawn, and nothing else is on file."""

    SUCCESSION = "succession"
    """The agency ended, and nobody has decided who succeeds to the duty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedDuties:
    """The lines of one queue, and since when the first of them has waited, where that is known."""

    queue: Queue
    lines: tuple[DutyLine, ...]
    since: datetime | None


def is_in(queue: Queue, line: DutyLine) -> bool:
    """Whether *line* stands in *queue*; a line may stand in several."""
    return _CONDITIONS[queue](line)


def list_queues(line: DutyLine) -> tuple[Queue, ...]:
    """Return the queues in which *line* stands, in their order."""
    return tuple([queue for queue, condition in _CONDITIONS.items() if condition(line)])


def fill_queues(lines: Iterable[DutyLine]) -> tuple[QueuedDuties, ...]:
    """Return the queues that are not empty, in their order."""
    lines = tuple(lines)
    members = {queue: tuple(line for line in lines if is_in(queue, line)) for queue in Queue}
    return tuple(
        QueuedDuties(queue=queue, lines=found, since=min(filter(None, map(_waiting_since(queue), found)), default=None))
        for queue, found in members.items()
        if found
    )


def join_queues(several: Iterable[Sequence[QueuedDuties]]) -> tuple[QueuedDuties, ...]:
    """Return the queues of lines that were put into queues in parts."""
    parts: dict[Queue, list[QueuedDuties]] = {queue: [] for queue in Queue}
    for one in chain.from_iterable(several):
        parts[one.queue].append(one)
    return tuple(
        QueuedDuties(
            queue=queue,
            lines=tuple(chain.from_iterable(one.lines for one in found)),
            since=min((one.since for one in found if one.since is not None), default=None),
        )
        for queue, found in parts.items()
        if found
    )


def _waiting_since(queue: Queue) -> Callable[[DutyLine], datetime | None]:
    """Return what tells since when a line has waited: silence since the first alert, anything else since it began."""
    if queue in {Queue.UNREACHABLE, Queue.URGED}:
        return lambda line: line.urging.first_tried_at
    return lambda line: line.since


def _is_unreachable(line: DutyLine) -> bool:
    urging = line.urging
    return line.status in SILENT and (urging.is_out_of_reach or (not urging.occasions and urging.unsent > 0))


_CONDITIONS: dict[Queue, Callable[[DutyLine], bool]] = {
    Queue.UNREACHABLE: _is_unreachable,
    Queue.URGED: lambda line: line.status in SILENT and line.urging.occasions >= URGED_IN_VAIN,
    Queue.RETURNED: lambda line: _RETURNED in line.missing,
    Queue.INCOMPLETE: lambda line: line.status is Status.INCOMPLETE and _RETURNED not in line.missing,
    Queue.RECONCILE: lambda line: _NEEDS_RECONCILIATION in line.flags,
    Queue.WITHDRAWN: lambda line: line.status in SILENT and _WITHDRAWN in line.flags,
    Queue.SUCCESSION: lambda line: line.status is Status.ENDED_NO_SUCCESSOR,
}
