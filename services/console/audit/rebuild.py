"""Rebuilds what reporting must answer of some agencies: their facts go through the processor of rules once more.

It is the same processor, so there is no second definition of a status here. It is given the agencies of one partition
at a time and the periods that the audit is about; facts and duties of all others are left out.
"""

import asyncio
import heapq
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from schemas.events.ids import DutyKey
from services.console.audit.log_index import LogIndex, LogRecord, floor_milliseconds
from services.reporting import event_decoder
from services.reporting.core.timeline import EventIdentity
from services.reporting.event_decoder import StoredRecord
from services.reporting.store import PlanDutyFilter
from services.reporting.stored_documents import StoredFact
from services.rules import fact_decoder
from services.rules.assessment_event import LogPosition
from services.rules.fact_validation import Rejection
from services.rules.processor import KeyedEvent, PartitionProcessor
from services.runtime.clock import instant_of

YIELD_EVERY_RECORDS = 200  # after so many records the event loop may run, so that probes are answered meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuiltAssessments:
    """The newest assessment of each duty that was known at the instant asked about, and how many facts count not."""

    newest: dict[DutyKey, bytes]
    rejected: int


async def assess_records(
    processor: PartitionProcessor, records: Sequence[Iterable[LogRecord]], *, known_at: datetime
) -> RebuiltAssessments:
    """Process *records* of one partition, each group in the order of the log, and keep what was known at *known_at*.

    A revision grows with the log, so the last assessment of a duty is its newest.
    """
    newest: dict[DutyKey, bytes] = {}
    rejected = 0
    for count, record in enumerate(heapq.merge(*records, key=lambda one: one.offset), start=1):
        if count % YIELD_EVERY_RECORDS == 0:
            await asyncio.sleep(0)
        recorded_at = instant_of(record.recorded_at)
        try:
            events = list(_process(processor, record, recorded_at))
        except Rejection:
            rejected += 1
            continue
        if recorded_at > known_at:
            continue  # assessed nevertheless: a later record may bear an earlier instant, and rests on this one
        for _agency, event in events:
            newest[event_decoder.decode_verdict(event).assessment.key] = event
    return RebuiltAssessments(newest=newest, rejected=rejected)


def _process(processor: PartitionProcessor, record: LogRecord, recorded_at: datetime) -> Iterator[KeyedEvent]:
    """Process *record*; what breaks its assessment is rejected, as rules itself does it."""
    position = LogPosition(offset=record.offset, recorded_at=recorded_at)
    try:
        fact, _ = fact_decoder.decode_event(record.value, recorded_at=recorded_at)
        yield from processor.process(fact, position=position)
    except Rejection:
        raise
    except Exception as cause:
        raise Rejection("unexpected", f"{type(cause).__name__}: {cause}") from cause


class RebuiltArchive:
    """Answers the queries of reporting from rebuilt assessments and the indexed attempts, in place of its database."""

    def __init__(
        self,
        newest: Mapping[DutyKey, bytes],
        index: LogIndex,
        *,
        attempts_below: Mapping[int, int] | None = None,
    ) -> None:
        """Take the *newest* assessment of each duty; *attempts_below* as `LogIndex.attempts` does."""
        self._by_agency: dict[str, list[tuple[DutyKey, bytes]]] = {}
        for key, event in newest.items():
            self._by_agency.setdefault(key.agency, []).append((key, event))
        self._index = index
        self._attempts_below = attempts_below

    async def find_newest_revisions(self, duties: PlanDutyFilter, known_at: datetime) -> list[StoredRecord]:
        """Return the assessment of each of *duties*, of one agency or of all that were rebuilt."""
        del known_at  # they were rebuilt for it
        everybody = chain.from_iterable(self._by_agency.values())
        found = everybody if duties.agency is None else self._by_agency.get(duties.agency, ())
        matching = [(key, event) for key, event in found if key.plan == duties.plan and key.period in duties.periods]
        return [StoredRecord(id=str(key), record=event) for key, event in matching]

    async def find_attempts(self, duties: Iterable[DutyKey], known_at: datetime) -> list[StoredRecord]:
        """Return every attempt by *known_at* that is about one of *duties*."""
        names, until = [str(duty) for duty in duties], floor_milliseconds(known_at)
        found = self._index.attempts(names, until=until, below=self._attempts_below)
        return [StoredRecord(id=event, record=record) for event, record in found]

    async def find_events(self, identities: Iterable[EventIdentity], known_at: datetime) -> list[StoredFact]:
        """Return the facts that have one of *identities* and were recorded by *known_at*."""
        records = self._index.events(list(identities), until=floor_milliseconds(known_at))
        return [StoredFact(receiptid="", recorded_at=instant_of(one.recorded_at), record=one.value) for one in records]

    async def find_facts_generation(self) -> Hashable:
        """Return a constant: the log is read once."""
        return None

    async def find_facts_about(self, duties: Iterable[DutyKey], known_at: datetime) -> list[StoredFact]:
        """Return nothing: the report cites decisions from these facts, and no figure rests on them."""
        del duties, known_at
        return []

    async def find_periods(self, plan: str) -> list[str]:
        """Return nothing: an audit names its period."""
        del plan
        return []
