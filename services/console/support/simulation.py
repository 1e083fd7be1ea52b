"""Simulates the notifier over a span of time without a server, with the functions by which the real notifier decides.

Several plans are simulated side by side: what one recipient gets from all of them at one time is one digest. At each
instant only the facts recorded by then count. What fell due before the span counts as sent.
"""

import heapq
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from schemas.events.deliveries import AttemptOutcome
from schemas.events.ids import DutyKey
from schemas.plan import calendar
from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.console.support import fact_files
from services.console.support.fact_files import DocketName
from services.notifier.consumer import decode_assessment
from services.notifier.core.scheduling import letter_history, officer_digest, routing, schedule
from services.notifier.core.scheduling.letter_history import NO_HISTORY, DutyHistory, LetterHistory, SentAlert
from services.notifier.core.scheduling.officer_digest import OfficerDigest
from services.notifier.core.scheduling.routing import ContactBook, Digest, OfficerWeek
from services.notifier.core.scheduling.schedule import AlertSchedule, SendingHours
from services.notifier.core.scheduling.scheduled_alert import ScheduledAlert
from services.rules.assessment_event import LogPosition, encode_assessment
from services.rules.core.duty_catalogue import DutyCatalogue
from services.rules.core.facts import EVERY_PERIOD, Decision, Docket, Fact

_INSTANT = timedelta(microseconds=1)
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationDocuments:
    """The one version of each plan and registry of a simulation with its sending hours, in the notifier's form."""

    catalogues: Mapping[str, DutyCatalogue]
    opens: time
    closes: time

    def plan(self, plan_id: str, version: int) -> Plan:
        del version
        return self.catalogues[plan_id].plan

    def registry(self, registry_id: str, version: int) -> Registry:
        del version
        return next(one.registry for one in self.catalogues.values() if one.registry.registry == registry_id)

    def hours(self, plan_id: str, version: int) -> SendingHours:
        del version
        days = self.catalogues[plan_id].calendar.working_days
        return SendingHours(opens=self.opens, closes=self.closes, zone=self.zone(plan_id), days=days)

    def zone(self, plan_id: str) -> ZoneInfo:
        """Return the time zone of a plan."""
        return self.catalogues[plan_id].calendar.zone


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedAlert:
    """A digest, the instant at which it would go out, and what its letter tells of those before it."""

    at: datetime
    digest: Digest
    history: LetterHistory = NO_HISTORY


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedDigest:
    """The digest that the officer of a plan would get at an instant, if an e-mail address is set for one."""

    at: datetime
    digest: OfficerDigest


