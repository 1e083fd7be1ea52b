"""Every reader of records, and what has to hold of it for any bytes: it returns, or it refuses them as unreadable.

What a reader lets pass must then be good for what the service does with it: rules assesses it, the notifier schedules
it, reporting stores and draws it. A failure of any of these is an exception here.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache

import bson
from aiokafka import ConsumerRecord, TopicPartition

from schemas.events.topics import DELIVERIES, FACTS
from services.console.audit.log_index import LogIndex
from services.console.audit.log_indexer import LogIndexer
from services.console.commands.operations.dead_letters import StoredDeadLetter
from services.intake.dedup import entry_decoder
from services.notifier import consumer
from services.notifier.core.scheduling.scheduled_alert import DutyAssessment
from services.reporting import event_decoder, stored_documents
from services.reporting.sealing import report_decoder
from services.reporting.sealing import store as sealed_store
from services.rules import fact_decoder
from services.rules.fact_validation import Rejection
from services.rules.state import state_store
from services.runtime.decoding import UnreadableRecordError
from services.runtime.kafka.published_documents import PublishedDocuments
from services.runtime.settings import KafkaConfig
from tests.support.builders.partition_log import PartitionLog
from tests.support.hostile import sending

Reader = Callable[[bytes | None], object]

RECORDED_AT = datetime(2026, 12, 1, tzinfo=UTC)


def a_record(
    value: bytes | None,
    *,
    key: bytes | None = b"h-mot",
    timestamp: int = 1_764_000_000_000,
    headers: tuple[tuple[str, bytes], ...] = (),
) -> ConsumerRecord[bytes, bytes]:
    """Build a record of the log as aiokafka's consumer returns it."""
    return ConsumerRecord(FACTS.name, 0, 0, timestamp, 0, key, value, None, 0, 0, headers)


def read_assessment(value: bytes | None) -> DutyAssessment | None:
    """Read a verdict as the notifier does; the alerts of what passes are scheduled, stored, written and recorded."""
    assessment = consumer.decode_assessment(value)
    if assessment is not None:
        sending.send_alerts(assessment)
    return assessment


def read_verdict(value: bytes | None) -> event_decoder.RecordedAssessment:
    """Read a verdict as reporting does; what passes is stored, and read again from what was stored."""
    found = event_decoder.decode_verdict(value)
    stored = _store(stored_documents.build_assessment(found))
    assert event_decoder.decode_verdict(stored) == found
    return found


def read_delivery(value: bytes | None) -> event_decoder.RecordedAttempt:
    """Read a delivery as reporting does; what passes is stored, and read again from what was stored."""
    found = event_decoder.decode_delivery(value)
    stored = _store(stored_documents.build_attempt(found))
    assert event_decoder.decode_delivery(stored) == found
    return found


def _store(document: dict[str, object]) -> bytes:
    encoded = bson.encode(document)
    assert len(encoded) < sending.LARGEST_DOCUMENT_BYTES
    record = bson.decode(encoded)["record"]
    assert isinstance(record, bytes)
    return record


def read_fact(value: bytes | None) -> event_decoder.DecodedFact | None:
    """Read a fact as reporting does; what passes is stored, and read again from what was stored."""
    found = event_decoder.decode_fact(value, recorded_at=RECORDED_AT)
    if found is not None:
        stored = _store(stored_documents.build_fact(found))
        assert event_decoder.decode_fact(stored, recorded_at=RECORDED_AT) == found
    return found


def read_index(value: bytes | None) -> int:
    """Index the record as `dondoc audit` does; what cannot be decoded is counted, and nothing raises."""
    index = _open_index()
    indexer = LogIndexer(KafkaConfig(bootstrap=""), index, {})
    with index.transaction():
        for topic in (FACTS.name, FACTS.dead_letter, DELIVERIES.name):
            indexer.add_records(TopicPartition(topic, 0), [a_record(value)])
    return index.count_unreadable()


@cache
def _open_index() -> LogIndex:
    """Open one index for the whole run: to make its tables takes longer than to read a record."""
    return LogIndex(None, "test")


