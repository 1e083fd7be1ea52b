"""Compile what a printed report follows from: its duties, the results of each period, the grades, the documents sent.

The API, the seal and the audit all come here, so that a sealed figure is the one that was printed.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

from msgspec import structs

from schemas.events import facts
from schemas.events.assessments import Status
from schemas.events.ids import DutyKey
from schemas.events.reports import EvaluationRecorded
from services.reporting import decision_content, event_decoder, submission_content
from services.reporting.content.evaluation_queries import EvaluationQueries, GradedDuty
from services.reporting.content.results_queries import ResultsQueries
from services.reporting.content.submission_contents import EventSource, UnreadableContentError
from services.reporting.core import results, results_question
from services.reporting.core.annual_report import AnnualReport
from services.reporting.core.content import figure_review
from services.reporting.core.duty_counts import UNDER_EXTENSION
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.evaluation import Grade
from services.reporting.core.report import grading
from services.reporting.core.report.inputs import (
    GradedAgency,
    PeriodResults,
    ReportedDecision,
    ReportedDocument,
    ReportFinding,
    ReportInputs,
)
from services.reporting.core.results_question import AssessedPlan
from services.reporting.core.timeline import EventIdentity, UnreadableRecord
from services.reporting.queries import QueryContext, ReportingQueries
from services.reporting.stored_documents import StoredFact
from services.runtime.decoding import UnreadableRecordError

# The database gives documents in portions, so that one report on a large plan does not fill its memory.
_EVENTS_AT_ONCE = 500


class RecordedOpinion(Protocol):
    """What an officer recorded of an agency with the id of the event, whatever else its record holds."""

    @property
    def event(self) -> str: ...

    @property
    def evaluation(self) -> EvaluationRecorded: ...

    @property
    def recorded_at(self) -> datetime: ...


class FactSource(EventSource, Protocol):
    """Finds facts by their identity, and by the duty that they name."""

    async def find_facts_about(self, duties: Iterable[DutyKey], known_at: datetime) -> list[StoredFact]: ...


class EvaluationSource(Protocol):
    """Finds what officers recorded, in the order of the log."""

    async def find_evaluations(self, plan: str, period: str, known_at: datetime) -> Sequence[RecordedOpinion]: ...


@dataclass(slots=True)
class _FoundResults:
    """The results of some periods with the findings on their figures, and the records that keep others from it."""

    results: list[PeriodResults] = field(default_factory=list)
    findings: list[ReportFinding] = field(default_factory=list)
    unreadable: list[UnreadableRecord] = field(default_factory=list)


class ReportCompiler:
    """Compiles reports from what the queries, the archive of events and the source of evaluations find."""

    def __init__(
        self,
        queries: ReportingQueries,
        archive: FactSource,
        evaluations: EvaluationSource,
        *,
        results: ResultsQueries,
    ) -> None:
        self._queries = queries
        self._archive = archive
        self._recorded = evaluations
        self._results = results
        self._evaluations = EvaluationQueries(queries)

    async def compile_inputs(self, plan_id: str, period_text: str, context: QueryContext) -> ReportInputs:
        """Compile everything that the report of a plan and period follows from.

        A period whose records cannot all be read has no results, and the report says how many records those are.
        Raises what `ReportingQueries.compile_inputs` raises, and `StateIncompleteError` as `find_results` does.
        """
        inputs = await self._queries.compile_inputs(plan_id, period_text, context)
        found = await self._find_results(inputs.report, context)
        report = replace(inputs.report, unreadable=tuple(dict.fromkeys((*inputs.report.unreadable, *found.unreadable))))
        return replace(
            inputs,
            report=report,
            results=tuple(found.results),
            findings=tuple(found.findings),
            evaluations=await self._grade(inputs.report, context),
            documents=await self._find_documents(inputs.report, context),
            decisions=await self._find_decisions(inputs.report, context),
        )

    async def _find_results(self, report: AnnualReport, context: QueryContext) -> _FoundResults:
        obligations: dict[str, set[str]] = {}
        for chapter in report.chapters:
            if chapter.period is not None:
                obligations.setdefault(chapter.period, set()).add(chapter.obligation.id)
        found = _FoundResults()
        for period, asked in sorted(obligations.items()):
            try:
                assessed = await self._results.assess_plan(report.plan.plan, period, context)
            except UnreadableContentError as cause:
                found.unreadable += cause.records
                continue
            # Consolidating a thousand agencies takes tenths of a second, in which other requests are answered.
            results, findings = await asyncio.to_thread(_consolidate, assessed, period, asked)
            found.results += results
            found.findings += findings
        return found

    async def _grade(self, report: AnnualReport, context: QueryContext) -> tuple[GradedAgency, ...]:
        graded = grading.choose_graded_chapter(report)
        if graded is None or graded.period is None or not report.plan.grading:
            return ()
        grades = await self._evaluations.grade_period(report.plan.plan, graded.period, context)
        opinions = await self._find_opinions(report, graded.period, context)
        return tuple(
            _describe_grade(one, one.outcome, opinions.get(one.key.agency), language=context.language)
            for one in grades.duties
            if one.key.obligation == graded.obligation.id and isinstance(one.outcome, Grade)
        )

    async def _find_opinions(
        self, report: AnnualReport, graded_period: str, context: QueryContext
    ) -> Mapping[str, RecordedOpinion]:
        """Return what an officer recorded last of each agency; it stands beside the grade and never over it.

        An officer evaluates an agency for the period of a report, or for the whole year.
        """
        until = min(context.known_at, context.as_of)
        recorded: list[RecordedOpinion] = []
        for period in dict.fromkeys((graded_period, report.period)):
            recorded += await self._recorded.find_evaluations(report.plan.plan, period, until)
        in_order = sorted(recorded, key=lambda one: one.recorded_at)  # stable: the log's order within a period
        return {one.evaluation.agency: one for one in in_order}

    async def _find_documents(self, report: AnnualReport, context: QueryContext) -> Mapping[DutyKey, ReportedDocument]:
        """Return the document of every submission that stands; one that cannot be read has none."""
        lines = [line for chapter in report.chapters for line in chapter.lines]
        standing = {line.standing: line.key for line in lines if line.standing is not None}
        identities = sorted(standing)
        documents: dict[EventIdentity, ReportedDocument] = {}
        for start in range(0, len(identities), _EVENTS_AT_ONCE):
            found = await self._archive.find_events(identities[start : start + _EVENTS_AT_ONCE], context.known_at)
            documents |= await asyncio.to_thread(_decode_documents, found)
        return {standing[identity]: one for identity, one in documents.items()}

    async def _find_decisions(self, report: AnnualReport, context: QueryContext) -> Mapping[DutyKey, ReportedDecision]:
        """Return the decision about every duty that is exempt or extended; one that cannot be read is not cited."""
        decided = [
            line
            for chapter in report.chapters
            for line in chapter.lines
            if line.status is Status.EXEMPT or UNDER_EXTENSION in line.flags
        ]
        # An extension names the period, an exemption covers all periods whose due instant lies inside it.
        named = sorted({key for line in decided for key in (line.key, structs.replace(line.key, period=None))}, key=str)
        found: list[StoredFact] = []
        for start in range(0, len(named), _EVENTS_AT_ONCE):
            found += await self._archive.find_facts_about(named[start : start + _EVENTS_AT_ONCE], context.known_at)
        by_fact = await asyncio.to_thread(_decode_decisions, found)
        chosen = ((line.key, _choose_decision(line, by_fact)) for line in decided)
        return {key: decision for key, decision in chosen if decision is not None}


def _consolidate(
    assessed: AssessedPlan, period: str, obligations: Collection[str]
) -> tuple[list[PeriodResults], list[ReportFinding]]:
    """Return the results of *obligations* for *period*, and what looks like a slip in their figures."""
    questions = [one for one in results_question.build_questions(assessed, period) if one.obligation in obligations]
    reviewed = figure_review.review_figures(questions)
    findings = [
        ReportFinding(
            agency=one.agency,
            code=one.finding.code,
            sentence=one.finding.words.in_language("vi"),
            kind=one.finding.kind.value,
        )
        for one in reviewed
    ]
    return [PeriodResults(period=period, results=results.consolidate(one)) for one in questions], findings


def _describe_grade(
    graded: GradedDuty, grade: Grade, opinion: RecordedOpinion | None, *, language: str
) -> GradedAgency:
    return GradedAgency(
        agency=graded.key.agency,
        grade=grade.grade,
        title=grade.title.in_language(language),
        reason=grade.reason.in_language(language),
        late_before=graded.work.late_before,
        officer_grade=None if opinion is None else opinion.evaluation.grade,
        officer_sentence="" if opinion is None else opinion.evaluation.sentence,
        officer_event="" if opinion is None else opinion.event,
    )


def _choose_decision(
    line: DutyLine, by_fact: Mapping[tuple[DutyKey, str], ReportedDecision]
) -> ReportedDecision | None:
    """Return the decision on which the status or the due instant of a duty rests, the last one of several."""
    key = structs.replace(line.key, period=None) if line.status is Status.EXEMPT else line.key
    return next((by_fact[key, event] for event in reversed(line.evidence) if (key, event) in by_fact), None)


def _decode_decisions(found: Iterable[StoredFact]) -> dict[tuple[DutyKey, str], ReportedDecision]:
    """Return the decisions behind extensions and exemptions by the duty that the event names and the event's id."""
    decisions: dict[tuple[DutyKey, str], ReportedDecision] = {}
    for one in sorted(found, key=StoredFact.recording_order):
        with suppress(UnreadableRecordError):
            fact = event_decoder.decode_fact(
                one.record, recorded_at=one.recorded_at or datetime.max.replace(tzinfo=UTC)
            )
            if fact is not None and fact.type in (facts.EXTENDED, facts.EXEMPTED):
                decisions.setdefault((fact.duty, fact.event), decision_content.decode_decision(one.record))
    return decisions


def _decode_documents(found: Iterable[StoredFact]) -> dict[EventIdentity, ReportedDocument]:
    documents: dict[EventIdentity, ReportedDocument] = {}
    for fact in sorted(found, key=StoredFact.recording_order):
        with suppress(UnreadableRecordError):  # the consolidation of the same record has reported it
            identity, document = submission_content.decode_document(fact.record)
            documents.setdefault(identity, document)
    return documents
