"""Compile what a printed report follows from: its duties, the results of each period, the grades, the documents sent.

The API, the seal and the audit all come here, so that a sealed figure is the one that was printed.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from schemas.events.ids import DutyKey
from schemas.events.reports import EvaluationRecorded
from schemas.plan import periods
from services.reporting import submission_content
from services.reporting.content.evaluation_queries import EvaluationQueries
from services.reporting.content.results_queries import EventSource, ResultsQueries, UnreadableContentError
from services.reporting.core.annual_report import AnnualReport
from services.reporting.core.evaluation import Grade
from services.reporting.core.report import grading
from services.reporting.core.report.inputs import (
    GradedAgency,
    PeriodResults,
    ReportedDocument,
    ReportFinding,
    ReportInputs,
)
from services.reporting.core.results import ObligationResults
from services.reporting.core.timeline import EventIdentity, UnreadableRecord
from services.reporting.queries import QueryContext, ReportingQueries
from services.reporting.store import StoredFact
from services.runtime.decoding import UnreadableRecordError

# The database gives documents in portions, so that one report on a large plan does not fill its memory.
_EVENTS_AT_ONCE = 500


class RecordedOpinion(Protocol):
    """What an officer recorded of an agency, whatever else its record holds."""

    @property
    def evaluation(self) -> EvaluationRecorded: ...


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

    def __init__(self, queries: ReportingQueries, archive: EventSource, evaluations: EvaluationSource) -> None:
        self._queries = queries
        self._archive = archive
        self._recorded = evaluations
        self._results = ResultsQueries(queries, archive)
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
        )

    async def _find_results(self, report: AnnualReport, context: QueryContext) -> _FoundResults:
        periods_of: dict[str, list[str]] = {}
        for chapter in report.chapters:
            if chapter.period is not None:
                periods_of.setdefault(chapter.obligation.id, []).append(chapter.period)
        found = _FoundResults()
        for period in sorted({one for several in periods_of.values() for one in several}):
            asked = {obligation: several for obligation, several in periods_of.items() if period in several}
            try:
                await self._consolidate_period(report, period, asked, context=context, found=found)
            except UnreadableContentError as cause:
                found.unreadable += cause.records
        return found

    async def _consolidate_period(
        self,
        report: AnnualReport,
        period: str,
        asked: Mapping[str, Sequence[str]],
        *,
        context: QueryContext,
        found: _FoundResults,
    ) -> None:
        """Add the results of *period* to *found*: those of the obligations *asked*, which have the periods given."""
        consolidated = await self._consolidate(report, period, context)
        alone = {obligation for obligation, several in asked.items() if len(several) == 1}
        before = await self._consolidate_year_before(report, period, context) if alone else {}
        reviewed = await self._results.review_figures(report.plan.plan, period, context)
        found.results += [
            PeriodResults(period=period, results=one, before=before.get(obligation) if obligation in alone else None)
            for obligation, one in consolidated.items()
            if obligation in asked
        ]
        found.findings += [
            ReportFinding(agency=one.agency, code=one.finding.code, sentence=one.finding.words.in_language("vi"))
            for one in reviewed
            if one.obligation in asked
        ]

    async def _consolidate(
        self, report: AnnualReport, period: str, context: QueryContext
    ) -> Mapping[str, ObligationResults]:
        results = await self._results.find_results(report.plan.plan, period, context)
        return {one.obligation: one for one in results.obligations}

    async def _consolidate_year_before(
        self, report: AnnualReport, period: str, context: QueryContext
    ) -> Mapping[str, ObligationResults]:
        """Return what each agency gave a year earlier: a ranking of one period shows it beside this year's figures."""
        before = periods.year_before(periods.parse(period))
        return {} if before is None else await self._consolidate(report, before.text, context)

    async def _grade(self, report: AnnualReport, context: QueryContext) -> tuple[GradedAgency, ...]:
        graded = grading.choose_graded_chapter(report)
        if graded is None or graded.period is None or not report.plan.grading:
            return ()
        grades = await self._evaluations.grade_period(report.plan.plan, graded.period, context)
        until = min(context.known_at, context.as_of)
        recorded = await self._recorded.find_evaluations(report.plan.plan, report.period, until)
        # What an officer recorded last counts; it stands beside the grade and never over it.
        opinions = {one.evaluation.agency: one.evaluation for one in recorded}
        return tuple(
            _describe_grade(one.key.agency, one.outcome, opinions.get(one.key.agency), language=context.language)
            for one in grades.duties
            if one.key.obligation == graded.obligation.id and isinstance(one.outcome, Grade)
        )

    async def _find_documents(self, report: AnnualReport, context: QueryContext) -> Mapping[DutyKey, ReportedDocument]:
        """Return the document of every submission that stands; one that cannot be read has none."""
        lines = [line for chapter in report.chapters for line in chapter.lines]
        standing = {line.standing: line.key for line in lines if line.standing is not None}
        identities = sorted(standing)
        documents: dict[EventIdentity, ReportedDocument] = {}
        for start in range(0, len(identities), _EVENTS_AT_ONCE):
            facts = await self._archive.find_events(identities[start : start + _EVENTS_AT_ONCE], context.known_at)
            documents |= await asyncio.to_thread(_decode_documents, facts)
        return {standing[identity]: one for identity, one in documents.items()}


def _describe_grade(agency: str, grade: Grade, opinion: EvaluationRecorded | None, *, language: str) -> GradedAgency:
    return GradedAgency(
        agency=agency,
        grade=grade.grade,
        title=grade.title.in_language(language),
        reason=grade.reason.in_language(language),
        officer_grade=None if opinion is None else opinion.grade,
        officer_sentence="" if opinion is None else opinion.sentence,
    )


def _decode_documents(facts: Iterable[StoredFact]) -> dict[EventIdentity, ReportedDocument]:
    documents: dict[EventIdentity, ReportedDocument] = {}
    for fact in sorted(facts, key=StoredFact.recording_order):
        with suppress(UnreadableRecordError):  # the consolidation of the same record has reported it
            identity, document = submission_content.decode_document(fact.record)
            documents.setdefault(identity, document)
    return documents
