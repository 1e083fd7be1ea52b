"""Answers questions: fetches the revisions and alerts that were known, and hands them to the core.

Texts and rosters are of the plan and registry versions that the assessments themselves cite, so that an old report
reads as it read then.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from schemas.events.ids import DutyKey
from schemas.plan import periods
from schemas.plan.periods import Recurrence
from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.reporting.core.annual_report import AnnualReport, Question, compile_report
from services.reporting.core.lines import DutyLine, Reader, lines_of
from services.reporting.core.lookup import DutyState, state_at
from services.reporting.core.projections import Assessed, Attempt
from services.reporting.core.roster import Roster
from services.reporting.event_decoder import read_delivery, read_verdict
from services.reporting.receipts import KeptReceipt
from services.reporting.store import Place
from services.runtime.published_documents import PLAN, REGISTRY


class UnknownError(Exception):
    """Nothing of that name is published; check the id."""


class Archive(Protocol):
    """Where the records are found."""

    async def standing(self, place: Place, known_at: datetime) -> list[bytes]: ...
    async def alerts(self, duties: Iterable[DutyKey], known_at: datetime) -> list[bytes]: ...
    async def periods(self, plan: str) -> list[str]: ...


class Receipts(Protocol):
    """Where receipts are found."""

    async def receipt(self, receiptid: str) -> KeptReceipt | None: ...


class Library(Protocol):
    """Where the published documents are found."""

    def plan(self, plan_id: str) -> Plan | None: ...
    def plans(self) -> tuple[Plan, ...]: ...
    def registry(self, registry_id: str) -> Registry | None: ...
    def version(self, kind: str, document_id: str, version: int) -> Plan | Registry | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """As of when, by what was known when, in which language."""

    as_of: datetime
    known_at: datetime
    language: str = "vi"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which duties are asked about; an empty condition holds for all."""

    plan: str | None = None
    agency: str | None = None
    obligation: str | None = None
    periods: tuple[str | None, ...] = ()

    def within(self, plan: str) -> Place:
        """Return where to look for them in *plan*."""
        return Place(plan=plan, agency=self.agency, obligation=self.obligation, periods=self.periods)


class Inquiries:
    """Every question that the interface and the dashboard ask."""

    def __init__(self, archive: Archive, library: Library) -> None:
        self._archive = archive
        self._library = library

    def plans(self) -> tuple[Plan, ...]:
        """Return the latest version of every plan."""
        return self._library.plans()

    def plan(self, plan_id: str) -> Plan:
        """Return a plan; raise `UnknownError` where none of that id is published."""
        found = self._library.plan(plan_id)
        if found is None:
            raise UnknownError(f"no plan {plan_id!r} is published")
        return found

    def agency_name(self, agency_id: str, moment: Moment) -> str:
        """Return an agency's name as of *moment*; raise `UnknownError` where no registry knows it."""
        for plan in self.plans():
            registry = self._library.registry(plan.registry)
            agency = registry.agency(agency_id) if registry else None
            if agency is not None:
                return agency.name_on(moment.as_of.astimezone(ZoneInfo(plan.zone)).date(), moment.language)
        raise UnknownError(f"no agency {agency_id!r} is published")

    async def periods(self, plan_id: str) -> list[str]:
        """Return the years in which a plan lays anything on anybody."""
        return sorted({period[:4] for period in await self._archive.periods(plan_id)})

    async def lines(self, asked: Asked, moment: Moment) -> tuple[DutyLine, ...]:
        """Return every duty meant, as people read it; of all plans where none is named."""
        plans = [self.plan(asked.plan)] if asked.plan else list(self.plans())
        found: list[DutyLine] = []
        for plan in plans:
            states, attempts = await self._known(asked.within(plan.plan), moment)
            found += lines_of(states, attempts, self._reader(plan, states, moment))
        return tuple(found)

    async def report(self, plan_id: str, period: str, moment: Moment) -> AnnualReport:
        """Return the annual report; raise `UnknownError` for an unknown plan, `ValueError` for what is no period."""
        plan = self.plan(plan_id)
        whole = periods.parse(period)
        states, attempts = await self._known(Place(plan=plan_id, periods=(*_within(whole), None)), moment)
        zone = ZoneInfo(plan.zone)
        reported = [state for state in states if _belongs(state, whole, zone)]
        heard = {state.key: attempts[state.key] for state in reported if state.key in attempts}
        question = Question(period=whole.text, as_of=moment.as_of, known_at=moment.known_at)
        return compile_report(question, reported, heard, self._reader(plan, reported, moment))

    async def _known(self, place: Place, moment: Moment) -> tuple[list[DutyState], dict[DutyKey, list[Attempt]]]:
        records = await self._archive.standing(place, moment.known_at)
        known = [read_verdict(record).assessed for record in records]
        return [state_at(one, moment.as_of) for one in known], await self._heard(known, moment)

    async def _heard(self, known: Sequence[Assessed], moment: Moment) -> dict[DutyKey, list[Attempt]]:
        until = min(moment.known_at, moment.as_of)
        keys = {one.key for one in known}
        heard: dict[DutyKey, list[Attempt]] = {}
        for record in await self._archive.alerts(keys, until):
            for attempt in read_delivery(record).attempts:
                if attempt.key in keys:
                    heard.setdefault(attempt.key, []).append(attempt)
        return heard

    def _reader(self, latest: Plan, states: Sequence[DutyState], moment: Moment) -> Reader:
        """Return the documents that the newest of *states* cite, or the latest where those are not to be had."""
        newest = max((state.assessed for state in states), key=lambda one: one.plan_version, default=None)
        plan, registry = latest, self._library.registry(latest.registry)
        if newest is not None:
            cited = self._library.version(PLAN, latest.plan, newest.plan_version)
            plan = cited if isinstance(cited, Plan) else plan
            rosters = [state.assessed.registry_version for state in states]
            roster = self._library.version(REGISTRY, newest.registry, max(rosters))
            registry = roster if isinstance(roster, Registry) else registry
        if registry is None:
            raise UnknownError(f"the registry {latest.registry!r} of plan {latest.plan!r} is not published")
        return Reader(plan=plan, roster=Roster.of(registry), as_of=moment.as_of, language=moment.language)


def _within(whole: periods.Period) -> tuple[str, ...]:
    """Return *whole* and every shorter period inside it."""
    inner = [one.text for recurrence in Recurrence for one in periods.within(whole, recurrence)]
    return tuple(dict.fromkeys((whole.text, *inner)))


def _belongs(state: DutyState, whole: periods.Period, zone: ZoneInfo) -> bool:
    """Whether a duty without a period is the concern of *whole*: undated, or due within it."""
    if state.key.period is not None or state.standing.due_at is None:
        return True
    due_on = (state.standing.due_at - timedelta(microseconds=1)).astimezone(zone).date()
    return whole.starts_on <= due_on < whole.ends_on
