"""Consume `dondoc.verdicts.v1`: decode assessments, and follow the latest one of each duty before the offset moves.

The data of an assessment is as `schemas.events.wire` describes it; fields that it does not describe are ignored. An
unreadable record, or one that cites a document nobody published, goes to the dead letter topic. An assessment older
than the one followed changes nothing, so redelivered records and a rewound offset are harmless.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from schemas.events.assessments import ASSESSED
from schemas.events.ids import DutyKey
from schemas.events.wire import WireDutyAssessed
from services.notifier.cited_documents import CitedDocuments
from services.notifier.core.scheduling import schedule
from services.notifier.core.scheduling.scheduled_alert import DutyAssessment, StatusInterval
from services.notifier.errors import DocumentsMissingError, NotifierError, UnreadableAssessmentError
from services.notifier.ledger import Ledger
from services.notifier.ledger_documents import StoredSchedule
from services.notifier.metrics import NotifierMetrics
from services.runtime.clock import Clock
from services.runtime.kafka.dead_letters import ConsumedRecord, DeadLetters

log = logging.getLogger(__name__)


class _AssessedEvent(msgspec.Struct, frozen=True):
    """All that the notifier requires of the envelope; the data of another type of event is not even decoded."""

    type: str
    data: msgspec.Raw


_EVENT_DECODER = msgspec.json.Decoder(_AssessedEvent)
_DATA_DECODER = msgspec.json.Decoder(WireDutyAssessed)


def decode_assessment(value: bytes | None) -> DutyAssessment | None:
    """Return the assessment in the value of a record, or None for an event of another type.

    Raises `UnreadableAssessmentError` for anything that is not an event, or not a valid assessment.
    """
    try:
        event = _EVENT_DECODER.decode(value or b"")
        return _build_assessment(_DATA_DECODER.decode(event.data)) if event.type == ASSESSED else None
    except msgspec.DecodeError as cause:
        raise UnreadableAssessmentError(str(cause)) from cause


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictConsumer:
    """The handler of `dondoc.verdicts.v1`. It sets `followed` when there may be something new to send."""

    ledger: Ledger
    documents: CitedDocuments
    dead_letters: DeadLetters
    clock: Clock
    metrics: NotifierMetrics
    lookback: timedelta
    followed: asyncio.Event

    async def on_batch(self, records: Sequence[ConsumedRecord]) -> None:
        """Follow the assessments of a batch. Raises what the ledger or the dead letter topic raises, uncommitted."""
        latest: dict[str, DutyAssessment] = {}
        refused: list[tuple[ConsumedRecord, NotifierError]] = []
        for record in records:
            try:
                assessment = await self._decode(record)
            except (UnreadableAssessmentError, DocumentsMissingError) as cause:
                refused.append((record, cause))
                continue
            if assessment is not None and _is_newer(assessment, latest):
                latest[str(assessment.duty)] = assessment
        while latest and not await self._follow(latest):
            log.info("a schedule was changed by another writer and is decided anew", extra={"action": "schedule_raced"})
        # Last of all: a batch that is repeated because the database is away would write its dead letters every time.
        await self._write_dead_letters(refused)
        self.metrics.assessments.inc(len(latest))
        self.followed.set()

    async def _write_dead_letters(self, refused: Iterable[tuple[ConsumedRecord, NotifierError]]) -> None:
        for record, cause in refused:
            await self.dead_letters.set_aside(record, reason=f"{type(cause).__name__}: {cause}")
            self.metrics.dead_letters.inc()
            log.warning("a verdict is set aside", extra={"action": "dead_lettered", "offset": record.offset})

    async def _decode(self, record: ConsumedRecord) -> DutyAssessment | None:
        assessment = decode_assessment(record.value)
        if assessment is not None:
            await self._ensure_documents(assessment)
        return assessment

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

    async def _follow(self, latest: dict[str, DutyAssessment]) -> bool:
        """Write the schedules that change. Return False if another writer changed one of them first."""
        # The other writer may be the digest scheduler of this process, which claims due alerts at the same time.
        known = await self.ledger.find_schedules(list(latest))
        now = self.clock.now()
        changes = []
        for duty, assessment in latest.items():
            stored = known.get(duty)
            hours = self.documents.hours(assessment.duty.plan, assessment.plan_version)
            followed = schedule.follow_assessment(
                stored.schedule if stored else None, assessment, hours, now=now, lookback=self.lookback
            )
            if stored is None or followed != stored.schedule:
                changes.append(StoredSchedule(schedule=followed, version=stored.version if stored else 0))
        return not changes or await self.ledger.put_schedules(changes)


def _is_newer(assessment: DutyAssessment, latest: dict[str, DutyAssessment]) -> bool:
    known = latest.get(str(assessment.duty))
    return known is None or known.revision <= assessment.revision


def _build_assessment(fields: WireDutyAssessed) -> DutyAssessment:
    return DutyAssessment(
        duty=DutyKey(
            plan=fields.plan, agency=fields.agency, obligation=fields.obligation, period=fields.period or None
        ),
        plan_version=fields.plan_version,
        registry=fields.registry,
        registry_version=fields.registry_version,
        clause=fields.clause,
        revision=fields.revision,
        recorded_at=fields.recorded_at,
        timeline=tuple(
            StatusInterval(starts_at=one.starts_at, status=one.status, due_at=one.due_at, missing=one.missing)
            for one in fields.timeline
        ),
        alerts=fields.steps,
    )
