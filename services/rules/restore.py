"""Restores a partition when it is opened: reads its state, compares it with its log, and says what is to be done.

What was found is logged and counted here. A partition that is not intact reads a part of the log that it may have
processed before; a `Reread` is what it keeps in mind meanwhile. Until the end of that part nothing is written but
verdicts and dead letters that are missing. If the log still has every fact, each missing verdict is written at its
place, with the bytes that it had. If the log has lost facts that the state still knows, the earlier verdicts cannot be
made again: then the last verdict of each duty is written at the end, unless it was written before.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from aiokafka import TopicPartition

from schemas.events.topics import FACTS, VERDICTS
from services.rules.duty_catalogues import DutyCatalogues
from services.rules.metrics import RulesMetrics
from services.rules.processor import KeyedEvent, PartitionProcessor
from services.rules.state import changelog
from services.rules.state.changelog import Changelog, EarlierOutput
from services.rules.state.opening import (
    LOG_FINDINGS,
    REBUILD_FINDINGS,
    Opening,
    RestoredState,
    StateFinding,
    decide_opening,
)
from services.runtime.clock import Clock
from services.runtime.decoding import UnreadableRecordError
from services.runtime.kafka import dead_letters, log_coverage
from services.runtime.kafka.log_coverage import Coverage, FingerprintedRecord
from services.runtime.kafka.published_documents import PublishedDocuments
from services.runtime.settings import KafkaConfig

YIELD_EVERY_RECORDS = 2_000  # after so many records the event loop may run: heartbeats go on during a long restore

log = logging.getLogger(__name__)


class AdoptedDocumentsMissingError(Exception):
    """An adopted plan or registry version is not on `dondoc.references.v1`; publish it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionDependencies:
    """What every partition needs from the process."""

    kafka: KafkaConfig
    group: str
    catalogues: DutyCatalogues
    references: PublishedDocuments
    clock: Clock
    metrics: RulesMetrics
    ensure_topics: Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reread:
    """What a partition keeps in mind while it reads again what lies below the offset `until`."""

    finding: StateFinding
    until: int
    written: EarlierOutput
    tells_history: bool
    # The keys of the state topic whose records are replaced at the end.
    dropped_keys: frozenset[str] = frozenset()
    # The state that was dropped, where it may know what the log has lost.
    dropped_state: PartitionProcessor | None = field(default=None, repr=False)

    @property
    def is_of_log(self) -> bool:
        """Whether it is the log that lost records, and not the state."""
        return self.finding in LOG_FINDINGS

    def is_set_aside(self, record: FingerprintedRecord) -> bool:
        """Whether this very record is in the dead letters: it was no part of the state, and is none again."""
        return bool(self.written.set_aside) and dead_letters.identify(record) in self.written.set_aside

    def select_unwritten(self, events: Iterable[KeyedEvent]) -> list[KeyedEvent]:
        """Return those of *events* that are to be written at their place, because they never were."""
        return [one for one in events if not self.written.has_event(one[1])] if self.tells_history else []

    def is_news(self, event: KeyedEvent) -> bool:
        """Whether *event*, the verdict on a duty as things stand, says something else than the newest one written.

        One that was written before and is not the newest is no news: then the log and the state have both lost facts.
        """
        return not (self.written.has_event(event[1]) or self.written.has_as_newest(event[1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoredPartition:
    """A partition as it goes on: with this state, in this generation of its log, from the end of this coverage."""

    processor: PartitionProcessor
    generation: int
    coverage: Coverage
    committed: int | None
    verdicts_end: int
    reread: Reread | None


async def restore_partition(number: int, dependencies: PartitionDependencies) -> RestoredPartition:
    """Restore the partition *number*, whose earlier owner is fenced; raise `KafkaError` if the broker fails.

    Raise `AdoptedDocumentsMissingError` if the restored state needs documents that are not published.
    """
    found = await changelog.read_changelog(dependencies.kafka, number)
    restored = await _restore(PartitionProcessor(number, dependencies.catalogues), found)
    coverage = None if found.coverage is None else found.coverage.of_log
    facts, verdicts = TopicPartition(FACTS.name, number), TopicPartition(VERDICTS.name, number)
    set_aside = TopicPartition(FACTS.dead_letter, number)
    places = {facts: coverage, verdicts: None, set_aside: None}
    logs = await log_coverage.inspect_log(dependencies.kafka, dependencies.group, places)
    state = RestoredState(coverage=found.coverage, records=restored.digest.records, digest=restored.digest.hex())
    end = logs[verdicts].end
    is_behind = await changelog.has_later_verdicts(dependencies.kafka, verdicts, found.coverage, end=end)
    opening = decide_opening(state, logs[facts], verdicts_end=end, has_later_verdicts=is_behind)
    generation, reread = 0 if found.coverage is None else found.coverage.generation, None
    if opening.finding is not StateFinding.INTACT:
        _report(number, opening, dependencies.metrics)
        filled = [place for place in (verdicts, set_aside) if logs[place].end > logs[place].beginning]
        written = await changelog.read_earlier_output(dependencies.kafka, filled)
        generation, reread = _plan_reread(opening, written, restored, found, generation)
    processor = restored if opening.keeps_state else PartitionProcessor(number, dependencies.catalogues)
    await activate_adoptions(processor, dependencies.references)
    return RestoredPartition(
        processor=processor,
        generation=generation,
        coverage=_continue_coverage(coverage, opening),
        committed=logs[facts].committed,
        verdicts_end=end,
        reread=reread,
    )


async def activate_adoptions(restored: PartitionProcessor, references: PublishedDocuments) -> None:
    """Put the adoptions that *restored* knows into force; raise `AdoptedDocumentsMissingError`."""
    # The documents of a restored adoption may lie further in the topic than this process has read it.
    if restored.activate_adoptions():
        await references.catch_up()
    missing = restored.activate_adoptions()
    if missing:
        raise AdoptedDocumentsMissingError(", ".join(f"{one.plan}@{one.plan_version}" for one in missing))


async def _restore(processor: PartitionProcessor, found: Changelog) -> PartitionProcessor:
    """Restore every record that *processor* can read. One that it cannot is missing in its digest."""
    for count, (key, value) in enumerate(found.records.items(), start=1):
        try:
            processor.restore(key, value)
        except UnreadableRecordError:
            details = {"action": "state_unreadable", "partition": processor.partition}
            log.warning("a state record cannot be read", exc_info=True, extra=details)
        if count % YIELD_EVERY_RECORDS == 0:
            await asyncio.sleep(0)
    return processor


def _plan_reread(
    opening: Opening, written: EarlierOutput, restored: PartitionProcessor, found: Changelog, generation: int
) -> tuple[int, Reread]:
    """Return the generation in which reading goes on, and what to keep in mind until what was known is read again."""
    latest = max(generation, written.generation)
    # What an earlier log held is in the state alone. A state that is dropped then takes its history with it.
    begins_generation = opening.begins_generation or (latest > 0 and not opening.keeps_state)
    dropped = () if opening.keeps_state else found.records
    reread = Reread(
        finding=opening.finding,
        until=opening.reread_until,
        written=written,
        tells_history=not begins_generation,
        dropped_keys=frozenset(key.decode(errors="replace") for key in dropped),
        dropped_state=restored if begins_generation and not opening.keeps_state else None,
    )
    return latest + begins_generation, reread


def _continue_coverage(coverage: Coverage | None, opening: Opening) -> Coverage:
    """Return the coverage of a state that goes on at the opening's offset."""
    if coverage is not None and coverage.next_offset == opening.next_offset:
        return coverage
    return Coverage(next_offset=opening.next_offset)


def _report(number: int, opening: Opening, metrics: RulesMetrics) -> None:
    """Log and count that a partition is not intact."""
    details = {
        "partition": number,
        "finding": opening.finding.value,
        "next_offset": opening.next_offset,
        "until": opening.reread_until,
    }
    if opening.finding in LOG_FINDINGS:
        metrics.log_incidents.labels(opening.finding).inc()
        log.critical("the log has lost records that were read", extra={"action": "log_incident", **details})
    elif opening.finding in REBUILD_FINDINGS:
        metrics.state_rebuilds.labels(opening.finding).inc()
        log.error("the state of a partition is rebuilt from the log", extra={"action": "state_rebuilt", **details})
