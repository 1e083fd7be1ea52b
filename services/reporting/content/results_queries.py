"""Answer what agencies did in a period: assessments and contents from the database, consolidated by the core."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from schemas.plan import periods
from services.reporting import submission_content
from services.reporting.core import results_question
from services.reporting.core.content import compiled_report, figure_review
from services.reporting.core.content.compiled_report import CompiledReports
from services.reporting.core.content.figure_review import ReviewedFigure
from services.reporting.core.results import StandingSubmission
from services.reporting.core.results_document import PlanResults
from services.reporting.core.results_question import AssessedDuty, AssessedPlan
from services.reporting.core.timeline import DutyState, EventIdentity, UnreadableRecord
from services.reporting.current.answer_memo import AnswerMemo
from services.reporting.queries import QueryContext, ReportingQueries
from services.reporting.store import PlanDutyFilter, StateIncompleteError
from services.reporting.stored_documents import StoredFact
from services.runtime.decoding import UnreadableRecordError

# The database gives documents in portions, so that one question about a large plan does not fill its memory.
_EVENTS_AT_ONCE = 500

# Verdicts and facts are read side by side, so a verdict may be stored a moment before the fact behind it.
_LATECOMERS_SECONDS = 3.0
_POLL_SECONDS = 0.1


class UnreadableContentError(Exception):
    """Stored records that a sum rests on cannot be read: rebuild the database from the log, which has them.

    A document of results has no place for what is missing from it, so there is no answer instead.
    """

    def __init__(self, records: Sequence[UnreadableRecord]) -> None:
        super().__init__(f"{len(records)} of the stored records that the figures rest on cannot be read")
        self.records = records


class EventSource(Protocol):
    """Finds facts by their identity."""

    async def find_events(self, identities: Iterable[EventIdentity], known_at: datetime) -> list[StoredFact]: ...


class ResultsQueries:
    """The results of a plan for a period. They name every agency: what a reader may see of them is for the caller."""

    def __init__(self, queries: ReportingQueries, archive: EventSource) -> None:
        self._queries = queries
        self._archive = archive
        self._kept = AnswerMemo[tuple[PlanResults, tuple[ReviewedFigure, ...]]]()

    async def find_results(self, plan_id: str, period: str, context: QueryContext) -> PlanResults:
        """Return the results of a plan for exactly *period*, the text of one.

        Raises `NotFoundError` for an unknown plan, `UnreadableContentError` where a record cannot be read and
        `StateIncompleteError` where one is not stored within three seconds.
        """
        return (await self.find_reviewed_results(plan_id, period, context))[0]

    async def find_reviewed_results(
        self, plan_id: str, period: str, context: QueryContext
    ) -> tuple[PlanResults, tuple[ReviewedFigure, ...]]:
        """Return the results of a plan for exactly *period* and what looks like a slip in them; as `find_results`."""
        basis = await self._queries.find_basis(PlanDutyFilter(plan=plan_id, periods=_list_compared(period)), context)
        question = (plan_id, period, basis)
        kept = None if basis is None else self._kept.find(question, basis)
        if kept is None:
            assessed = await self.assess_plan(plan_id, period, context)
            # Consolidating a thousand agencies takes tenths of a second, in which other requests are answered.
            kept = await asyncio.to_thread(_consolidate, assessed, period, context)
            if basis is not None:
                self._kept.keep(question, basis, kept, lines=sum(map(len, assessed.duties.values())))
        results, reviewed = kept
        return replace(results, at=context.as_of, known_at=context.known_at), reviewed

    async def review_figures(self, plan_id: str, period: str, context: QueryContext) -> tuple[ReviewedFigure, ...]:
        """Return what looks like a slip in the figures of a plan for exactly *period*; raise as `find_results`."""
        return (await self.find_reviewed_results(plan_id, period, context))[1]

    async def find_compiled_reports(
        self, plan_id: str, period: str, agency: str, context: QueryContext
    ) -> CompiledReports:
        """Return what *agency* compiles for exactly *period*.

        Whoever may see the agency sees the reports that it compiles: they are sent to be compiled. Raises
        `AccessRefusedError` where the scope does not cover the agency, and what `find_results` raises.
        """
        self._queries.require_agency(agency, context.scope)
        assessed = await self.assess_plan(plan_id, period, context)
        questions = await asyncio.to_thread(results_question.build_questions, assessed, period)
        found = tuple(compiled_report.list_compiled_reports(questions, agency))
        day = context.as_of.astimezone(ZoneInfo(assessed.plan.zone)).date()
        named = {agency, *(part.agency for report in found for part in report.parts)}
        agencies = ((one, assessed.registry.agency(one)) for one in sorted(named))
        return CompiledReports(
            plan=assessed.plan,
            period=period,
            agency=agency,
            reports=found,
            names={one: known.name_on(day, context.language) for one, known in agencies if known is not None},
            as_of=context.as_of,
            known_at=context.known_at,
        )

    async def assess_plan(self, plan_id: str, period: str, context: QueryContext) -> AssessedPlan:
        """Return the duties of a plan for *period* and the year before, with the contents of what stands."""
        latest = self._queries.plan(plan_id)
        duties_asked = PlanDutyFilter(plan=plan_id, periods=_list_compared(period))
        states, unreadable = await self._queries.find_states(duties_asked, context)
        if unreadable:
            raise UnreadableContentError(unreadable)
        plan, registry = self._queries.find_cited_documents(latest, states)
        duties = _group_duties(states)
        standing = {duty.standing for several in duties.values() for duty in several if duty.standing is not None}
        contents = await self._find_contents(sorted(standing), context)
        return AssessedPlan(plan=plan, registry=registry, duties=duties, contents=contents)

    async def _find_contents(
        self, identities: Sequence[EventIdentity], context: QueryContext
    ) -> Mapping[EventIdentity, StandingSubmission]:
        contents = await self._read_contents(identities, context)
        polls = 0
        while missing := [one for one in identities if one not in contents]:
            if polls * _POLL_SECONDS >= _LATECOMERS_SECONDS:
                raise StateIncompleteError
            polls += 1
            await asyncio.sleep(_POLL_SECONDS)
            contents |= await self._read_contents(missing, context)
        return contents

    async def _read_contents(
        self, identities: Sequence[EventIdentity], context: QueryContext
    ) -> dict[EventIdentity, StandingSubmission]:
        contents: dict[EventIdentity, StandingSubmission] = {}
        for start in range(0, len(identities), _EVENTS_AT_ONCE):
            found = await self._archive.find_events(identities[start : start + _EVENTS_AT_ONCE], context.known_at)
            contents |= await asyncio.to_thread(_decode_contents, found)
        return contents


def _list_compared(period: str) -> tuple[str, ...]:
    """Return *period* and the one a year before, whose figures stand beside its own."""
    current = periods.parse(period)
    return tuple(one.text for one in (current, periods.year_before(current)) if one is not None)


def _consolidate(
    assessed: AssessedPlan, period: str, context: QueryContext
) -> tuple[PlanResults, tuple[ReviewedFigure, ...]]:
    results = PlanResults(
        plan=assessed.plan.plan,
        period=period,
        at=context.as_of,
        known_at=context.known_at,
        zone=ZoneInfo(assessed.plan.zone),
        obligations=results_question.consolidate_plan(assessed, period),
    )
    return results, figure_review.review_figures(results_question.build_questions(assessed, period))


def _group_duties(states: Iterable[DutyState]) -> Mapping[tuple[str, str], Sequence[AssessedDuty]]:
    """Return the binding duties by obligation and period."""
    duties: defaultdict[tuple[str, str], list[AssessedDuty]] = defaultdict(list)
    for state in states:
        key, span = state.key, state.span
        if key.period is None or state.assessment.opens_at is None:
            continue
        duty = AssessedDuty(
            agency=key.agency, status=span.status, flags=span.flags, missing=span.missing, standing=span.standing
        )
        duties[key.obligation, key.period].append(duty)
    return duties


def _decode_contents(facts: Iterable[StoredFact]) -> Mapping[EventIdentity, StandingSubmission]:
    """Return the contents by identity; where several facts have one identity, the first recorded counts."""
    contents: dict[EventIdentity, StandingSubmission] = {}
    unreadable = []
    for fact in sorted(facts, key=StoredFact.recording_order):
        try:
            content = submission_content.decode_submission(fact.record)
        except UnreadableRecordError as cause:
            unreadable.append(UnreadableRecord(id=fact.receiptid, reason=str(cause)))
        else:
            contents.setdefault((content.source, content.id), content)
    if unreadable:
        raise UnreadableContentError(unreadable)
    return contents
