"""Answer what an event is and what rests on it: as it was recorded, what names it, which statuses follow from it."""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

import msgspec

from schemas.events.envelope import Envelope
from schemas.events.ids import DutyKey
from schemas.events.reports import ReportSealed
from schemas.plan import periods
from schemas.plan.values import Bilingual
from services.reporting import event_decoder
from services.reporting.cited_documents import NotFoundError
from services.reporting.core.access.decisions import AccessRefusedError
from services.reporting.core.content import submission_history
from services.reporting.core.content.submission_history import DocketFact, SubmissionHistory
from services.reporting.core.evidence.duty_facts import DutyFact
from services.reporting.core.timeline import DutyState, EventIdentity, UnreadableRecord
from services.reporting.event_decoder import RecordedAttempt, StoredRecord
from services.reporting.evidence import docket_facts
from services.reporting.queries import QueryContext, ReportingQueries
from services.reporting.store import PlanDutyFilter
from services.reporting.stored_documents import StoredFact
from services.runtime import decoding
from services.runtime.decoding import RecordDecoder, UnreadableRecordError

# An event is looked for under each source in turn where the question names none; with more than these it has to.
SOURCES_MAX = 200


class AmbiguousEventError(Exception):
    """Events of several sources have that id: name one of `sources`."""

    def __init__(self, sources: tuple[str, ...]) -> None:
        known = ", ".join(sources)
        self.detail = Bilingual.of(
            en=f"events of several sources have this id; add source=, one of {known}",
            vi=f"có nhiều nguồn dùng mã này; hãy thêm source=, một trong {known}",
        )
        super().__init__(self.detail.en)
        self.sources = sources


class EventArchive(Protocol):
    """Finds the records of single events."""

    async def find_fact(self, receiptid: str) -> StoredFact | None: ...
    async def find_events(self, identities: Iterable[EventIdentity], known_at: datetime) -> list[StoredFact]: ...
    async def find_sources(self, limit: int) -> list[str]: ...
    async def find_attempt(self, event: str, known_at: datetime) -> StoredRecord | None: ...
    async def find_docket(self, duty: DutyKey, known_at: datetime) -> list[StoredFact]: ...
    async def find_seals(self, plan: str) -> list[StoredRecord]: ...


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class SupportedVersion:
    """A sealed version of the report of a period, in which a status rested on a fact."""

    period: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FactAnswer:
    """A fact with its record, its docket, its history if it is a submission, and what rests on it.

    That are states of duties, and the sealed versions in which a state did, for whoever may read sealed reports.
    """

    fact: DutyFact
    duty: DutyKey
    record: bytes
    docket: tuple[DutyFact, ...]
    history: SubmissionHistory | None
    states: tuple[DutyState, ...]
    versions: tuple[SupportedVersion, ...]
    unreadable: tuple[UnreadableRecord, ...]

    @property
    def stands(self) -> bool:
        """Whether its content is the one that counts for a duty."""
        return any(state.span.standing == self.fact.fact.identity for state in self.states)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptAnswer:
    """An attempt at an alert, with its record, and the source of the event that tells of it."""

    attempt: RecordedAttempt
    source: str


class _EnvelopeSource(msgspec.Struct):
    source: str = ""


_SOURCE_DECODER: RecordDecoder[_EnvelopeSource] = RecordDecoder(_EnvelopeSource)


