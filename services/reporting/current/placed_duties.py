"""The state of duties at an instant, which is looked up once for as long as no verdict and no boundary comes."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from services.reporting.core import timeline
from services.reporting.core.timeline import DutyState, UnreadableRecord
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


class DutyPlacer:
    """Looks up what is *known* of duties at an instant, and keeps what was asked for last."""

    def __init__(self) -> None:
        self._kept = AnswerMemo[PlacedDuties]()

    async def place(self, known: KnownDuties, duties: PlanDutyFilter, as_of: datetime) -> PlacedDuties:
        """Return the state of each of *duties*, of which *known* is known, as of *as_of*."""
        version = None if known.version is None else (known.version, known.find_epoch(as_of))
        kept = None if version is None else self._kept.find(duties, version)
        if kept is not None:
            return kept
        place = partial(timeline.states_at, known.assessments, as_of)
        states = await thread_work.run(place, work=len(known.assessments))
        placed = PlacedDuties(states=states, unreadable=known.unreadable, cited=known.cited, version=version)
        if version is not None:
            self._kept.keep(duties, version, placed, size=len(states))
        return placed
