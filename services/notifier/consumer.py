"""Consume `dondoc.verdicts.v1`: decode assessments, and follow the latest one of each duty before the offset moves.

The data of an assessment is as `schemas.events.wire` describes it; fields that it does not describe are ignored. What
could not be scheduled, or not be stored, is unreadable too. An unreadable record, one that cites a document nobody
published, and one that contradicts the one of the same revision go to the dead letter topic. An assessment older than
the one followed changes nothing, so redelivered records and a rewound offset are harmless.
"""

import asyncio
import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import msgspec

from schemas.events import event_origin
from schemas.events.assessments import ASSESSED
from schemas.events.event_origin import EventOrigin
from schemas.events.ids import DutyKey
from schemas.events.wire import WireDutyAssessed, WireSegment, WireStep
from schemas.plan import values
from services.notifier.cited_documents import CitedDocuments
from services.notifier.core.scheduling import schedule
from services.notifier.core.scheduling.scheduled_alert import REVIEW_FLAGS, DutyAssessment, StatusInterval
from services.notifier.errors import ContentConflictError, DocumentsMissingError
from services.notifier.ledger import Ledger
from services.notifier.ledger_documents import StoredSchedule
from services.notifier.metrics import NotifierMetrics
from services.runtime import decoding
from services.runtime.clock import Clock
from services.runtime.decoding import RecordDecoder, UnreadableRecordError
from services.runtime.kafka import event_origins
from services.runtime.kafka.dead_letters import ConsumedRecord, DeadLetters
from services.runtime.kafka.observed_consumer import ObservedConsumer

log = logging.getLogger(__name__)

# MongoDB takes documents of 16 MiB, of which a schedule may fill half.
_LARGEST_SCHEDULE_BYTES = 8 * 1024 * 1024
_ALERT_BYTES = 1_024  # of a scheduled alert beside its texts
_COPIES_OF_STEP = 4  # in the alert, in the list of active steps, among the keys of what was sent, in a claim
_CHARACTER_BYTES = 4  # at most, in UTF-8


class _AssessedEvent(msgspec.Struct, frozen=True):
    """All that the notifier requires of the envelope; the data of another type of event is not even decoded."""

    type: str
    data: msgspec.Raw
    # Senders of events write both, and anything may stand in their place.
    traceparent: Any = None
    tracestate: Any = None


_EVENT_DECODER = RecordDecoder[_AssessedEvent](_AssessedEvent)
_DATA_DECODER = RecordDecoder[WireDutyAssessed](WireDutyAssessed)


def decode_assessment(value: bytes | None) -> DutyAssessment | None:
    """Return the assessment in the value of a record, or None for an event of another type.

    Raises `UnreadableRecordError` for anything that is not an event, or not a valid assessment.
    """
    event = _EVENT_DECODER.decode(value)
    if event.type != ASSESSED:
        return None
    digest = hashlib.sha256(value or b"").hexdigest()
    assessment = _build_assessment(_DATA_DECODER.decode_member(event.data, "/data"), digest=digest)
    if event.traceparent is None:
        return assessment
    trace = event_origin.read_trace(event.traceparent, event.tracestate)
    return replace(assessment, origin=EventOrigin(trace=trace))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAssessment:
    """An assessment and the record that it was decoded from."""

    record: ConsumedRecord
    assessment: DutyAssessment


