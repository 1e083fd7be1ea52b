"""The duty catalogue: one version of a plan over one version of its registry, for looking duties up and listing them.

It knows no facts, except that it resolves the names in them. What it keeps for each period is a duty for every class of
agencies that are bound alike, not one for every agency.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime

import msgspec
from msgspec.structs import replace

from schemas.events.ids import DutyKey
from schemas.plan import calendar, periods
from schemas.plan.calendar import Calendar, PeriodTerms
from schemas.plan.periods import Period
from schemas.plan.plan import PARENT, Obligation, ObligationVersion, Plan
from schemas.plan.registry import Registry, WorkingDays
from schemas.plan.values import Bilingual
from services.rules.core import agencies, completeness, plan_succession
from services.rules.core.agencies import Addressee, Agencies, Binding, Bound, LeftGroup, NotBound, Superior
from services.rules.core.completeness import NOTHING_REQUIRED, DutyRequirements, RequiredPart
from services.rules.core.duty import Duty
from services.rules.core.facts import Fact, Submission
from services.rules.core.fast_path import OutcomeWithoutFacts, SharedDuty
from services.rules.core.plan_succession import ObligationName


class UnknownDuty(LookupError):  # noqa: N818 - it reads as a claim about the input
    """There is no such duty in the plan and registry. `field` says which part of the name to correct."""

    def __init__(self, field: str, detail: Bilingual) -> None:
        self.field = field
        self.detail = detail
        self.message = detail.in_language("en")
        super().__init__(f"{field}: {self.message}")


class DutySelection(msgspec.Struct, frozen=True, kw_only=True):
    """The duties of some agencies in some periods; the period None is that of one-off duties."""

    agencies: Sequence[str]
    periods: frozenset[str | None]


class DutyCatalogue:
    """The duties of one plan version over one registry version.

    *successor* is the plan that supersedes this one, *predecessor* the catalogue of the plan whose reports this one
    carries over, where they are known (`services.rules.core.plan_succession`).
    """

    def __init__(
        self,
        plan: Plan,
        registry: Registry,
        *,
        successor: Plan | None = None,
        predecessor: "DutyCatalogue | None" = None,
    ) -> None:
        self.plan = plan
        self.registry = registry
        self.predecessor = predecessor
        self.origin: str = plan_succession.name_origin(
            plan, registry, None if predecessor is None else predecessor.origin
        )
        self.versions = plan_succession.name_versions(self.origin, successor)
        carried = {} if predecessor is None else predecessor.carries_over
        self.carries_over: Mapping[ObligationName, tuple[str, ...]] = plan_succession.map_carried(plan, carried)
        """The obligations for which the reports under an obligation of an earlier plan count."""
        self._superseded_at = plan_succession.find_end(successor)
        self.agencies = Agencies(registry)
        self.calendar = Calendar(plan, WorkingDays(registry))
        self._obligations = {one.id: one for one in plan.obligations}
        self._terms: dict[tuple[str, str | None], PeriodTerms | None] = {}
        # By obligation, agency and period. The innermost dictionary is one for all agencies that are bound alike.
        self._duties: dict[str, dict[str, dict[str | None, SharedDuty]]] = {one: {} for one in self._obligations}
        self._duties_of_class: dict[tuple[str, Hashable], dict[str | None, SharedDuty]] = {}
        self._outcomes: dict[Hashable, OutcomeWithoutFacts] = {}
        self._requirements: dict[int, DutyRequirements] = {}
        self._co_operators: dict[str, tuple[Addressee, ...]] = {}

    def duty(self, *, agency: str, obligation: str, period: str | None) -> Duty:
        """Return the duty of that name, binding or not; raise `UnknownDuty` naming the field that fits nothing."""
        return self.shared_duty(agency=agency, obligation=obligation, period=period).duty_of(agency)

    def shared_duty(self, *, agency: str, obligation: str, period: str | None) -> SharedDuty:
        """Return what `duty` returns, as it is for all agencies that are bound alike."""
        try:
            return self._duties[obligation][agency][period]
        except KeyError:
            return self._share_duty(agency, obligation, period)

    def find_shared_duty(self, *, agency: str, obligation: str, period: str | None) -> SharedDuty | None:
        """Return what `shared_duty` returns, or None where there is no such duty."""
        try:
            return self._duties[obligation][agency][period]
        except KeyError:
            with suppress(UnknownDuty):
                return self._share_duty(agency, obligation, period)
        return None

    def find_duty(self, *, agency: str, obligation: str, period: str | None) -> Duty | None:
        """Return the duty of that name, binding or not, or None where there is none."""
        shared = self.find_shared_duty(agency=agency, obligation=obligation, period=period)
        return None if shared is None else shared.duty_of(agency)

    def resolve_names(self, fact: Fact) -> Fact:
        """Return *fact* with aliases of agencies replaced by ids (ruling 7); raise `UnknownDuty` if no duty fits."""
        resolved = self.resolve_agencies(fact)
        if fact.obligation not in self._obligations:
            raise self.unknown_obligation(fact.obligation)
        return resolved

    def resolve_agencies(self, fact: Fact) -> Fact:
        """Return *fact*, of any plan, with aliases of agencies replaced by ids; raise `UnknownDuty` for others."""
        agency = self._resolve_agency(fact.agency)
        if isinstance(fact, Submission):
            filed_by = self._resolve_agency(fact.filed_by)
            if filed_by != fact.filed_by:
                return replace(fact, agency=agency, filed_by=filed_by)
        return fact if agency == fact.agency else replace(fact, agency=agency)

    def duties_opening_before(self, until: datetime, selection: DutySelection | None = None) -> Iterator[DutyKey]:
        """Yield every duty that opens before *until*, agency by agency within each obligation and period.

        Agencies that report nothing matter most, so duties are listed from the plan alone. With *selection*, only those
        in it are listed.
        """
        horizon = until.astimezone(self.calendar.zone).date()
        selected = self.agencies if selection is None else [one for one in selection.agencies if one in self.agencies]
        for obligation in self.plan.obligations:
            for period in self._periods_until(obligation, horizon):
                if selection is not None and period not in selection.periods:
                    continue
                for agency in selected:
                    shared = self.shared_duty(agency=agency, obligation=obligation.id, period=period)
                    duty = shared.duty
                    if duty.opens_at is not None and duty.opens_at < until and not duty.is_untracked:
                        yield shared.key_of(agency)

    def duties_within(self, year: Period) -> Iterator[Duty]:
        """Yield the binding duties of the periods inside *year*, and the one-off ones that fall due (or open) in it."""
        for obligation in self.plan.obligations:
            for recurrence in sorted(calendar.recurrences_of(obligation)):
                asked = [one.text for one in periods.within(year, recurrence) if calendar.is_asked_for(obligation, one)]
                texts: Sequence[str | None] = asked if recurrence.is_periodic else [None]
                for text in texts:
                    duties = (self.duty(agency=one, obligation=obligation.id, period=text) for one in self.agencies)
                    yield from (duty for duty in duties if duty.is_binding and (text or self._falls_into(duty, year)))

    def _falls_into(self, duty: Duty, year: Period) -> bool:
        """Whether a one-off duty falls due in *year*, or opens in it where it has no due instant."""
        deciding = duty.due_at or duty.opens_at
        if deciding is None:
            return False
        return year.starts_on <= calendar.last_good_day(deciding, self.calendar.zone) < year.ends_on

    def _periods_until(self, obligation: Obligation, horizon: date) -> Iterator[str | None]:
        """Yield the periods of *obligation* that start by *horizon*, the first one around the plan's day of issue."""
        for recurrence in sorted(calendar.recurrences_of(obligation)):
            if not recurrence.is_periodic:
                yield None
                continue
            begins_on = min(version.from_ for version in obligation.versions)
            period = periods.first_ending_after(max(self.plan.issued_on, begins_on), recurrence)
            while period.starts_on <= horizon:
                if calendar.is_asked_for(obligation, period):
                    yield period.text
                period = periods.following(period)

    def _share_duty(self, agency: str, obligation_id: str, period: str | None) -> SharedDuty:
        """Return the shared duty, which is created unless another agency of the class has asked for it."""
        if agency not in self.agencies:
            raise self.unknown_agency(agency)
        obligation = self._obligations.get(obligation_id)
        if obligation is None:
            raise self.unknown_obligation(obligation_id)
        by_agency = self._duties[obligation_id]
        if agency not in by_agency:
            agency_class = obligation_id, self._classify(agency, obligation)
            by_agency[agency] = self._duties_of_class.setdefault(agency_class, {})
        if period not in by_agency[agency]:
            duty = self._create_duty(agency, obligation, period)
            by_agency[agency][period] = SharedDuty(duty, self._outcomes)
        return by_agency[agency][period]

    def _classify(self, agency: str, obligation: Obligation) -> Hashable:
        """Return what the duties of *obligation* depend on besides the period: equal for agencies bound alike.

        An agency with heirs, with parts to compile or with reports that are carried over is a class of its own.
        """
        heirs = self.agencies.heirs(agency)
        carried = list(plan_succession.list_carried(self.plan, obligation.id))
        if heirs or carried or obligation.compiles is not None:
            return agency
        is_superior_told = any(self._superiors_of(one, agency) for one in obligation.versions)
        return (
            self.agencies.memberships(agency, obligation.bearers),
            self.agencies.lifetime(agency).to,
            self.agencies.superiors(agency) if is_superior_told else (),
            bool(obligation.with_ and self.agencies.memberships(agency, obligation.with_)),
        )

    def _create_duty(self, agency: str, obligation: Obligation, period: str | None) -> Duty:
        key = DutyKey(plan=self.plan.plan, agency=agency, obligation=obligation.id, period=period)
        terms = self._terms_of(obligation, period)
        binding = NotBound() if terms is None else self._decide_binding(terms, agency)
        if terms is None or isinstance(binding, NotBound):
            return self._create_unbound_duty(key, obligation, terms)
        return self._create_bound_duty(key, terms, binding)

    def _decide_binding(self, terms: PeriodTerms, agency: str) -> Binding:
        """Decide how *terms* bind *agency*; what would open once another plan has taken this one's place does not."""
        binding = agencies.decide_binding(self.agencies, terms, agency)
        if self._superseded_at is None or isinstance(binding, NotBound):
            return binding
        return binding if self._at_midnight(binding.opens_on) < self._superseded_at else NotBound()

    def _create_unbound_duty(self, key: DutyKey, obligation: Obligation, terms: PeriodTerms | None) -> Duty:
        return Duty(
            key=key,
            obligation=obligation,
            version=None if terms is None else terms.version,
            zone=self.calendar.zone,
            plan_issued_on=self.plan.issued_on,
            opens_at=None,
            due_at=None,
            successors=frozenset() if terms is None else self.agencies.successors(key.agency),
            requirements=NOTHING_REQUIRED if terms is None else self._requirements_of(terms.version),
        )

    def _create_bound_duty(self, key: DutyKey, terms: PeriodTerms, binding: Bound | LeftGroup) -> Duty:
        ends_on, left_on = (binding.ends_on, None) if isinstance(binding, Bound) else (None, binding.ends_on)
        return Duty(
            key=key,
            obligation=terms.obligation,
            version=terms.version,
            zone=self.calendar.zone,
            plan_issued_on=self.plan.issued_on,
            opens_at=self._at_midnight(binding.opens_on),
            due_at=terms.due_at,
            recurs_after=terms.recurs_after,
            agency_ends_at=None if ends_on is None else self._at_midnight(ends_on),
            heirs=binding.heirs if isinstance(binding, Bound) else (),
            left_group_at=None if left_on is None else self._at_midnight(left_on),
            successors=self.agencies.successors(key.agency),
            requirements=self._requirements_with_parts(terms, key.agency),
            is_untracked=self._is_untracked(terms),
            superseded_at=self._superseded_at,
            carried_from=tuple(self._list_carried_duties(key, terms)),
            superiors=self._superiors_of(terms.version, key.agency),
            co_operators=self._co_operators_of(terms.obligation),
            addressed_successors=()
            if ends_on is None
            else agencies.list_addressed_successors(self.agencies, key.agency, terms.obligation.bearers),
        )

    def _list_carried_duties(self, key: DutyKey, terms: PeriodTerms) -> Iterator[Duty]:
        """Yield the duties of earlier plans, of the same agency and period, whose reports count for this one."""
        for plan, obligation in plan_succession.list_carried(self.plan, key.obligation):
            if self.predecessor is None:
                # Of a plan that is not known here, only the reports are: these are judged by what this plan says.
                old = DutyKey(plan=plan, agency=key.agency, obligation=obligation, period=key.period)
                yield replace(self._create_unbound_duty(old, terms.obligation, terms), plan_issued_on=date.min)
                continue
            found = self.predecessor.find_duty(agency=key.agency, obligation=obligation, period=key.period)
            if found is not None:
                yield found
                yield from found.carried_from

    def _is_untracked(self, terms: PeriodTerms) -> bool:
        """Whether the last good day, which for a dated duty decides about membership, lies before the tracking."""
        tracked_from = self.plan.tracked_from
        return tracked_from is not None and terms.due_at is not None and terms.membership_decided_on < tracked_from

    def _superiors_of(self, version: ObligationVersion, agency: str) -> tuple[Superior, ...]:
        is_told = any(one.to == PARENT for one in version.reminders.escalate)
        return self.agencies.superiors(agency) if is_told else ()

    def _co_operators_of(self, obligation: Obligation) -> tuple[Addressee, ...]:
        if obligation.id not in self._co_operators:
            self._co_operators[obligation.id] = agencies.list_co_operators(self.agencies, obligation.with_)
        return self._co_operators[obligation.id]

    def _requirements_with_parts(self, terms: PeriodTerms, agency: str) -> DutyRequirements:
        requirements = self._requirements_of(terms.version)
        if terms.version.requires.parts is None or terms.obligation.compiles is None:
            return requirements
        parts = tuple(
            RequiredPart(agency=one, names=self.agencies.names_of(one))
            for one in self.agencies.children_on(agency, terms.membership_decided_on)
            if self._owes_part(one, terms.obligation.compiles.obligation, terms)
        )
        return replace(requirements, parts=parts)

    def _owes_part(self, agency: str, obligation_id: str, compiling: PeriodTerms) -> bool:
        """Whether *agency* owes the compiled obligation for the same period on the last good day of *compiling*."""
        obligation = self._obligations.get(obligation_id)
        period = None if compiling.period is None else compiling.period.text
        try:
            terms = None if obligation is None else self._terms_of(obligation, period)
        except UnknownDuty:  # the obligation never recurs like that
            return False
        if terms is None or self._is_untracked(terms):
            return False
        binding = self._decide_binding(terms, agency)
        has_left = isinstance(binding, LeftGroup) and binding.ends_on <= compiling.membership_decided_on
        return not isinstance(binding, NotBound) and not has_left

    def _resolve_agency(self, agency: str) -> str:
        resolved = self.agencies.resolve(agency)
        if resolved is None:
            raise self.unknown_agency(agency)
        return resolved

    def unknown_agency(self, agency: str) -> UnknownDuty:
        """Return the error that says that the registry does not know *agency*."""
        named = f"{self.registry.registry}@{self.registry.version}"
        return UnknownDuty(
            "agency",
            Bilingual.of(
                en=f"{agency!r} is not in registry {named}", vi=f"danh sách đơn vị {named} không có “{agency}”"
            ),
        )

    def unknown_obligation(self, obligation: str) -> UnknownDuty:
        """Return the error that says that the plan does not have *obligation*."""
        named = f"{self.plan.plan}@{self.plan.version}"
        return UnknownDuty(
            "obligation",
            Bilingual.of(
                en=f"{obligation!r} is not in plan {named}", vi=f"kế hoạch {named} không có nhiệm vụ “{obligation}”"
            ),
        )

    def _terms_of(self, obligation: Obligation, period: str | None) -> PeriodTerms | None:
        cache_key = (obligation.id, period)
        if cache_key not in self._terms:
            self._terms[cache_key] = self.calendar.terms_of(obligation, _parse_period(obligation, period))
        return self._terms[cache_key]

    def _requirements_of(self, version: ObligationVersion) -> DutyRequirements:
        # The versions live as long as the plan, so the identity of one is a key that is cheap to look up.
        found = self._requirements.get(id(version))
        if found is None:
            found = completeness.combine_requirements(version.requires, version.accepts, self.plan.indicators)
            self._requirements[id(version)] = found
        return found

    def _at_midnight(self, day: date) -> datetime:
        return calendar.midnight(day, self.calendar.zone)


