"""Answer what agencies did in a period: assessments and contents from the database, consolidated by the core."""

import asyncio
import secrets
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from zoneinfo import ZoneInfo

from schemas.plan import periods
from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.reporting.content.submission_contents import EventSource, SubmissionContents, UnreadableContentError
from services.reporting.core import results_question
from services.reporting.core.consolidation import agency_blocks
from services.reporting.core.consolidation.agency_blocks import ConsolidatedBlocks, PlannedBlocks
from services.reporting.core.content import compiled_report
from services.reporting.core.content.compiled_report import CompiledReports
from services.reporting.core.content.figure_review import ReviewedFigure
from services.reporting.core.lists.memoized_items import MemoizedItems
from services.reporting.core.reported_duties import StandingSubmission
from services.reporting.core.results import ObligationResults
from services.reporting.core.results_document import PlanResults
from services.reporting.core.results_question import AssessedPlan
from services.reporting.core.timeline import EventIdentity
from services.reporting.current import known_duties, thread_work
from services.reporting.current.answer_memo import AnswerMemo
from services.reporting.current.placed_duties import PlacedDuties
from services.reporting.current.shared_work import SharedWork
from services.reporting.queries import QueryContext, ReportingQueries
from services.reporting.store import PlanDutyFilter, StateIncompleteError

# Several readers ask about several instants of one period; what they have in common is kept once.
_BASES_KEPT_MAX = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsolidatedResults:
    """The results of a plan for a period, and what looks like a slip in them.

    Of two with one `id` only the instants differ. `consolidated` and `reviewed` hold the obligations and the findings,
    with what was derived from them. `blocks` are what they were combined of, with contents of that `generation`.
    """

    id: str
    generation: Hashable
    blocks: ConsolidatedBlocks
    results: PlanResults
    consolidated: MemoizedItems[ObligationResults]
    reviewed: MemoizedItems[ReviewedFigure]


class ResultsQueries:
    """The results of a plan for a period. They name every agency: what a reader may see of them is for the caller."""

    def __init__(self, queries: ReportingQueries, archive: EventSource) -> None:
        self._queries = queries
        self._contents = SubmissionContents(archive)
        self._kept = AnswerMemo[ConsolidatedResults](bases_max=_BASES_KEPT_MAX)
        self._consolidating = SharedWork[ConsolidatedResults]()

    async def find_results(self, plan_id: str, period: str, context: QueryContext) -> ConsolidatedResults:
        """Return the results of a plan for exactly *period*, the text of one, and what looks like a slip in them.

        Raises `NotFoundError` for an unknown plan, `UnreadableContentError` where a record cannot be read and
        `StateIncompleteError` where one is not stored within three seconds.
        """
        generation = await self._contents.find_generation()
        placed = await self._place_duties(plan_id, period, context)
        documents = self._find_documents(plan_id, placed)
        basis = _find_basis(placed, documents, generation)
        consolidate = partial(
            self._consolidate, placed, period, documents=documents, context=context, generation=generation
        )
        if basis is None:
            found = await consolidate()
        else:
            question = plan_id, period
            found = self._kept.find(question, basis) or await self._consolidating.run((question, basis), consolidate)
        return replace(found, results=replace(found.results, at=context.as_of, known_at=context.known_at))

    async def _consolidate(
        self,
        placed: Sequence[PlacedDuties],
        period: str,
        *,
        documents: tuple[Plan, Registry],
        context: QueryContext,
        generation: Hashable,
    ) -> ConsolidatedResults:
        states = list(chain.from_iterable(one.states for one in placed))
        plan, registry = documents
        question = plan.plan, period
        earlier = [one.blocks for one in self._kept.list_kept(question) if one.generation == generation]
        plan_blocks = partial(agency_blocks.plan_blocks, states, plan, registry, period, earlier=earlier)
        # Thousands of agencies take tenths of a second, in which other requests are answered.
        planned = await thread_work.run(plan_blocks, work=len(states))
        standing = await thread_work.run(planned.list_standing, work=planned.count_untallied())
        contents = await self._contents.find(standing, context.known_at)
        if await self._contents.find_generation() != generation:
            # Verdicts of before a loss do not go with facts that were read after it.
            raise StateIncompleteError
        combine = partial(_combine, planned, contents, context=context, generation=generation)
        found = await thread_work.load(combine, work=len(states), fresh=planned.count_untallied())
        basis = _find_basis(placed, documents, generation)
        if basis is not None:
            self._kept.keep(question, basis, found, size=len(states))
        return found

    async def _place_duties(self, plan_id: str, period: str, context: QueryContext) -> Sequence[PlacedDuties]:
        """Return the duties of a plan for *period* and the year before; raise where a record of them is unreadable."""
        self._queries.plan(plan_id)  # an unknown plan is told from one of which nothing is assessed yet
        asked = [PlanDutyFilter(plan=plan_id, periods=(one,)) for one in _list_compared(period)]
        placed = [await self._queries.find_placed(one, context) for one in asked]
        unreadable = [record for one in placed for record in one.unreadable]
        if unreadable:
            raise UnreadableContentError(unreadable)
        return placed

    def _find_documents(self, plan_id: str, placed: Sequence[PlacedDuties]) -> tuple[Plan, Registry]:
        cited = known_duties.find_cited(one.cited for one in placed if one.cited is not None)
        return self._queries.find_documents(self._queries.plan(plan_id), cited)

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
        placed = await self._place_duties(plan_id, period, context)
        plan, registry = self._find_documents(plan_id, placed)
        states = list(chain.from_iterable(one.states for one in placed))
        duties = await thread_work.run(partial(agency_blocks.group_duties, states), work=len(states))
        standing = {duty.standing for several in duties.values() for duty in several if duty.standing is not None}
        contents = await self._contents.find(sorted(standing), context.known_at)
        return AssessedPlan(plan=plan, registry=registry, duties=duties, contents=contents)


def _list_compared(period: str) -> tuple[str, ...]:
    """Return *period* and the one a year before, whose figures stand beside its own."""
    current = periods.parse(period)
    return tuple(one.text for one in (current, periods.year_before(current)) if one is not None)


def _find_basis(
    placed: Sequence[PlacedDuties], documents: tuple[Plan, Registry], generation: Hashable
) -> tuple[Hashable, ...] | None:
    """Return what every answer rests on, None where it is not to be kept."""
    if any(one.version is None for one in placed):
        return None
    plan, registry = documents
    versions = tuple(one.version for one in placed)
    return versions, plan.version, registry.registry, registry.version, generation


def _combine(
    planned: PlannedBlocks,
    contents: Mapping[EventIdentity, StandingSubmission],
    *,
    context: QueryContext,
    generation: Hashable,
) -> ConsolidatedResults:
    blocks = planned.tally(contents)
    obligations, findings = blocks.combine()
    results = PlanResults(
        plan=blocks.plan.plan,
        period=blocks.period,
        at=context.as_of,
        known_at=context.known_at,
        zone=ZoneInfo(blocks.plan.zone),
        obligations=obligations,
    )
    return ConsolidatedResults(
        id=secrets.token_hex(16),
        generation=generation,
        blocks=blocks,
        results=results,
        consolidated=MemoizedItems(results.obligations),
        reviewed=MemoizedItems(findings),
    )
