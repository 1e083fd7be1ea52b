"""The processor of one partition: what a record of the log changes in its state, and which assessments follow from it.

It has no clock and no broker, and processing a record twice changes nothing the second time. Its memory is true only as
long as the log agrees with it: after a failed transaction the processor is discarded, and a new one is restored.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial

from schemas.events.facts import PlanAdopted
from schemas.events.ids import DutyKey, partition_of
from services.rules import assessment_event
from services.rules.assessment_event import LargeAssessmentError, LogPosition
from services.rules.core.duty import Duty
from services.rules.core.duty_catalogue import DutyCatalogue
from services.rules.core.facts import (
    EVERY_PERIOD,
    Decision,
    Docket,
    Fact,
    Submission,
    has_same_content,
    identity,
    record_period,
)
from services.rules.core.fast_path import SharedDuty
from services.rules.duty_catalogues import DutyCatalogues
from services.rules.fact_validation import FactValidator, Rejection, UnpublishedAdoption
from services.rules.state import state_store
from services.rules.state.state_store import DocketKey, StateDigest, StateStore
from services.runtime import decoding

# The budget of work of one record. It is counted, not timed: a rebuild on another machine rejects the same records.
MOST_FACTS_A_DUTY = 500  # far above any honest correspondence
LARGEST_DUTY_BYTES = 8 * 1024 * 1024  # of its state record: half of what the topics carry in one record
MOST_FACTS_AN_ASSESSMENT = 2_000  # decisions and withdrawals bear on other periods too; 0.15 s of processor time
MOST_CONDITION_UNITS = 5_000_000  # of all reports of one duty together: a second of processor time
MOST_FACTS_A_RECORD = 50_000  # an exemption has all periods of its docket assessed; 3 s, with pauses between periods
LARGEST_EVENTS_BYTES = 16 * 1024 * 1024  # of all these periods together
# An eighth of what a topic carries in one record and MongoDB in one document: the assessment stays storable under every
# later version of the plan. 300 reports with ids of 36 characters are below it.
LARGEST_ASSESSMENT_BYTES = 2 * 1024 * 1024

# An assessment event to publish, after its record key, the agency.
KeyedEvent = tuple[str, bytes]

# A duty, after the catalogue by which it is assessed.
CataloguedDuty = tuple[DutyCatalogue, Duty]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedFact:
    """A fact on its way into the state: the docket to which it was added, and the state record that it belongs to."""

    fact: Fact
    docket: Docket
    record: bytes


class PartitionProcessor:
    """Processes the facts of one partition."""

    def __init__(self, partition: int, catalogues: DutyCatalogues) -> None:
        self.partition = partition
        self._catalogues = catalogues
        self._validator = FactValidator(partition, catalogues)
        self._store = StateStore()
        self._adoptions: dict[str, PlanAdopted] = {}
        self._in_force: dict[str, DutyCatalogue] = {}  # by plan, those of the adoptions
        # Of agencies that a catalogue knows, so that it needs no bound, which would cost 1 µs a report.
        self._find_home = cache(partial(partition_of, partitions=catalogues.partitions))
        self._carrying: list[DutyCatalogue] = []  # of plans for which reports under another plan count

    @property
    def digest(self) -> StateDigest:
        """The digest of all state records."""
        return self._store.digest

    @property
    def adoptions(self) -> Mapping[str, PlanAdopted]:
        """The last adoption of each plan."""
        return self._adoptions

    def facts(self) -> Iterator[Fact]:
        """Yield every fact that can be read."""
        return iter(self._store)

    def facts_bearing_on(self, duty: Duty, added: AddedFact | None = None) -> Sequence[Fact]:
        """Return the facts that bear on *duty*, *added* among them: of its docket, and the reports that count too."""

        def read(key: DutyKey, carried: Sequence[str] = ()) -> Sequence[Fact]:
            docket_key = state_store.docket_key_of(key)
            if added is not None and docket_key == state_store.docket_key_of(added.fact):
                return added.docket.facts_bearing_on(key.period, carried=carried)
            return self._store.facts_bearing_on(docket_key, key.period, carried=carried)

        if not duty.carried_from:
            return read(duty.key)
        counted = [fact for origin in duty.carried_from for fact in read(origin.key) if not isinstance(fact, Decision)]
        ids = [one.id for one in counted if isinstance(one, Submission)]
        return list({identity(one): one for one in (*read(duty.key, ids), *counted)}.values())

    def restore(self, key: bytes, value: bytes) -> None:
        """Restore one state record that `drain_changes` returned to an earlier processor.

        Raise `UnreadableRecordError` for a key, or an adoption, that none has written. Facts are decoded later.
        """
        if key.endswith(state_store.ADOPTION_KEY_END):
            adoption = decoding.decode_model(PlanAdopted, value)
            self._adoptions[adoption.plan] = adoption
        self._store.restore(key, value)

    def add_missing(self, known: "PartitionProcessor") -> None:
        """Add the facts and adoptions of another state that this one lacks, without assessing anything."""
        for fact in known.facts():
            key = state_store.docket_key_of(fact)
            docket = self._store.open_docket(key, fact)
            if docket.add(fact):
                period = record_period(fact)
                self._store.put(fact, docket, state_store.encode_facts(docket.facts_of_record(period)))
        for plan, adoption in known.adoptions.items():
            if plan not in self._adoptions or is_newer(adoption, self._adoptions[plan]):
                self._adoptions[plan] = adoption
                self._store.put_adoption(adoption)

    def assess_all(self, *, position: LogPosition) -> Iterator[KeyedEvent]:
        """Yield the assessment of every duty that is expected or has facts, as things stand."""
        for plan, catalogue in list(self._in_force.items()):
            for key in self._list_all_duties(catalogue, self._list_expected(catalogue, self._adoptions[plan])):
                yield self._assess_expected(catalogue, key, position)

    def activate_adoptions(self) -> tuple[PlanAdopted, ...]:
        """Put the restored adoptions into force; return those whose documents are not published (yet)."""
        self._put_into_force(self._catalogues.link_adopted(self._adoptions.values()))
        return tuple(one for plan, one in self._adoptions.items() if plan not in self._in_force)

    def process(self, fact: Fact | PlanAdopted, *, position: LogPosition) -> list[KeyedEvent] | Iterator[KeyedEvent]:
        """Process the fact or the adoption in one record and return the assessments that follow from it.

        Raise `Rejection` if it cannot be processed; the state is then as if the record had never come.

        What leads to many assessments is processed lazily, while they are iterated: an adoption, and a fact that
        touches several duties. It may be rejected on the way, and it counts only when the last one has been taken.
        """
        catalogue = self._in_force.get(fact.plan)
        if catalogue is not None and isinstance(fact, Submission):
            shared = self._find_own_duty(catalogue, fact)
            if shared is not None:
                event = self._process_usual_report(catalogue, shared, fact, position)
                return self._process_fact(fact, catalogue, position) if event is None else [(fact.agency, event)]
        elif isinstance(fact, PlanAdopted):
            return self._process_adoption(fact, position)
        return self._process_fact(*self._validator.validate(fact, catalogue), position)

    def drain_changes(self) -> list[tuple[str, bytes]]:
        """Return the state records changed since this was last called, as (key, value)."""
        return self._store.drain_changes()

    def _find_own_duty(self, catalogue: DutyCatalogue, report: Submission) -> SharedDuty | None:
        """Return the duty of an agency's own report that lies in its partition: there is nothing to validate then."""
        if report.filed_by != report.agency:
            return None
        shared = catalogue.find_shared_duty(agency=report.agency, obligation=report.obligation, period=report.period)
        return shared if shared is not None and self._find_home(report.agency) == self.partition else None

    def _process_usual_report(
        self, catalogue: DutyCatalogue, shared: SharedDuty, report: Submission, position: LogPosition
    ) -> bytes | None:
        """Process the first complete report of its own of a usual duty; return None for every other report.

        Nothing is decoded but the report, and nothing encoded but its state: the assessment is cut from a template.
        """
        key = state_store.docket_key_of(report)
        if (
            not self._store.is_first_report(key, report)
            or not shared.is_discharged_by(report)
            or shared.duty.requirements.checks_cost > MOST_CONDITION_UNITS
            or (self._carrying and any((report.plan, report.obligation) in one.carries_over for one in self._carrying))
        ):
            return None
        value = state_store.encode_report(report)
        if len(value) > LARGEST_DUTY_BYTES:
            return None
        event = assessment_event.encode_discharge(catalogue, shared, report, position)
        self._store.put_report(key, report, value)
        return event

    def _process_fact(
        self, fact: Fact, catalogue: DutyCatalogue | None, position: LogPosition
    ) -> list[KeyedEvent] | Iterator[KeyedEvent]:
        """Process a fact whose names are resolved, about a duty of *catalogue* if that is in force here."""
        docket = self._store.open_docket(state_store.docket_key_of(fact), fact)
        touched = docket.add(fact)
        if not touched:
            _reject_other_content(fact, docket)
            return []
        added = AddedFact(fact=fact, docket=docket, record=_encode_record(fact, docket))
        duties = self._list_touched_duties(fact, catalogue, docket, touched)
        if len(duties) > 1:
            self._reject_costly(duties, added)
            return self._assess_duties(duties, position, added)
        events = [self._assess_touched(found, duty, position, added) for found, duty in duties]
        self._store.put(fact, docket, added.record)
        return events

    def _list_touched_duties(
        self, fact: Fact, catalogue: DutyCatalogue | None, docket: Docket, touched: frozenset[str | None]
    ) -> list[CataloguedDuty]:
        """Return the duties to assess: of the fact's plan, if it is adopted, and of the plans that carry it over."""
        found: list[CataloguedDuty] = []
        if catalogue is not None:
            periods = self._list_periods(state_store.docket_key_of(fact), docket, touched)
            duties = (catalogue.duty(agency=fact.agency, obligation=fact.obligation, period=one) for one in periods)
            found = [(catalogue, duty) for duty in duties]
        if not isinstance(fact, Decision):
            found.extend(self._list_carrying_duties(fact, _sort_periods(touched)))
        return found

    def _list_carrying_duties(self, fact: Fact, periods: Iterable[str | None]) -> Iterator[CataloguedDuty]:
        """Yield the binding duties of other adopted plans for which a report under the docket of *fact* counts."""
        for catalogue in self._carrying:
            for obligation in catalogue.carries_over.get((fact.plan, fact.obligation), ()):
                for period in periods:
                    duty = catalogue.find_duty(agency=fact.agency, obligation=obligation, period=period)
                    if duty is not None and duty.is_binding:
                        yield catalogue, duty

    def _list_periods(self, key: DocketKey, docket: Docket, touched: frozenset[str | None]) -> list[str | None]:
        """Return the periods to assess; a fact about no one period touches all that are expected or have facts."""
        # Sets of strings have another order in every process. Sorting makes a replay write the same bytes in one order.
        if EVERY_PERIOD not in touched:
            return _sort_periods(touched)
        periods = set(touched | docket.periods) - {EVERY_PERIOD}
        if key[0] in self._in_force:
            expected = self._list_expected(self._in_force[key[0]], self._adoptions[key[0]])
            periods |= {one.period for one in expected if state_store.docket_key_of(one) == key}
        return _sort_periods(periods)

    def _reject_costly(self, duties: Iterable[CataloguedDuty], added: AddedFact) -> None:
        """Raise `Rejection` if the assessments of all *duties* together would read too many facts."""
        count = sum(len(self.facts_bearing_on(duty, added)) for _, duty in duties)
        if count > MOST_FACTS_A_RECORD:
            raise Rejection("costly", f"it has {count:,} facts assessed anew; {MOST_FACTS_A_RECORD:,} is the limit")

    def _assess_duties(
        self, duties: Iterable[CataloguedDuty], position: LogPosition, added: AddedFact
    ) -> Iterator[KeyedEvent]:
        """Yield the assessments of *duties* with the *added* fact, which is kept if none of them fails."""
        total = 0
        for catalogue, duty in duties:
            event = self._assess_touched(catalogue, duty, position, added)
            total += len(event[1])
            if total > LARGEST_EVENTS_BYTES:
                limit = f"{LARGEST_EVENTS_BYTES:,} bytes"
                raise Rejection("oversized", f"its assessments together take more than {limit}")
            yield event
        self._store.put(added.fact, added.docket, added.record)

    def _assess_touched(
        self, catalogue: DutyCatalogue, duty: Duty, position: LogPosition, added: AddedFact
    ) -> KeyedEvent:
        """Return the assessment of a duty that a fact touches; raise `Rejection` if it is beyond the budget."""
        facts = self.facts_bearing_on(duty, added)
        if len(facts) > MOST_FACTS_AN_ASSESSMENT:
            limit = f"{MOST_FACTS_AN_ASSESSMENT:,} is the limit"
            raise Rejection("costly", f"{len(facts):,} facts bear on {duty.key}; {limit}")
        units = duty.requirements.checks_cost * sum(isinstance(one, Submission) for one in facts)
        if units > MOST_CONDITION_UNITS:
            limit = f"{MOST_CONDITION_UNITS:,} is the limit"
            raise Rejection("costly", f"the conditions of {duty.key} take up to {units:,} steps; {limit}")
        try:
            event = assessment_event.encode_assessment(
                catalogue, duty, facts, position=position, largest_bytes=LARGEST_ASSESSMENT_BYTES
            )
        except LargeAssessmentError as cause:
            raise Rejection("oversized", f"{duty.key}: {cause}") from cause
        return duty.key.agency, event

    def _assess_expected(self, catalogue: DutyCatalogue, key: DutyKey, position: LogPosition) -> KeyedEvent:
        duty = catalogue.duty(agency=key.agency, obligation=key.obligation, period=key.period)
        facts = self.facts_bearing_on(duty)
        return key.agency, assessment_event.encode_assessment(catalogue, duty, facts, position=position)

    def _process_adoption(self, adoption: PlanAdopted, position: LogPosition) -> Iterator[KeyedEvent]:
        if adoption.partition != self.partition:
            raise Rejection("misrouted", f"an adoption of partition {adoption.partition} lies in {self.partition}")
        adoptions = {**self._adoptions, adoption.plan: adoption}
        linked = self._catalogues.link_adopted(adoptions.values())
        if adoption.plan not in linked:
            raise UnpublishedAdoption
        if adoption.plan in self._in_force and not is_newer(adoption, self._adoptions[adoption.plan]):
            return  # written again by a restarted owner, or by a replica whose documents lag behind
        for plan in self._list_changed_plans(adoption.plan, linked):
            for key in self._list_duties_to_assess(linked[plan], adoptions[plan]):
                yield self._assess_expected(linked[plan], key, position)
        # From here on the adoption is in force; what was rejected or failed above has changed nothing.
        self._adoptions[adoption.plan] = adoption
        self._put_into_force(linked)
        self._store.put_adoption(adoption)

    def _list_changed_plans(self, adopted: str, linked: Mapping[str, DutyCatalogue]) -> list[str]:
        """Return the plan that is *adopted*, and those in force before or after which it stands now."""
        others = [plan for plan, one in self._in_force.items() if one is not linked.get(plan)]
        return [adopted, *sorted({*others} & linked.keys() - {adopted})]

    def _put_into_force(self, linked: Mapping[str, DutyCatalogue]) -> None:
        self._in_force.update(linked)
        self._carrying = [one for _, one in sorted(linked.items()) if one.carries_over]

    def _list_duties_to_assess(self, catalogue: DutyCatalogue, adoption: PlanAdopted) -> Iterable[DutyKey]:
        """Return the duties to assess anew: after other versions all, after a moved horizon those that it adds.

        Among all are those that were expected before and bind nobody under the new versions.
        """
        expected, before = self._list_expected(catalogue, adoption), self._in_force.get(adoption.plan)
        if before is None:
            return self._list_all_duties(catalogue, expected)
        adopted = self._adoptions[adoption.plan]
        if before is not catalogue:
            return self._list_all_duties(catalogue, expected, dropped=self._list_expected(before, adopted))
        horizon = adopted.horizon.timestamp()
        return (key for key in expected if _opening_timestamp(catalogue, key) >= horizon)

    def _list_all_duties(
        self, catalogue: DutyCatalogue, expected: Sequence[DutyKey], dropped: Sequence[DutyKey] = ()
    ) -> Iterator[DutyKey]:
        """Yield the duties that are *expected*, or were until they were *dropped*, or about which there are facts."""
        for key in dict.fromkeys([*expected, *self._list_reported_duties(catalogue), *dropped]):
            if catalogue.find_duty(agency=key.agency, obligation=key.obligation, period=key.period) is not None:
                yield key

    def _list_expected(self, catalogue: DutyCatalogue, adoption: PlanAdopted) -> Sequence[DutyKey]:
        return self._catalogues.duties_opening_before(adoption.horizon, catalogue, partition=self.partition)

    def _list_reported_duties(self, catalogue: DutyCatalogue) -> Iterator[DutyKey]:
        """Yield the duties about which there are facts, and those for which reports under another plan count."""
        for docket_key in self._store.docket_keys(catalogue.plan.plan):
            yield from self._list_docket_duties(catalogue, docket_key, docket_key[2])
        for (plan, old), obligations in catalogue.carries_over.items():
            for docket_key in self._store.docket_keys(plan):
                if docket_key[2] == old:
                    for obligation in obligations:
                        for key in self._list_docket_duties(catalogue, docket_key, obligation):
                            duty = catalogue.find_duty(agency=key.agency, obligation=key.obligation, period=key.period)
                            if duty is not None and duty.is_binding:
                                yield key

    def _list_docket_duties(
        self, catalogue: DutyCatalogue, docket_key: DocketKey, obligation: str
    ) -> Iterator[DutyKey]:
        for period in _sort_periods(self._store.periods_of(docket_key)):
            yield DutyKey(plan=catalogue.plan.plan, agency=docket_key[1], obligation=obligation, period=period)


