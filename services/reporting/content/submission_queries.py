"""Answer what became of one submission: the event as recorded, its duty, its history, its attached files."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import msgspec

from schemas.events.facts import SUBMITTED
from schemas.events.ids import DutyKey
from services.reporting import event_decoder
from services.reporting.cited_documents import NotFoundError
from services.reporting.content import fact_details
from services.reporting.core.content import submission_history
from services.reporting.core.content.submission_history import DocketFact, SubmissionHistory
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.evidence import revision_differences
from services.reporting.core.evidence.duty_facts import ReportDetails
from services.reporting.core.evidence.revision_differences import ReportDifference
from services.reporting.core.timeline import EventIdentity, UnreadableRecord
from services.reporting.event_decoder import DecodedFact
from services.reporting.queries import DutyFilter, QueryContext, ReportingQueries
from services.reporting.stored_documents import StoredFact
from services.runtime.decoding import RecordDecoder, UnreadableRecordError


class DocketSource(Protocol):
    """Finds a fact by its receipt, and all facts of a docket."""

    async def find_fact(self, receiptid: str) -> StoredFact | None: ...
    async def find_docket(self, duty: DutyKey, known_at: datetime) -> list[StoredFact]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionAnswer:
    """A submission, the duty that it counts for, whether its content is the one that counts, and its history.

    `differences` are those from the submission that it corrects; None where it corrects none.
    """

    fact: DecodedFact
    duty: DutyLine | None
    stands: bool
    history: SubmissionHistory
    differences: tuple[ReportDifference, ...] | None
    unreadable: tuple[UnreadableRecord, ...]


class AttachmentReference(msgspec.Struct, frozen=True):
    """A file that a submission names."""

    sha256: str
    name: str = ""
    media_type: str = ""
    size: int = 0
    url: str | None = None


class _AttachmentsMember(msgspec.Struct):
    attachments: tuple[AttachmentReference, ...] = ()


class _AttachingEvent(msgspec.Struct):
    data: _AttachmentsMember


_ATTACHING_DECODER: RecordDecoder[_AttachingEvent] = RecordDecoder(_AttachingEvent)


class SubmissionQueries:
    """Questions about single facts. All but `find_fact` raise `AccessRefusedError` for a duty outside the scope."""

    def __init__(self, queries: ReportingQueries, archive: DocketSource) -> None:
        self._queries = queries
        self._archive = archive

    async def find_fact(self, receiptid: str) -> DecodedFact:
        """Return the fact that a receipt confirms; raise `NotFoundError` where there is none, or none to be read."""
        stored = await self._archive.find_fact(receiptid)
        if stored is None:
            raise NotFoundError(
                en=f"no receipt {receiptid!r} is on record; it appears a moment after it was given",
                vi=f"không có biên nhận {receiptid!r}; biên nhận mới cấp sẽ xuất hiện sau giây lát",
            )
        try:
            fact = _decode(stored)
            event_decoder.describe_fact(fact)
        except UnreadableRecordError as cause:
            self._queries.note_unreadable(UnreadableRecord(id=receiptid, reason=str(cause)))
            raise NotFoundError(
                en=f"what is stored of the receipt {receiptid!r} cannot be read",
                vi=f"không đọc được nội dung đã lưu của biên nhận {receiptid!r}",
            ) from cause
        return fact

    async def find_submission(self, receiptid: str, context: QueryContext) -> SubmissionAnswer:
        """Return a submission as it was known at `known_at`; raise `NotFoundError` where there was none."""
        fact = await self._find_known_submission(receiptid, context)
        identity = (fact.source, fact.event)
        docket, unreadable = await self._find_docket(fact, context)
        history = submission_history.trace_submission(identity, docket)
        found = await self._queries.find_lines(_duty_of(fact, history), context)
        return SubmissionAnswer(
            fact=fact,
            duty=next(iter(found.lines), None),
            stands=await self._is_standing(identity, fact, history, context=context),
            history=history,
            differences=None if history.corrects is None else await self._compare(history.corrects, fact),
            unreadable=(*unreadable, *found.unreadable),
        )

    async def find_attachment(self, receiptid: str, sha256: str, context: QueryContext) -> AttachmentReference:
        """Return the file with that digest as the submission names it; raise `NotFoundError` where it names none."""
        fact = await self._find_known_submission(receiptid, context)
        try:
            attached = _ATTACHING_DECODER.decode(fact.record).data.attachments
        except UnreadableRecordError as cause:
            raise NotFoundError(
                en=f"the files that the submission {receiptid!r} names cannot be read",
                vi=f"không đọc được danh sách tệp của lần gửi {receiptid!r}",
            ) from cause
        for one in attached:
            if one.sha256.lower() == sha256.lower():
                return one
        raise NotFoundError(
            en=f"the submission {receiptid!r} names no file with the digest {sha256!r}",
            vi=f"lần gửi {receiptid!r} không có tệp nào mang mã băm {sha256!r}",
        )

    async def _find_known_submission(self, receiptid: str, context: QueryContext) -> DecodedFact:
        fact = await self.find_fact(receiptid)
        await self._queries.require_duty(fact.duty, context)
        if fact.recorded_at > context.known_at:
            raise NotFoundError(
                en=f"the receipt {receiptid!r} was not on record at {context.known_at.isoformat()}",
                vi=f"đến {context.known_at.isoformat()} chưa ghi nhận biên nhận {receiptid!r}",
            )
        if fact.type != SUBMITTED:
            raise NotFoundError(
                en=f"the receipt {receiptid!r} is of no submission; see /v1/receipts",
                vi=f"biên nhận {receiptid!r} không phải của một lần gửi báo cáo; xem /v1/receipts",
            )
        return fact

    async def _find_docket(
        self, fact: DecodedFact, context: QueryContext
    ) -> tuple[Sequence[DocketFact], Sequence[UnreadableRecord]]:
        """Return the facts of the docket that had happened by `as_of`, and those that cannot be read."""
        docket = [event_decoder.describe_fact(fact)]  # also one that was received after the instant asked about
        unreadable = []
        for stored in await self._archive.find_docket(fact.duty, context.known_at):
            try:
                described = event_decoder.describe_fact(_decode(stored))
            except UnreadableRecordError as cause:
                unreadable.append(UnreadableRecord(id=stored.receiptid, reason=str(cause)))
                self._queries.note_unreadable(unreadable[-1])
            else:
                docket += [described] if described.received_at <= context.as_of else []
        return docket, unreadable

    async def _compare(self, corrected: DocketFact, fact: DecodedFact) -> tuple[ReportDifference, ...] | None:
        """Return what differs in *fact* from the submission that it corrects, or None where that has no content."""
        stored = await self._archive.find_fact(corrected.receiptid)
        before = None if stored is None else fact_details.decode_details(stored.record)
        after = fact_details.decode_details(fact.record)
        if not isinstance(before, ReportDetails) or not isinstance(after, ReportDetails):
            return None
        return revision_differences.compare_reports(before, after)

    async def _is_standing(
        self, identity: EventIdentity, fact: DecodedFact, history: SubmissionHistory, *, context: QueryContext
    ) -> bool:
        duty = _duty_of(fact, history)
        states, _ = await self._queries.find_states(duty.in_plan(fact.duty.plan), context)
        return any(state.span.standing == identity for state in states)


def _duty_of(fact: DecodedFact, history: SubmissionHistory) -> DutyFilter:
    key = fact.duty
    return DutyFilter(plan=key.plan, agency=key.agency, obligation=key.obligation, periods=(history.period,))


def _decode(stored: StoredFact) -> DecodedFact:
    if stored.recorded_at is None:
        raise UnreadableRecordError("", "the document has lost when the log recorded it")
    fact = event_decoder.decode_fact(stored.record, recorded_at=stored.recorded_at)
    if fact is None:
        raise UnreadableRecordError("", "it is no fact about a duty")
    return fact