def _parse_period(obligation: Obligation, period: str | None) -> Period | None:
    """Return the parsed *period* if the obligation ever had that recurrence; raise `UnknownDuty` otherwise."""
    known = calendar.recurrences_of(obligation)
    if period is None:
        if any(not one.is_periodic for one in known):
            return None
        example = _example_period(obligation)
        raise UnknownDuty(
            "period",
            Bilingual.of(
                en=f"{obligation.id} recurs; name its period, for example {example.en}",
                vi=f"nhiệm vụ {obligation.id} có định kỳ; hãy ghi rõ kỳ báo cáo, ví dụ {example.vi}",
            ),
        )
    try:
        parsed = periods.parse(period)
    except ValueError as cause:
        vi = f"“{period}” không phải là kỳ báo cáo; hãy ghi dạng {periods.FORMS_VI}"
        raise UnknownDuty("period", Bilingual.of(en=str(cause), vi=vi)) from cause
    if parsed.recurrence not in known:
        example = _example_period(obligation)
        raise UnknownDuty(
            "period",
            Bilingual.of(
                en=f"{period!r} does not fit the recurrence of {obligation.id}; write {example.en}",
                vi=f"kỳ “{period}” không hợp định kỳ của nhiệm vụ {obligation.id}; hãy ghi {example.vi}",
            ),
        )
    return parsed


def _example_period(obligation: Obligation) -> Bilingual:
    last = obligation.versions[-1].recurrence
    if not last.is_periodic:
        return Bilingual.of(en="no period at all", vi="“-” hoặc để trống, vì không có kỳ")
    text = periods.first_ending_after(date(2026, 7, 1), last).text
    return Bilingual.of(en=text, vi=text)