def read_state(value: bytes | None) -> object:
    """Read a record of the state of rules as the next owner of its partition does."""
    if value is None:
        return None  # a duty that was deleted
    return state_store.decode_facts(value)


def read_adoption(value: bytes | None) -> object:
    """Read the adoption of a plan from the state of rules."""
    processor = PartitionLog().processor
    if value is not None:
        processor.restore(b"P-1|||", value)
    return processor.adoptions


def read_reference(value: bytes | None) -> object:
    """Read a published document as every service does. One that cannot be read changes nothing and is remembered."""
    documents = PublishedDocuments(KafkaConfig(bootstrap="localhost:1"))
    keys = (b"plan:P-1@1", b"registry:th@1", b"registry:th@2#1/1", value, b"\xff")

    async def apply_all() -> list[bool]:
        return [await documents._apply(a_record(value, key=key)) for key in keys]

    changed = asyncio.run(apply_all())
    assert value is None or changed.count(False) == len(documents.unreadable)
    return documents.plans(), documents.registry("th")


def read_dead_letter(value: bytes | None) -> object:
    """List and show a dead letter as the console does, whatever its key and headers are."""
    headers = (("dondoc-reason", value), ("dondoc-origin-offset", b"\xff"), ("trace", value))
    record = a_record(value, key=value, headers=headers)  # type: ignore[arg-type]  # Kafka's headers may have no value
    return StoredDeadLetter(topic=FACTS, record=record).row()


def read_report_event(value: bytes | None) -> object:
    """Read a record of the topic of reports as reporting does; what passes is stored under a key of its own."""
    found = report_decoder.decode_report_event(a_record(value))
    _collection, document = sealed_store._describe(found)
    assert bson.decode(bson.encode(document))["_id"] == document["_id"]
    return found


READERS: Mapping[str, Reader] = {
    "rules: facts": fact_decoder.decode_event,
    "rules: state": read_state,
    "rules: adoptions in the state": read_adoption,
    "notifier: verdicts": read_assessment,
    "reporting: verdicts": read_verdict,
    "reporting: deliveries": read_delivery,
    "reporting: facts": read_fact,
    "reporting: reports": read_report_event,
    "intake: facts": entry_decoder.decode_entry,
    "console: audit": read_index,
    "console: dead letters": read_dead_letter,
    "all: published documents": read_reference,
}


@dataclass(slots=True, kw_only=True)
class ReaderChecker:
    """Gives a value to every reader, and what rules makes of it to the readers of verdicts."""

    log: PartitionLog = field(default_factory=lambda: adopted_log(None))
    processed: set[str] = field(default_factory=set)

    def check(self, value: bytes | None) -> dict[str, object]:
        """Return what each reader that did not refuse *value* has read; raise what none of them may raise."""
        read: dict[str, object] = {}
        refusals: dict[str, UnreadableRecordError] = {}
        for name, reader in READERS.items():
            try:
                read[name] = reader(value)
            except UnreadableRecordError as cause:
                refusals[name] = cause
        assert all(str(cause).startswith(cause.pointer or "/") for cause in refusals.values())
        fact = repr(read.get("rules: facts"))
        if "rules: facts" in read and fact not in self.processed:  # most damage is where rules does not look
            self.processed.add(fact)
            self._process(value)
        return read

    def _process(self, value: bytes | None) -> None:
        """Process a fact in a partition of its own; every verdict on it can be read by all who read verdicts."""
        log = adopted_log(self.log)
        try:
            verdicts = log.append_raw(value)
        except Rejection:  # what breaks the assessment is another error, and goes through
            return
        log.restore_processor()
        for verdict in verdicts:
            read_verdict(verdict)
            assert read_assessment(verdict) is not None


def adopted_log(original: PartitionLog | None) -> PartitionLog:
    """Return a partition in which the usual plan is adopted; a copy of *original* costs no new assessment."""
    log = PartitionLog()
    if original is None:
        log.adopt()
        return log
    log.documents, log.catalogues, log.offset = original.documents, original.catalogues, original.offset
    log.changelog = dict(original.changelog)
    log.processor = log.restore_processor()
    return log