class EventQueries:
    """Questions about one event. They raise `AccessRefusedError` where it is about a duty outside the scope."""

    def __init__(self, queries: ReportingQueries, archive: EventArchive) -> None:
        self._queries = queries
        self._archive = archive

    async def find_event(self, event: str, source: str | None, context: QueryContext) -> FactAnswer | AttemptAnswer:
        """Return the event of that id: a fact by its id or its receipt, or an attempt at an alert.

        Raises `NotFoundError` where none is on record by `known_at`, and `AmbiguousEventError` where *source* is None
        and several sources have used the id.
        """
        found = await self._find_stored(event, source, context)
        if found:
            return await self._describe_fact(await self._choose(found, context), context)
        attempt = None if source is not None else await self._archive.find_attempt(event, context.known_at)
        if attempt is None:
            raise NotFoundError(
                en=f"no event {event!r} was on record at {context.known_at.isoformat()}",
                vi=f"đến {context.known_at.isoformat()} chưa ghi nhận sự kiện {event!r}",
            )
        return await self._describe_attempt(attempt, context)

    async def _find_stored(self, event: str, source: str | None, context: QueryContext) -> list[StoredFact]:
        """Return the fact with that receipt, else for each source the fact with that id, in the order of sources."""
        by_receipt = None if source is not None else await self._archive.find_fact(event)
        if by_receipt is not None and (by_receipt.recorded_at is None or by_receipt.recorded_at <= context.known_at):
            return [by_receipt]
        sources = [source] if source is not None else await self._archive.find_sources(SOURCES_MAX)
        found = await self._archive.find_events([(one, event) for one in sources], context.known_at)
        # Where several facts have one identity, the first recorded counts.
        first = {_read_source(one): one for one in sorted(found, key=StoredFact.recording_order, reverse=True)}
        return [first[one] for one in sorted(first)]

    async def _choose(self, found: Sequence[StoredFact], context: QueryContext) -> StoredFact:
        """Return the only one that the scope covers; one that it does not cover is as if it were not there."""
        if len(found) == 1:
            return found[0]
        covered = [one for one in found if await self._is_covered(one, context)]
        if len(covered) > 1:
            raise AmbiguousEventError(tuple(map(_read_source, covered)))
        return covered[0] if covered else found[0]

    async def _is_covered(self, stored: StoredFact, context: QueryContext) -> bool:
        try:
            await self._queries.require_duty(_read_duty(stored), context)
        except (AccessRefusedError, UnreadableRecordError):
            return False
        return True

    async def _describe_fact(self, stored: StoredFact, context: QueryContext) -> FactAnswer:
        try:
            fact = docket_facts.decode_fact(stored)
            duty = _read_duty(stored)
        except UnreadableRecordError as cause:
            self._queries.note_unreadable(UnreadableRecord(id=stored.receiptid, reason=str(cause)))
            raise NotFoundError(
                en=f"what is stored of the receipt {stored.receiptid!r} cannot be read",
                vi=f"không đọc được nội dung đã lưu của biên nhận {stored.receiptid!r}",
            ) from cause
        await self._queries.require_duty(duty, context)
        docket, unreadable = docket_facts.decode_facts(
            await self._archive.find_docket(duty, context.known_at), self._queries.note_unreadable
        )
        duties = PlanDutyFilter(plan=duty.plan, agency=duty.agency, obligation=duty.obligation)
        states, unreadable_states = await self._queries.find_states(duties, context)
        versions = [version async for version in self._find_versions(fact, duties, context)]
        return FactAnswer(
            fact=fact,
            duty=duty,
            record=stored.record or b"",
            docket=tuple(docket),
            history=_trace(fact, docket),
            states=tuple(state for state in states if fact.event in state.span.evidence),
            versions=tuple(sorted(versions)),
            unreadable=(*unreadable, *unreadable_states),
        )

    async def _find_versions(
        self, fact: DutyFact, duties: PlanDutyFilter, context: QueryContext
    ) -> AsyncIterator[SupportedVersion]:
        """Yield the versions in whose report a status of *duties* rested on *fact*, as it was known to that report."""
        stored = await self._archive.find_seals(duties.plan) if context.scope.covers_sealed else []
        for seal in self._decode_seals(stored):
            if seal.sealed_at > context.known_at:
                continue
            asked = replace(context, as_of=seal.at, known_at=seal.known_at)
            states, _ = await self._queries.find_states(duties, asked)
            if any(fact.event in state.span.evidence and _is_within(state.key, seal.period) for state in states):
                yield SupportedVersion(period=seal.period, version=seal.version)

    def _decode_seals(self, stored: Iterable[StoredRecord]) -> Iterator[ReportSealed]:
        for one in stored:
            try:
                yield decoding.decode_model(Envelope[ReportSealed], one.record).data
            except UnreadableRecordError as cause:
                self._queries.note_unreadable(UnreadableRecord(id=one.id, reason=str(cause)))

    async def _describe_attempt(self, stored: StoredRecord, context: QueryContext) -> AttemptAnswer:
        try:
            attempt = event_decoder.decode_delivery(stored.record)
        except UnreadableRecordError as cause:
            self._queries.note_unreadable(UnreadableRecord(id=stored.id, reason=str(cause)))
            raise NotFoundError(
                en=f"what is stored of the event {stored.id!r} cannot be read",
                vi=f"không đọc được nội dung đã lưu của sự kiện {stored.id!r}",
            ) from cause
        if not attempt.attempts:
            raise NotFoundError(
                en=f"the event {stored.id!r} is about no duty", vi=f"sự kiện {stored.id!r} không thuộc nhiệm vụ nào"
            )
        for one in attempt.attempts:
            await self._queries.require_duty(one.key, context)
        return AttemptAnswer(attempt=attempt, source=_SOURCE_DECODER.decode(attempt.record).source)


def _trace(fact: DutyFact, docket: Iterable[DutyFact]) -> SubmissionHistory | None:
    if fact.report is None:
        return None
    facts: list[DocketFact] = [fact.fact, *(one.fact for one in docket)]
    return submission_history.trace_submission(fact.fact.identity, facts)


def _is_within(duty: DutyKey, period: str) -> bool:
    """Return whether a report for *period* tells of *duty*; of one without a period every report does."""
    return duty.period is None or periods.parse(period).covers(periods.parse(duty.period))


def _read_duty(stored: StoredFact) -> DutyKey:
    if stored.recorded_at is None:
        raise UnreadableRecordError("", "the document has lost when the log recorded it")
    decoded = event_decoder.decode_fact(stored.record, recorded_at=stored.recorded_at)
    if decoded is None:
        raise UnreadableRecordError("", "it is no fact about a duty")
    return decoded.duty


def _read_source(stored: StoredFact) -> str:
    try:
        return docket_facts.decode_fact(stored).fact.identity[0]
    except UnreadableRecordError:
        return ""
