"""Answer what one duty's status rests on: its newest known assessment, the facts of its docket, the alerts about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from schemas.events.ids import DutyKey
from schemas.plan import periods
from services.reporting import event_decoder
from services.reporting.cited_documents import NotFoundError
from services.reporting.core import duty_lines
from services.reporting.core.duty_lines import LineContext
from services.reporting.core.evidence import duty_evidence, duty_facts
from services.reporting.core.evidence.duty_evidence import DutyEvidence
from services.reporting.core.evidence.duty_facts import DutyFact, ReportDetails
from services.reporting.core.registry_index import RegistryIndex
from services.reporting.core.timeline import DutyState, EventIdentity, UnreadableRecord
from services.reporting.core.urging import AlertAttempt
from services.reporting.event_decoder import StoredRecord
from services.reporting.evidence import docket_facts
from services.reporting.queries import QueryContext, ReportingQueries
from services.reporting.store import PlanDutyFilter
from services.reporting.stored_documents import StoredFact
from services.runtime.decoding import UnreadableRecordError


class DutyArchive(Protocol):
    """Finds the records about one duty."""

    async def find_docket(self, duty: DutyKey, known_at: datetime) -> list[StoredFact]: ...
    async def find_events(self, identities: Iterable[EventIdentity], known_at: datetime) -> list[StoredFact]: ...
    async def find_attempts(self, duties: Iterable[DutyKey], known_at: datetime) -> list[StoredRecord]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyAnswer:
    """The evidence of a duty, and the stored records about it that cannot be read."""

    evidence: DutyEvidence
    unreadable: tuple[UnreadableRecord, ...]


class DutyQueries:
    """Questions about one duty. They raise `AccessRefusedError` for one outside the scope."""

    def __init__(self, queries: ReportingQueries, archive: DutyArchive) -> None:
        self._queries = queries
        self._archive = archive

    async def find_duty(self, key: DutyKey, context: QueryContext) -> DutyAnswer:
        """Return what is known of a duty as of *context*; raise `NotFoundError` where there is no such duty."""
        await self._queries.require_duty(key, context)
        latest = self._queries.plan(key.plan)
        duty = PlanDutyFilter(plan=key.plan, agency=key.agency, obligation=key.obligation, periods=(key.period,))
        states, unreadable = await self._queries.find_states(duty, context)
        state = next(iter(states), None)
        plan, registry = self._queries.find_cited_documents(latest, states)
        obligation = plan.obligation(key.obligation)
        if state is None or obligation is None:
            if unreadable:
                raise NotFoundError(
                    en=f"what is stored of the duty {key} cannot be read: {unreadable[0].reason}",
                    vi=f"không đọc được nội dung đã lưu của nhiệm vụ {key}: {unreadable[0].reason}",
                )
            raise NotFoundError(
                en=f"no duty {key} is on record; check plan, agency, obligation and period (- for none)",
                vi=f"không có nhiệm vụ {key}; hãy kiểm tra kế hoạch, đơn vị, nhiệm vụ và kỳ (- nếu không có kỳ)",
            )
        facts, unreadable_facts = await self._find_facts(state, context)
        attempts, unreadable_attempts = await self._find_attempts(key, context)
        line_context = LineContext(
            plan=plan, registry=RegistryIndex.of(registry), as_of=context.as_of, language=context.language
        )
        (line,) = duty_lines.build_lines([state], {key: attempts}, line_context)
        evidence = DutyEvidence(
            state=state,
            line=line,
            obligation=obligation,
            facts=duty_facts.select_facts_of_duty(facts, key, state.assessment.timeline, as_of=context.as_of),
            alerts=duty_evidence.group_alerts(attempts),
            context=line_context,
        )
        return DutyAnswer(evidence=evidence, unreadable=(*unreadable, *unreadable_facts, *unreadable_attempts))

    async def find_year_before(self, key: DutyKey, context: QueryContext) -> ReportDetails | None:
        """Return what the agency's report for the same period a year earlier contains, if one stands."""
        before = None if key.period is None else periods.year_before(periods.parse(key.period))
        if before is None:
            return None
        duty = PlanDutyFilter(plan=key.plan, agency=key.agency, obligation=key.obligation, periods=(before.text,))
        states, _ = await self._queries.find_states(duty, context)
        standing = next((state.span.standing for state in states if state.span.standing is not None), None)
        if standing is None:
            return None
        stored = await self._archive.find_events([standing], context.known_at)
        facts, _ = docket_facts.decode_facts(stored, self._queries.note_unreadable)
        return next((one.report for one in facts if one.report is not None), None)

    async def _find_facts(
        self, state: DutyState, context: QueryContext
    ) -> tuple[list[DutyFact], list[UnreadableRecord]]:
        """Return the facts of the docket, and the submissions of other dockets that the timeline names as standing."""
        stored = await self._archive.find_docket(state.key, context.known_at)
        facts, unreadable = docket_facts.decode_facts(stored, self._queries.note_unreadable)
        known = {one.fact.identity for one in facts}
        named = {span.standing for span in state.assessment.timeline if span.standing is not None} - known
        if named:
            elsewhere = await self._archive.find_events(sorted(named), context.known_at)
            found, unreadable_too = docket_facts.decode_facts(elsewhere, self._queries.note_unreadable)
            return [*facts, *found], [*unreadable, *unreadable_too]
        return facts, unreadable

    async def _find_attempts(
        self, key: DutyKey, context: QueryContext
    ) -> tuple[list[AlertAttempt], list[UnreadableRecord]]:
        """Return the attempts at alerts about the duty by the instant asked about."""
        attempts: list[AlertAttempt] = []
        unreadable: list[UnreadableRecord] = []
        for stored in await self._archive.find_attempts([key], min(context.known_at, context.as_of)):
            try:
                decoded = event_decoder.decode_delivery(stored.record)
            except UnreadableRecordError as cause:
                unreadable.append(UnreadableRecord(id=stored.id, reason=str(cause)))
                self._queries.note_unreadable(unreadable[-1])
            else:
                attempts += [one for one in decoded.attempts if one.key == key]
        return attempts, unreadable