def is_newer(adoption: PlanAdopted, than: PlanAdopted) -> bool:
    """Whether *adoption* brings later versions, or the same ones with a later horizon."""
    return _version_order(adoption) > _version_order(than)


def _version_order(adoption: PlanAdopted) -> tuple[int, int, float]:
    return adoption.plan_version, adoption.registry_version, adoption.horizon.timestamp()


def _opening_timestamp(catalogue: DutyCatalogue, key: DutyKey) -> float:
    opens_at = catalogue.duty(agency=key.agency, obligation=key.obligation, period=key.period).opens_at
    return float("-inf") if opens_at is None else opens_at.timestamp()


def _encode_record(fact: Fact, docket: Docket) -> bytes:
    """Return the state record of *fact*, which was added to *docket*; raise `Rejection` if it became too large."""
    facts = docket.facts_of_record(record_period(fact))
    record = state_store.encode_facts(facts)
    if len(facts) > MOST_FACTS_A_DUTY or len(record) > LARGEST_DUTY_BYTES:
        duty = state_store.record_key(state_store.docket_key_of(fact), record_period(fact))
        held = f"{len(facts) - 1} facts; with this one, its record has {len(record):,} bytes"
        raise Rejection("oversized", f"{duty} holds {held}; it takes no more")
    return record


def _reject_other_content(fact: Fact, docket: Docket) -> None:
    """Raise `Rejection` if the known fact with the identity of *fact* says something else.

    Intake keeps (source, id) unique only as far back as it remembers, and others may write to the log.
    """
    known = docket.find(identity(fact))
    if known is not None and not has_same_content(known, fact):
        raise Rejection("conflict", f"another event with the id {fact.id!r} of {fact.source!r} was recorded before it")


def _sort_periods(periods: Iterable[str | None]) -> list[str | None]:
    return sorted(periods, key=lambda period: period or "")
