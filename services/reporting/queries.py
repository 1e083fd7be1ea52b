"""Answer the queries of the HTTP API and the dashboard: fetch the known revisions and alerts, hand them to the core.

Titles and names come from the versions of the plan and the registry that the assessments themselves cite, so that an
old report reads as it read when it was written.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from schemas.events.ids import DutyKey
from schemas.plan import periods
from schemas.plan.periods import Recurrence
from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.reporting.cited_documents import CitedVersionFinder, DocumentSource, NotFoundError
from services.reporting.core import annual_report
from services.reporting.core.access.decisions import AccessRefusedError, RefusalReason
from services.reporting.core.access.readers import ReaderScope
from services.reporting.core.agencies.membership import Memberships
from services.reporting.core.annual_report import AnnualReport, ReportQuery
from services.reporting.core.duty_lines import LineBuilder, LineContext
from services.reporting.core.report.inputs import ReportInputs
from services.reporting.core.timeline import DutyState, UnreadableRecord
from services.reporting.current import found_lines, known_duties, thread_work
from services.reporting.current.answer_memo import AnswerMemo
from services.reporting.current.current_duties import ViewSource
from services.reporting.current.duty_reader import DutyReader, RecordArchive
from services.reporting.current.found_lines import CoveredDuties, FoundLines, KeptLines
from services.reporting.current.known_duties import CitedVersions, KnownDuties
from services.reporting.current.placed_duties import DutyPlacer, PlacedDuties
from services.reporting.store import NotAssessedError, PlanDutyFilter

# The id that is shown of an unreadable record to a reader who may not know whose it is.
UNNAMED = "-"


class DocumentsUnreadError(Exception):
    """The published documents have not been read since the database is new: ask again once the broker is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryContext:
    """The instant asked about, the instant up to which records count, who asks, and the language of names and titles.

    Every answer is of what the `scope` of the reader covers, and of nothing else.
    """

    as_of: datetime
    known_at: datetime
    scope: ReaderScope
    language: str = "vi"


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyFilter:
    """Conditions on duties; an empty condition matches all, and without a plan the duties of all plans match."""

    plan: str | None = None
    agency: str | None = None
    obligation: str | None = None
    periods: tuple[str | None, ...] = ()

    def in_plan(self, plan: str) -> PlanDutyFilter:
        """Return the same conditions on the duties of *plan*."""
        return PlanDutyFilter(plan=plan, agency=self.agency, obligation=self.obligation, periods=self.periods)


@dataclass(frozen=True, slots=True, kw_only=True)
class _KeptReport:
    """What a report follows from, and what builds the lines of the next one from it."""

    inputs: ReportInputs
    builder: LineBuilder


