"""Answer what agencies did in a period: assessments and contents from the database, consolidated by the core."""

import asyncio
import secrets
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from zoneinfo import ZoneInfo

from schemas.plan import periods
from services.reporting.content.submission_contents import EventSource, SubmissionContents, UnreadableContentError
from services.reporting.core import results_question
from services.reporting.core.content import compiled_report, figure_review
from services.reporting.core.content.compiled_report import CompiledReports
from services.reporting.core.content.figure_review import ReviewedFigure
from services.reporting.core.lists.memoized_items import MemoizedItems
from services.reporting.core.results import ObligationResults, consolidate
from services.reporting.core.results_document import PlanResults
from services.reporting.core.results_question import AssessedDuty, AssessedPlan
from services.reporting.core.timeline import DutyState, EventIdentity
from services.reporting.current import thread_work
from services.reporting.current.answer_memo import AnswerMemo
from services.reporting.current.shared_work import SharedWork
from services.reporting.queries import QueryContext, ReportingQueries
from services.reporting.store import PlanDutyFilter


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsolidatedResults:
    """The results of a plan for a period, and what looks like a slip in them.

    Of two with one `id` only the instants differ. `consolidated` and `reviewed` hold the obligations and the findings,
    with what was derived from them.
    """

    id: str
    results: PlanResults
    consolidated: MemoizedItems[ObligationResults]
    reviewed: MemoizedItems[ReviewedFigure]


class ResultsQueries:
    """The results of a plan for a period. They name every agency: what a reader may see of them is for the caller."""

    def __init__(self, queries: ReportingQueries, archive: EventSource) -> None:
        self._queries = queries
        self._contents = SubmissionContents(archive)
        self._kept = AnswerMemo[ConsolidatedResults]()
        self._consolidating = SharedWork[ConsolidatedResults]()

    async def find_results(self, plan_id: str, period: str, context: QueryContext) -> ConsolidatedResults:
        """Return the results of a plan for exactly *period*, the text of one, and what looks like a slip in them.

        Raises `NotFoundError` for an unknown plan, `UnreadableContentError` where a record cannot be read and
        `StateIncompleteError` where one is not stored within three seconds.
        """
        duties = PlanDutyFilter(plan=plan_id, periods=_list_compared(period))
        basis = await self._queries.find_basis(duties, context)
        if basis is not None:
            basis = basis, await self._contents.find_generation()
        consolidate = partial(self._consolidate, plan_id, period, context=context, basis=basis)
        if basis is None:
            found = await consolidate()
        else:
            question = plan_id, period, basis
            found = self._kept.find(question, basis) or await self._consolidating.run(question, consolidate)
        return replace(found, results=replace(found.results, at=context.as_of, known_at=context.known_at))

    async def _consolidate(
        self, plan_id: str, period: str, *, context: QueryContext, basis: Hashable | None
    ) -> ConsolidatedResults:
        assessed = await self.assess_plan(plan_id, period, context)
        # Consolidating a thousand agencies takes tenths of a second, in which other requests are answered.
        found = await asyncio.to_thread(_consolidate, assessed, period, context)
        if basis is not None:
            size = sum(map(len, assessed.duties.values()))
            self._kept.keep((plan_id, period, basis), basis, found, size=size)
        return found

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
        duties, standing = await thread_work.run(partial(_group_duties, states), work=len(states))
        contents = await self._contents.find(standing, context.known_at)
        return AssessedPlan(plan=plan, registry=registry, duties=duties, contents=contents)


def _list_compared(period: str) -> tuple[str, ...]:
    """Return *period* and the one a year before, whose figures stand beside its own."""
    current = periods.parse(period)
    return tuple(one.text for one in (current, periods.year_before(current)) if one is not None)


def _consolidate(assessed: AssessedPlan, period: str, context: QueryContext) -> ConsolidatedResults:
    questions = results_question.build_questions(assessed, period)
    results = PlanResults(
        plan=assessed.plan.plan,
        period=period,
        at=context.as_of,
        known_at=context.known_at,
        zone=ZoneInfo(assessed.plan.zone),
        obligations=tuple(map(consolidate, questions)),
    )
    return ConsolidatedResults(
        id=secrets.token_hex(16),
        results=results,
        consolidated=MemoizedItems(results.obligations),
        reviewed=MemoizedItems(figure_review.review_figures(questions)),
    )


def _group_duties(
    states: Iterable[DutyState],
) -> tuple[Mapping[tuple[str, str], Sequence[AssessedDuty]], Sequence[EventIdentity]]:
    """Return the binding duties by obligation and period, and the submissions that stand for them."""
    duties: defaultdict[tuple[str, str], list[AssessedDuty]] = defaultdict(list)
    for state in states:
        key, span = state.key, state.span
        if key.period is None or state.assessment.opens_at is None:
            continue
        duty = AssessedDuty(
            agency=key.agency, status=span.status, flags=span.flags, missing=span.missing, standing=span.standing
        )
        duties[key.obligation, key.period].append(duty)
    standing = {duty.standing for several in duties.values() for duty in several if duty.standing is not None}
    return duties, sorted(standing)