class Simulation:
    """Advances from one fact or due alert to the next, and yields what would be sent.

    With *writes_digests* what it has passed of the officers' weekly digests is in `digests`; it is no alert of a duty.
    """

    def __init__(self, documents: SimulationDocuments, contacts: ContactBook, *, writes_digests: bool = False) -> None:
        self.digests: list[SimulatedDigest] = []
        self._writes_digests = writes_digests
        self._mornings: deque[tuple[datetime, OfficerWeek]] = deque()
        self._documents = documents
        self._contacts = contacts
        self._dockets: dict[DocketName, Docket] = {}
        self._schedules: dict[DutyKey, AlertSchedule] = {}
        self._queue: list[tuple[datetime, str, DutyKey]] = []
        self._offset = 0
        self._sent: dict[str, list[SentAlert]] = {}

    def run(self, facts: Iterable[Fact], *, since: datetime, until: datetime) -> Iterator[SimulatedAlert]:
        """Yield the alerts that would be sent in [since, until), in order."""
        # The sort is stable: facts recorded in the same millisecond keep the order of the log.
        log = sorted(facts, key=lambda fact: fact.recorded_at)
        if self._writes_digests:
            self._mornings.extend(sorted(self._list_mornings(since, until), key=lambda one: (one[0], one[1].plan)))
        past = [fact for fact in log if fact.recorded_at < since]
        self._load_past(past, since=since, until=until)
        for fact in log[len(past) :]:
            if fact.recorded_at >= until:
                break
            yield from self._send_until(fact.recorded_at)
            self._apply_fact(fact)
        yield from self._send_until(until)

    def _load_past(self, past: Iterable[Fact], *, since: datetime, until: datetime) -> None:
        """Assess every duty from the facts before *since*, and skip the alerts that fell due before it."""
        for fact in past:
            self._docket_of(fact).add(fact)
        for catalogue in self._documents.catalogues.values():
            issued_at = calendar.midnight(catalogue.plan.issued_on, catalogue.calendar.zone)
            for key in {*_list_reminded_duties(catalogue, until), *self._list_reported_duties(catalogue)}:
                self._assess(key, issued_at)
                known = self._schedules.get(key)
                if known is not None:
                    self._replace(schedule.skip_before(known, self._hours_of(key), since))

    def _list_reported_duties(self, catalogue: DutyCatalogue) -> Iterator[DutyKey]:
        """Yield the duties of a plan about which there are facts, also reports carried over to it."""
        for (plan, agency, obligation), docket in self._dockets.items():
            named = (obligation,) if plan == catalogue.plan.plan else catalogue.carries_over.get((plan, obligation), ())
            for one in named:
                for period in docket.periods:
                    yield DutyKey(plan=catalogue.plan.plan, agency=agency, obligation=one, period=period)

    def _apply_fact(self, fact: Fact) -> None:
        """Add *fact* to its docket and assess every period that it bears on, under each plan that it counts for.

        A fact about every period, such as an exemption, bears on all periods that were assessed before.
        """
        touched = self._docket_of(fact).add(fact)
        docket = fact.plan, fact.agency, fact.obligation
        known = {key.period for key in self._schedules if (key.plan, key.agency, key.obligation) == docket}
        obligations = [(fact.plan, fact.obligation)]
        if not isinstance(fact, Decision):
            obligations += [
                (plan, obligation)
                for plan, catalogue in self._documents.catalogues.items()
                for obligation in catalogue.carries_over.get((fact.plan, fact.obligation), ())
            ]
        for period in (touched | known if EVERY_PERIOD in touched else touched) - {EVERY_PERIOD}:
            for plan, obligation in obligations:
                key = DutyKey(plan=plan, agency=fact.agency, obligation=obligation, period=period)
                self._assess(key, fact.recorded_at)

    def _assess(self, key: DutyKey, now: datetime) -> None:
        """Assess a duty as rules does and schedule its alerts; a key that names no duty of the plans is ignored."""
        catalogue = self._documents.catalogues.get(key.plan)
        duty = None
        if catalogue is not None:
            duty = catalogue.find_duty(agency=key.agency, obligation=key.obligation, period=key.period)
        if catalogue is None or duty is None:
            return
        self._offset += 1
        facts = tuple(fact_files.select_facts(self._dockets, duty))
        position = LogPosition(offset=self._offset, recorded_at=now)
        assessment = decode_assessment(encode_assessment(catalogue, duty, facts, position=position))
        if assessment is not None:
            known, hours = self._schedules.get(key), self._hours_of(key)
            self._replace(schedule.follow_assessment(known, assessment, hours, now=now, lookback=timedelta()))

    def _replace(self, known: AlertSchedule) -> None:
        """Put *known* in the place of the schedule of its duty."""
        # The entry that the heap may hold for the former schedule stays: removing it would cost a search of the heap.
        self._schedules[known.duty] = known
        if known.next_at is not None:
            heapq.heappush(self._queue, (known.next_at, str(known.duty), known.duty))

    def _send_until(self, until: datetime) -> Iterator[SimulatedAlert]:
        while self._queue and self._queue[0][0] < until:
            now = self._queue[0][0]
            self._write_digests(now + _INSTANT)
            popped = [self._retry_unreached(known, now) for known in self._pop_due(now)]
            due = [known for known in popped if known.next_at is not None and known.next_at <= now]
            claims = [schedule.take_due(known, self._hours_of(known.duty), now) for known in due]
            for _, after in claims:
                self._replace(after)
            alerts = [after.with_duty(alert) for claimed, after in claims for alert in claimed]
            for one in routing.collect_digests(alerts, self._documents, self._contacts, now):
                if not one.contacts:
                    self._return_unreached(one, now)
                yield SimulatedAlert(at=now, digest=one, history=self._tell_past(one, now))
                self._remember(one, now)
        self._write_digests(until)

    def _list_mornings(self, since: datetime, until: datetime) -> Iterator[tuple[datetime, OfficerWeek]]:
        """Yield when the first sending hours of each week within [since, until) open, for each plan."""
        for plan in self._documents.catalogues:
            hours = self._documents.hours(plan, 0)
            monday = officer_digest.find_monday(since, hours.zone)
            while (begins_at := calendar.midnight(monday, hours.zone)) < until:
                opens_at, following = hours.next_open(begins_at), monday + _WEEK
                if since <= opens_at < min(until, calendar.midnight(following, hours.zone)):
                    yield opens_at, OfficerWeek(plan=plan, monday=monday)
                monday = following

    def _write_digests(self, until: datetime) -> None:
        """Write the officers' digests of before *until*, ahead of the alerts of the same morning, which they announce.

        Nothing is held back in a simulation, and no address is suspended.
        """
        while self._mornings and self._mornings[0][0] < until:
            now, week = self._mornings.popleft()
            known = [one for duty, one in self._schedules.items() if duty.plan == week.plan]
            hours = self._documents.hours(week.plan, 0)
            sent = {str(one.duty): DutyHistory(sent=tuple(self._sent.get(str(one.duty), ()))) for one in known}
            history = LetterHistory(duties=sent, counts={})
            found = officer_digest.write_digest(week, known, hours, now=now, history=history)
            if found is not None:
                today = now.astimezone(hours.zone).date()
                whole = officer_digest.complete_digest(found, self._contacts, (), now=now, today=today)
                self.digests.append(SimulatedDigest(at=now, digest=whole))

    def _tell_past(self, one: Digest, now: datetime) -> LetterHistory:
        """Return what the notifier's ledger would say of the duties of a digest, had everything arrived."""
        counted = {
            (alert.duty.plan, alert.duty.obligation, alert.duty.period) for alert in one.alerts if one.is_to_superior
        }
        counts = {
            key: letter_history.count_reports(
                [known for duty, known in self._schedules.items() if (duty.plan, duty.obligation, duty.period) == key],
                now,
            )
            for key in counted
        }
        duties = {str(alert.duty): DutyHistory(sent=tuple(self._sent.get(str(alert.duty), ()))) for alert in one.alerts}
        return LetterHistory(duties=duties, counts=counts)

    def _remember(self, one: Digest, now: datetime) -> None:
        outcome = AttemptOutcome.ACCEPTED if one.contacts else AttemptOutcome.UNREACHABLE
        for told in one.alerts:
            alert = told.alert
            self._sent.setdefault(str(told.duty), []).append(
                SentAlert(kind=alert.kind, step=alert.label, to=alert.to, due_at=alert.due_at, outcome=outcome, at=now)
            )

    def _return_unreached(self, unreached: Digest, now: datetime) -> None:
        """Keep alerts that reach nobody until the next contact of their recipient holds, as the notifier does."""
        zone = self._documents.zone(unreached.lead.duty.plan)
        day = self._contacts.find_next_start(unreached.to_agency, now.astimezone(zone).date())
        if day is None:
            return
        for one in unreached.alerts:
            known = schedule.return_unreached(self._schedules[one.duty], [one.alert])
            self._replace(known)
            heapq.heappush(self._queue, (calendar.midnight(day, zone), str(one.duty), one.duty))

    def _retry_unreached(self, known: AlertSchedule, now: datetime) -> AlertSchedule:
        if not known.unreached:
            return known
        hours, agency = self._hours_of(known.duty), known.duty.agency
        day, registry = now.astimezone(hours.zone).date(), self._documents.catalogues[known.duty.plan].registry

        def is_reached(alert: ScheduledAlert) -> bool:
            called_on = alert.at.astimezone(hours.zone).date()
            recipient = routing.resolve_recipient(alert.to, agency, registry, on=called_on)
            return bool(self._contacts.find_reachable(recipient, day))

        after = schedule.retry_unreached(known, is_reached, hours, now)
        self._replace(after)
        return after

    def _pop_due(self, now: datetime) -> Iterator[AlertSchedule]:
        """Pop the duties from the heap that may be due at *now*, each once.

        An entry is stale where its duty was scheduled anew since; the caller looks at the present `next_at`.
        """
        keys: dict[DutyKey, None] = {}
        while self._queue and self._queue[0][0] <= now:
            keys[heapq.heappop(self._queue)[2]] = None
        return (self._schedules[key] for key in keys)

    def _docket_of(self, fact: Fact) -> Docket:
        return self._dockets.setdefault((fact.plan, fact.agency, fact.obligation), Docket())

    def _hours_of(self, duty: DutyKey) -> SendingHours:
        return self._documents.hours(duty.plan, 0)


def _list_reminded_duties(catalogue: DutyCatalogue, until: datetime) -> Iterator[DutyKey]:
    """Yield the duties that call for alerts even if nothing is ever reported."""
    obligations = {
        one.id for one in catalogue.plan.obligations if any(not each.reminders.is_empty for each in one.versions)
    }
    return (key for key in catalogue.duties_opening_before(until) if key.obligation in obligations)


def count_unreachable(alerts: Iterable[SimulatedAlert]) -> Mapping[str, int]:
    """Count the alerts that would reach nobody, by the agency or list they are meant for."""
    counts: dict[str, int] = {}
    for one in alerts:
        if not one.digest.contacts:
            counts[one.digest.to_agency] = counts.get(one.digest.to_agency, 0) + 1
    return counts
