"""The state of duties at an instant: looked up anew where a verdict or a boundary has come, and kept elsewhere."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import zip_longest

from services.reporting.core import timeline
from services.reporting.core.timeline import AssessmentRevision, DutyState, UnreadableRecord
from services.reporting.current import thread_work
from services.reporting.current.answer_memo import AnswerMemo
from services.reporting.current.known_duties import CitedVersions, KnownDuties
from services.reporting.store import PlanDutyFilter


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedDuties:
    """The states of some duties, the records that cannot be read, and the versions of documents that they cite.

    `version` stands for all of this; None for what nobody should keep.
    """

    states: Sequence[DutyState]
    unreadable: tuple[UnreadableRecord, ...]
    cited: CitedVersions | None
    version: Hashable | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _KeptStates:
    """The states of some duties, and what was known of them. They hold up to the next boundary after `epoch`."""

    placed: PlacedDuties
    known: KnownDuties
    epoch: datetime | None


class DutyPlacer:
    """Looks up what is *known* of duties at an instant, and keeps what was asked for last."""

    def __init__(self) -> None:
        self._kept = AnswerMemo[_KeptStates]()

    async def place(self, known: KnownDuties, duties: PlanDutyFilter, as_of: datetime) -> PlacedDuties:
        """Return the state of each of *duties*, of which *known* is known, as of *as_of*."""
        epoch = known.find_epoch(as_of)
        version = None if known.version is None else (known.version, epoch)
        kept = None if version is None else self._kept.find(duties, version)
        if kept is not None:
            return kept.placed
        # Of a duty that has not changed since, the state is the same at both instants if no boundary lies between them.
        serving = (one.placed for one in self._kept.list_kept(duties) if one.known.find_epoch(as_of) == one.epoch)
        earlier = next(serving, None)
        place = partial(_place, known.assessments, as_of, () if earlier is None else earlier.states)
        states = await thread_work.run(place, work=len(known.assessments))
        placed = PlacedDuties(states=states, unreadable=known.unreadable, cited=known.cited, version=version)
        if version is not None:
            self._kept.keep(duties, version, _KeptStates(placed=placed, known=known, epoch=epoch), size=len(states))
        return placed


def _place(
    assessments: Sequence[AssessmentRevision], as_of: datetime, earlier: Sequence[DutyState]
) -> Sequence[DutyState]:
    """Return the state of each duty: the *earlier* one where that is of the same assessment, and in the same place."""
    return [
        before if before is not None and before.assessment is one else timeline.state_at(one, as_of)
        for one, before in zip_longest(assessments, earlier[: len(assessments)])
    ]