class ReportingQueries:
    """Every query of the HTTP API and the dashboard.

    With a *view* of what is known now the questions about it cost what has changed since the last one. *on_unreadable*
    is called for each stored record that cannot be read, each time it is asked for.
    """

    def __init__(
        self,
        archive: RecordArchive,
        documents: DocumentSource,
        *,
        view: ViewSource | None = None,
        on_unreadable: Callable[[UnreadableRecord], None] = lambda _record: None,
    ) -> None:
        self._archive = archive
        self._documents = documents
        self._cited = CitedVersionFinder(documents)
        self._reader = DutyReader(archive, view, on_unreadable)
        self.note_unreadable = self._reader.note_unreadable
        self._placer = DutyPlacer()
        self._lines = AnswerMemo[KeptLines]()
        # It refers to lines that are kept as parts, so it may hold as many again.
        self._joined = AnswerMemo[FoundLines]()
        self._reports = AnswerMemo[_KeptReport]()

    def plans(self) -> tuple[Plan, ...]:
        """Return the latest version of every plan; raise `DocumentsUnreadError` if none can be known yet."""
        if not self._documents.is_known:
            raise DocumentsUnreadError
        return self._documents.plans()

    def plan(self, plan_id: str) -> Plan:
        """Return a plan; raise `NotFoundError` where none of that id is published."""
        plan = next((one for one in self.plans() if one.plan == plan_id), None)
        if plan is None:
            raise NotFoundError(en=f"no plan {plan_id!r} is published", vi=f"chưa công bố kế hoạch {plan_id!r}")
        return plan

    def agency_name(self, agency_id: str, context: QueryContext) -> str:
        """Return an agency's name as of *context*; raise `NotFoundError` where no registry knows it."""
        # The first plan whose registry knows the agency decides: plans may share a registry, and ids are not per plan.
        for plan in self.plans():
            registry = self._documents.registry(plan.registry)
            agency = registry.agency(agency_id) if registry else None
            if agency is not None:
                day = context.as_of.astimezone(ZoneInfo(plan.zone)).date()
                return agency.name_on(day, context.language)
        raise NotFoundError(en=f"no agency {agency_id!r} is published", vi=f"chưa công bố đơn vị {agency_id!r}")

    def resolve_agency(self, name: str, plan_id: str | None = None) -> str:
        """Return the permanent id for an id or alias, as facts and keys may name it; raise nothing.

        See `CitedVersionFinder.resolve_agency`.
        """
        return self._cited.resolve_agency(name, plan_id)

    def require_agency(self, agency_id: str, scope: ReaderScope) -> None:
        """Raise `AccessRefusedError` unless *scope* covers the agency, or a group that it was ever a member of.

        Which of its duties a group covers is decided duty by duty.
        """
        groups = self._cited.find_groups(agency_id) if scope.groups else frozenset()
        if not scope.covers_agency(agency_id, groups):
            raise AccessRefusedError(RefusalReason.OUTSIDE_SCOPE)

    async def require_duty(self, key: DutyKey, context: QueryContext) -> None:
        """Raise `AccessRefusedError` unless the scope covers a duty.

        A group covers it if the agency is a member of the group as for the duty, or, where rules has not assessed the
        duty yet, if it ever was one.
        """
        self.require_agency(key.agency, context.scope)
        if context.scope.is_everything or key.agency in context.scope.agencies:
            return
        duty = PlanDutyFilter(plan=key.plan, agency=key.agency, obligation=key.obligation, periods=(key.period,))
        states, _ = await self.find_states(duty, context)
        if states and not self._select_covered(self.plan(key.plan), states, context):
            raise AccessRefusedError(RefusalReason.OUTSIDE_SCOPE)

    async def find_periods(self, plan_id: str) -> list[str]:
        """Return the periods in which any agency has a duty under a plan, in order."""
        return [text for text in await self._archive.find_periods(plan_id) if _is_period(text)]

    async def find_cited_versions(self, plan_id: str, known_at: datetime) -> CitedVersions | None:
        """Return the versions that what was known of a plan's duties at *known_at* cites, None if nothing was known."""
        asked = await self._split_by_period(PlanDutyFilter(plan=plan_id))
        try:
            known = [await self._reader.find_known(one, known_at) for one in asked]
        except NotAssessedError:
            return None
        return known_duties.find_cited(one.cited for one in known if one.cited is not None)

    async def find_lines(self, duties: DutyFilter, context: QueryContext) -> FoundLines:
        """Return the lines of *duties*, whose agency may be an alias; raise `NotFoundError` for an unpublished plan.

        Raises `NotAssessedError` where that plan, or without one every plan, was never assessed, and
        `AccessRefusedError` where their agency is outside the scope.
        """
        if duties.agency is not None:
            agency = self.resolve_agency(duties.agency, duties.plan)
            self.require_agency(agency, context.scope)
            duties = replace(duties, agency=agency)
        plans = [self.plan(duties.plan)] if duties.plan else list(self.plans())
        parts: list[FoundLines] = []
        unassessed: list[NotAssessedError] = []
        for plan in plans:
            try:
                asked = await self._list_parts(duties.in_plan(plan.plan), context)
                parts += [await self._find_plan_lines(plan, one, context) for one in asked]
            except NotAssessedError as cause:
                unassessed.append(cause)
        # A plan that was published a moment ago does not hold up the answers about the others.
        if unassessed and len(unassessed) == len(plans):
            raise unassessed[0]
        return await self._join(parts, plans, (duties, context.scope, context.language))

    async def _list_parts(self, duties: PlanDutyFilter, context: QueryContext) -> Sequence[PlanDutyFilter]:
        """Return the questions that make up the one about *duties*: one a period, where it is about all of them.

        What is known of ten past years is worked out once, and only what has changed is read again.
        """
        if duties.periods or self._narrow(duties, context).agency is not None:
            return [duties]
        return await self._split_by_period(duties)

    async def _split_by_period(self, duties: PlanDutyFilter) -> Sequence[PlanDutyFilter]:
        known = await self._reader.find_known_periods(duties.plan)
        return [replace(duties, periods=(period,)) for period in known] or [duties]

    async def _join(self, parts: Sequence[FoundLines], plans: Sequence[Plan], question: Hashable) -> FoundLines:
        """Return *parts* as one answer, which is the same one for as long as each of them is."""
        if len(parts) == 1:
            return parts[0]
        basis = tuple(part.listed for part in parts), tuple((plan.plan, plan.version) for plan in plans)
        joined = self._joined.find(question, basis)
        if joined is None:
            lines = sum(len(part.listed) for part in parts)
            joined = await thread_work.run(partial(FoundLines.join, parts, plans), work=lines)
            self._joined.keep(question, basis, joined, size=lines)
        return joined

    async def _find_plan_lines(self, plan: Plan, duties: PlanDutyFilter, context: QueryContext) -> FoundLines:
        asked = self._narrow(duties, context)
        known = await self._reader.find_known(asked, context.known_at)
        question, basis = (duties, context.scope, context.language), self._find_basis(plan, known, context)
        kept = None if basis is None else self._lines.find(question, basis)
        if kept is not None:
            return kept.found
        covered = await self._cover(plan, known, asked, context)
        line_context = self._line_context(plan, covered.cited, context)
        # A page that compares two days asks for the lines of both in turn.
        serving = (one for one in self._lines.list_kept(question) if one.builder.serves(line_context))
        earlier = next(serving, None)
        build = partial(found_lines.build_lines, covered, line_context, earlier)
        built = await thread_work.run(build, work=len(covered.states))
        if basis is not None:
            self._lines.keep(question, basis, built, size=len(covered.states))
        return built.found

    async def compile_report(self, plan_id: str, period_text: str, context: QueryContext) -> AnnualReport:
        """Compile the annual report of a plan and period, and raise what `compile_inputs` raises."""
        return (await self._compile_duties(plan_id, period_text, context)).report

    async def compile_inputs(self, plan_id: str, period_text: str, context: QueryContext) -> ReportInputs:
        """Compile everything that the printed report of a plan and period follows from.

        Raises `NotFoundError` for an unknown plan and `ValueError` where *period_text* is no period.
        """
        inputs = await self._compile_duties(plan_id, period_text, context)
        before = periods.year_before(periods.parse(period_text))
        previous = None if before is None else await self._compile_duties(plan_id, before.text, context)
        return replace(inputs, previous=None if previous is None else previous.report)

    async def _compile_duties(self, plan_id: str, period_text: str, context: QueryContext) -> ReportInputs:
        """Compile the duties of a plan and period, and name the registry that they were compiled with."""
        plan = self.plan(plan_id)
        period = periods.parse(period_text)
        # One-off duties (period None) are fetched as well: `_belongs_to` selects those that are due in this period.
        duties = PlanDutyFilter(plan=plan_id, periods=(*list_periods_within(period), None))
        asked = self._narrow(duties, context)
        known = await self._reader.find_known(asked, context.known_at)
        question, basis = (duties, context.scope, context.language), self._find_basis(plan, known, context)
        kept = None if basis is None else self._reports.find(question, basis)
        if kept is None:
            covered = await self._cover(plan, known, asked, context)
            kept = await self._compile(plan, period, covered, context, self._reports.list_kept(question))
            if basis is not None:
                self._reports.keep(question, basis, kept, size=len(known.assessments))
        inputs = kept.inputs
        return replace(inputs, report=replace(inputs.report, as_of=context.as_of, known_at=context.known_at))

    async def _compile(
        self,
        plan: Plan,
        period: periods.Period,
        covered: CoveredDuties,
        context: QueryContext,
        earlier: Sequence[_KeptReport],
    ) -> _KeptReport:
        select = partial(annual_report.select_in_period, covered.states, period, ZoneInfo(plan.zone))
        in_period = await thread_work.run(select, work=len(covered.states))
        cited = await thread_work.run(partial(_find_cited, in_period), work=len(in_period))
        line_context = self._line_context(plan, cited, context)
        serving = (one.builder for one in earlier if one.builder.serves(line_context))
        builder = next(serving, None) or LineBuilder(line_context)
        query = ReportQuery(period=period.text, as_of=context.as_of, known_at=context.known_at)
        compile_report = partial(
            annual_report.compile_report,
            query,
            in_period,
            attempts=covered.attempts,
            context=line_context,
            builder=builder,
        )
        report = await thread_work.run(compile_report, work=len(in_period))
        inputs = ReportInputs(report=replace(report, unreadable=covered.unreadable), registry=line_context.registry)
        return _KeptReport(inputs=inputs, builder=builder)

    async def find_states(
        self, duties: PlanDutyFilter, context: QueryContext
    ) -> tuple[list[DutyState], tuple[UnreadableRecord, ...]]:
        """Return the state of each of *duties* as of *context*, and the records that cannot be read.

        The scope is not looked at: for sums over all agencies, and for a duty that the scope is known to cover.
        """
        placed = await self.find_placed(duties, context)
        return list(placed.states), placed.unreadable

    async def find_placed(self, duties: PlanDutyFilter, context: QueryContext) -> PlacedDuties:
        """Return what `find_states` does, and what it rests on."""
        known = await self._reader.find_known(duties, context.known_at)
        return await self._placer.place(known, duties, context.as_of)

    def _find_basis(self, plan: Plan, known: KnownDuties, context: QueryContext) -> Hashable | None:
        if known.version is None:
            return None
        cited, registry = self._cited.find(plan, known.cited)
        today = context.as_of.astimezone(ZoneInfo(plan.zone)).date()
        epochs = known.find_epoch(context.as_of), known.find_epoch(min(context.known_at, context.as_of))
        return known.version, epochs, today, cited.version, registry.registry, registry.version

    def find_cited_documents(self, latest: Plan, states: Sequence[DutyState]) -> tuple[Plan, Registry]:
        """Return the plan and registry versions that the newest of *states* cite, else the latest ones.

        Raises `NotFoundError` where the plan's registry is not published at all.
        """
        return self.find_documents(latest, known_duties.find_cited(state.assessment for state in states))

    def find_documents(self, latest: Plan, cited: CitedVersions | None) -> tuple[Plan, Registry]:
        """Return the versions that are *cited*, else the latest ones; raise as `find_cited_documents`."""
        return self._cited.find(latest, cited)

    def _narrow(self, duties: PlanDutyFilter, context: QueryContext) -> PlanDutyFilter:
        """Return *duties* of the only agency that the scope covers, so that the database need not read the others'."""
        own = context.scope.own_agency
        return duties if own is None or duties.agency is not None else replace(duties, agency=own)

    async def _cover(
        self, plan: Plan, known: KnownDuties, duties: PlanDutyFilter, context: QueryContext
    ) -> CoveredDuties:
        """Return what the scope covers of *known*, with the alert attempts about each of the *duties*."""
        states = (await self._placer.place(known, duties, context.as_of)).states
        select = partial(self._select_covered, plan, states, context)
        covered = await thread_work.run(select, work=len(states))
        # An attempt after `as_of` has not happened for the query, even where it is known.
        until = min(context.known_at, context.as_of)
        attempts, unreadable_too = await self._reader.find_attempts(known, (one.key for one in covered), until)
        unreadable = known.unreadable
        if not context.scope.is_everything and context.scope.own_agency is None:
            # Whose duty an unreadable record was about is not known, so it is told only that there is one.
            unreadable = tuple(UnreadableRecord(id=UNNAMED, reason=one.reason) for one in unreadable)
        is_all = len(covered) == len(known.assessments)
        return CoveredDuties(
            states=covered,
            attempts=attempts,
            unreadable=(*unreadable, *unreadable_too),
            cited=known.cited if is_all else _find_cited(covered),
        )

    def _select_covered(self, plan: Plan, states: Sequence[DutyState], context: QueryContext) -> list[DutyState]:
        """Return those of *states* that the scope covers; a group covers its members as for the duty."""
        scope = context.scope
        if scope.is_everything:
            return list(states)
        if not scope.groups:
            return [state for state in states if scope.covers_agency(state.key.agency, ())]
        cited, registry = self.find_cited_documents(plan, states)
        memberships = Memberships(cited, self._cited.index(registry))
        today = context.as_of.astimezone(ZoneInfo(plan.zone)).date()
        return [one for one in states if scope.covers_agency(one.key.agency, memberships.groups_of(one.key, today))]

    def _line_context(self, latest: Plan, cited: CitedVersions | None, context: QueryContext) -> LineContext:
        """Return the context of the lines, with the documents that are *cited*; raise as `find_cited_documents`."""
        plan, registry = self.find_documents(latest, cited)
        return LineContext(
            plan=plan, registry=self._cited.index(registry), as_of=context.as_of, language=context.language
        )


def _find_cited(states: Iterable[DutyState]) -> CitedVersions | None:
    return known_duties.find_cited(one.assessment for one in states)


def _is_period(text: str) -> bool:
    try:
        periods.parse(text)
    except ValueError:
        return False
    return True


def list_periods_within(period: periods.Period) -> tuple[str, ...]:
    """Return *period* and every shorter period inside it: `2026`, `2026-H1`, `2026-Q1`, `2026-01` and so on."""
    inner = [one.text for recurrence in Recurrence for one in periods.within(period, recurrence)]
    return tuple(dict.fromkeys((period.text, *inner)))
