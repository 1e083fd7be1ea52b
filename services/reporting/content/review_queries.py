"""Answer what an officer sees before answering a report: the duty, its reports that stand, what was answered before."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from schemas.events.facts import ACCEPTED, RETURNED, WITHDRAWN
from schemas.events.ids import DutyKey
from schemas.plan.plan import Plan
from services.reporting import event_decoder, submission_content
from services.reporting.cited_documents import NotFoundError
from services.reporting.core.agencies.membership import Memberships
from services.reporting.core.content import submission_history
from services.reporting.core.content.submission_history import DocketFact
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.registry_index import RegistryIndex
from services.reporting.core.report.inputs import ReportedDocument
from services.reporting.core.reviews import answers
from services.reporting.core.timeline import UnreadableRecord
from services.reporting.queries import DutyFilter, QueryContext, ReportingQueries
from services.reporting.stored_documents import StoredFact
from services.runtime.decoding import UnreadableRecordError


class DocketArchive(Protocol):
    """Finds all facts of a docket."""

    async def find_docket(self, duty: DutyKey, known_at: datetime) -> list[StoredFact]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerableReport:
    """A report that can be answered: it was neither corrected nor withdrawn. `stands` where its content counts."""

    event: str
    receiptid: str
    received_at: datetime
    number: str
    issued_on: date | None
    stands: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierAnswer:
    """An answer to a report of the duty that was received before."""

    is_return: bool
    received_at: datetime
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyUnderReview:
    """A duty with the reports that can be answered, the one that stands first, and the answers so far.

    `recipient` is in whose name they are answered.
    """

    line: DutyLine
    plan: Plan
    recipient: str
    reports: tuple[AnswerableReport, ...]
    answers: tuple[EarlierAnswer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _ReadFact:
    fact: DocketFact
    document: ReportedDocument | None


class ReviewQueries:
    """The question of the officer's page."""

    def __init__(self, queries: ReportingQueries, archive: DocketArchive) -> None:
        self._queries = queries
        self._archive = archive

    async def find_duty(self, key: DutyKey, context: QueryContext) -> DutyUnderReview:
        """Return the duty as of *context*.

        Raises `NotFoundError` where there is no such duty, and `AccessRefusedError` where the scope does not cover it.
        """
        plan = self._queries.plan(key.plan)
        obligation = plan.obligation(key.obligation)
        if obligation is None:
            raise NotFoundError(
                en=f"the plan {key.plan!r} has no obligation {key.obligation!r}",
                vi=f"kế hoạch {key.plan!r} không có nhiệm vụ {key.obligation!r}",
            )
        await self._queries.require_duty(key, context)
        duty = DutyFilter(plan=key.plan, agency=key.agency, obligation=key.obligation, periods=(key.period,))
        found = await self._queries.find_lines(duty, context)
        if not found.lines:
            raise NotFoundError(
                en=f"{key.agency!r} has no duty {key.obligation!r} for this period",
                vi=f"kỳ này đơn vị {key.agency!r} không có nhiệm vụ {key.obligation!r}",
            )
        line = found.lines[0]
        docket = self._read_docket(await self._archive.find_docket(key, context.known_at))
        return DutyUnderReview(
            line=line,
            plan=plan,
            recipient=answers.find_recipient(plan, obligation, await self._find_parent(key, duty, context)),
            reports=_list_reports(docket, line),
            answers=_list_answers(docket, key.period),
        )

    async def _find_parent(self, key: DutyKey, duty: DutyFilter, context: QueryContext) -> str | None:
        states, _ = await self._queries.find_states(duty.in_plan(key.plan), context)
        plan, registry = self._queries.find_cited_documents(self._queries.plan(key.plan), states)
        today = context.as_of.astimezone(ZoneInfo(plan.zone)).date()
        return Memberships(plan, RegistryIndex.of(registry)).parent_of(key, today)

    def _read_docket(self, stored: Iterable[StoredFact]) -> list[_ReadFact]:
        facts = []
        for one in stored:
            try:
                facts.append(_read(one))
            except UnreadableRecordError as cause:
                self._queries.note_unreadable(UnreadableRecord(id=one.receiptid, reason=str(cause)))
        return facts


def _read(stored: StoredFact) -> _ReadFact:
    if stored.recorded_at is None:
        raise UnreadableRecordError("", "the document has lost when the log recorded it")
    fact = event_decoder.decode_fact(stored.record, recorded_at=stored.recorded_at)
    if fact is None:
        raise UnreadableRecordError("", "it is no fact about a duty")
    described = event_decoder.describe_fact(fact)
    document = submission_content.decode_document(fact.record)[1] if described.is_submission else None
    return _ReadFact(fact=described, document=document)


def _list_reports(docket: Sequence[_ReadFact], line: DutyLine) -> tuple[AnswerableReport, ...]:
    """Return the reports of the period that nothing has replaced: that which stands, then the one received last."""
    facts = [one.fact for one in docket]
    histories = {
        one.fact.identity: submission_history.trace_submission(one.fact.identity, facts)
        for one in docket
        if one.fact.is_submission
    }
    withdrawn = {
        identity for identity, history in histories.items() if any(act.type == WITHDRAWN for act in history.acts)
    }
    replaced = {
        identity
        for identity, history in histories.items()
        if any(correction.identity not in withdrawn for correction in history.corrected_by)
    }
    found = [
        AnswerableReport(
            event=one.fact.identity[1],
            receiptid=one.fact.receiptid,
            received_at=one.fact.received_at,
            number=one.document.number,
            issued_on=one.document.issued_on,
            stands=one.fact.identity == line.standing,
        )
        for one in docket
        if one.document is not None
        and histories[one.fact.identity].period == line.key.period
        and one.fact.identity not in withdrawn | replaced
    ]
    return tuple(sorted(found, key=lambda report: (report.stands, report.received_at), reverse=True))


def _list_answers(docket: Sequence[_ReadFact], period: str | None) -> tuple[EarlierAnswer, ...]:
    """Return the answers to reports of the period, the last received first."""
    numbers = {one.fact.identity[1]: one.document.number for one in docket if one.document is not None}
    answers = [
        EarlierAnswer(
            is_return=one.fact.type == RETURNED,
            received_at=one.fact.received_at,
            number=numbers.get(one.fact.names or "", ""),
        )
        for one in docket
        if one.fact.type in {RETURNED, ACCEPTED} and one.fact.period == period
    ]
    return tuple(sorted(answers, key=lambda one: one.received_at, reverse=True))