@dataclass(slots=True, kw_only=True)
class VerdictConsumer:
    """The handler of `dondoc.verdicts.v1`. It sets `followed` when there may be something new to send.

    `dead_letters` is set before the first batch comes, as soon as there is a producer.
    """

    ledger: Ledger
    documents: CitedDocuments
    clock: Clock
    metrics: NotifierMetrics
    lookback: timedelta
    followed: asyncio.Event
    dead_letters: DeadLetters | None = None

    async def on_batch(self, records: Sequence[ConsumedRecord], _consumer: ObservedConsumer) -> None:
        """Follow the assessments of a batch. Raises what the ledger or the dead letter topic raises, uncommitted."""
        latest: dict[str, ReadAssessment] = {}
        refused: list[tuple[ConsumedRecord, Exception]] = []
        for record in records:
            try:
                assessment = await self._decode(record)
                if assessment is not None:
                    _keep_newest(latest, ReadAssessment(record=record, assessment=assessment))
            except (UnreadableRecordError, DocumentsMissingError, ContentConflictError) as cause:
                refused.append((record, cause))
        while latest and not await self._follow(latest, refused):
            log.info("a schedule was changed by another writer and is decided anew", extra={"action": "schedule_raced"})
        # Last of all: a batch that is repeated because the database is away would write its dead letters every time.
        await self._write_dead_letters(refused)
        self.metrics.assessments.inc(len(latest))
        self.followed.set()

    async def _write_dead_letters(self, refused: Iterable[tuple[ConsumedRecord, Exception]]) -> None:
        if self.dead_letters is None:
            raise RuntimeError("the components are not open")
        for record, cause in refused:
            await self.dead_letters.set_aside(record, reason=f"{type(cause).__name__}: {cause}")
            self.metrics.dead_letters.inc()
            self.metrics.conflicts.inc(isinstance(cause, ContentConflictError))
            log.warning("a verdict is set aside", extra={"action": "dead_lettered", "offset": record.offset})

    async def _decode(self, record: ConsumedRecord) -> DutyAssessment | None:
        assessment = decode_assessment(record.value)
        if assessment is None:
            return None
        await self._ensure_documents(assessment)
        return replace(assessment, origin=event_origins.read_verdict_origin(record, assessment.origin.trace))

    async def _ensure_documents(self, assessment: DutyAssessment) -> None:
        """Wait until everything published by now is read; raise `DocumentsMissingError` for a document that is not."""
        # Verdicts and documents are two topics. A verdict may be read before the plan that it cites, although the plan
        # was published first.
        try:
            self._look_up_documents(assessment)
        except DocumentsMissingError:
            await self.documents.catch_up()
            self._look_up_documents(assessment)

    def _look_up_documents(self, assessment: DutyAssessment) -> None:
        self.documents.plan(assessment.duty.plan, assessment.plan_version)
        self.documents.registry(assessment.registry, assessment.registry_version)

    async def _follow(self, latest: dict[str, ReadAssessment], refused: list[tuple[ConsumedRecord, Exception]]) -> bool:
        """Write the schedules that change. Return False if another writer changed one of them first.

        An assessment that contradicts the one followed is moved from *latest* to *refused*.
        """
        # The other writer may be the digest scheduler of this process, which claims due alerts at the same time.
        known = await self.ledger.find_schedules(list(latest))
        now = self.clock.now()
        changes = []
        for duty, assessment in [(duty, read.assessment) for duty, read in latest.items()]:
            stored = known.get(duty)
            if stored is not None and schedule.is_contradicted(stored.schedule, assessment):
                refused.append((latest.pop(duty).record, ContentConflictError(f"{duty} {assessment.revision}")))
                continue
            hours = self.documents.hours(assessment.duty.plan, assessment.plan_version)
            followed = schedule.follow_assessment(
                stored.schedule if stored else None, assessment, hours, now=now, lookback=self.lookback
            )
            if stored is None or followed != stored.schedule:
                changes.append(StoredSchedule(schedule=followed, version=stored.version if stored else 0))
        return not changes or await self.ledger.put_schedules(changes)


def _keep_newest(latest: dict[str, ReadAssessment], read: ReadAssessment) -> None:
    """Put *read* into *latest* unless a newer assessment is there; raise `ContentConflictError` for a contradiction."""
    assessment = read.assessment
    known = latest.get(str(assessment.duty))
    if known is not None and known.assessment.revision == assessment.revision:
        if known.assessment.digest != assessment.digest:
            raise ContentConflictError(f"{assessment.duty} {assessment.revision}")
        return
    if known is None or known.assessment.revision < assessment.revision:
        latest[str(assessment.duty)] = read


def _build_assessment(fields: WireDutyAssessed, *, digest: str) -> DutyAssessment:
    _refuse_oversized(fields)
    try:
        duty = DutyKey.from_event(
            plan=fields.plan, agency=fields.agency, obligation=fields.obligation, period=fields.period
        )
    except ValueError as cause:
        raise UnreadableRecordError("/data", str(cause)) from cause
    return DutyAssessment(
        duty=duty,
        plan_version=fields.plan_version,
        registry=fields.registry,
        registry_version=fields.registry_version,
        clause=fields.clause,
        revision=fields.revision,
        recorded_at=decoding.require_instant(fields.recorded_at, "/data/recorded_at"),
        timeline=tuple(_build_interval(one) for one in fields.timeline),
        alerts=tuple(_require_usable(step) for step in fields.steps),
        digest=digest,
    )


def _refuse_oversized(fields: WireDutyAssessed) -> None:
    """Raise `UnreadableRecordError` if the schedule of the assessment could be too large for its document."""
    # Every alert holds the parts that are missing at its instant.
    longest_missing = max((sum(map(len, one.missing)) for one in fields.timeline), default=0)
    labels = sum(len(step.step) + len(step.to) for step in fields.steps)
    characters = len(fields.clause) + len(fields.steps) * longest_missing + _COPIES_OF_STEP * labels
    if len(fields.steps) * _ALERT_BYTES + characters * _CHARACTER_BYTES > _LARGEST_SCHEDULE_BYTES:
        raise UnreadableRecordError("/data/steps", f"the schedule of {len(fields.steps)} alerts would be too large")


def _build_interval(segment: WireSegment) -> StatusInterval:
    due_at = segment.due_at
    return StatusInterval(
        starts_at=decoding.require_instant(segment.starts_at, "/data/timeline/from"),
        status=segment.status,
        due_at=due_at and decoding.require_instant(due_at, "/data/timeline/due_at"),
        missing=segment.missing,
        flags=tuple(flag for flag in segment.flags if flag in REVIEW_FLAGS) if segment.flags else (),
    )


def _require_usable(step: WireStep) -> WireStep:
    """Return *step*; raise `UnreadableRecordError` if its instants are out of reach or it repeats too soon."""
    for instant in filter(None, (step.at, step.due_at, step.until)):
        decoding.require_instant(instant, "/data/steps")
    if step.every is not None:
        try:
            values.parse_duration(step.step)  # the name of a repetition is the step and so many intervals more
            is_interval = values.is_interval(step.every)
        except ValueError as cause:
            raise UnreadableRecordError("/data/steps", str(cause)) from cause
        if not is_interval:
            raise UnreadableRecordError("/data/steps/every", f"{step.every} is too short to repeat an alert at")
    return step
