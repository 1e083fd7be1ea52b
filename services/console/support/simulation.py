"""A rehearsal: what the notifier would send over a span of time, from the functions that send it, and no server.

As known then: at each instant only the facts recorded by then count. What was to be said before the span counts as
said.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from schemas.events.ids import DutyKey
from schemas.plan.plan import Plan, Reminders
from schemas.plan.registry import Registry
from services.notifier.consumer import decode_assessment
from services.notifier.core.scheduling import digest, schedule
from services.notifier.core.scheduling.digest import Digest
from services.notifier.core.scheduling.quiet_hours import SendingHours
from services.notifier.core.scheduling.routing import ContactBook
from services.notifier.core.scheduling.schedule import AlertSchedule
from services.rules.assessment_event import Applied, verdict
from services.rules.core import calendar
from services.rules.core.docket import EVERY_PERIOD, Docket
from services.rules.core.duty_catalogue import Book, UnknownDuty
from services.rules.core.facts import Fact

NO_REMINDERS = Reminders()


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """One plan and one registry version as the notifier asks for them, with the sending hours."""

    book: Book
    opens: time
    closes: time

    def plan(self, plan_id: str, version: int) -> Plan:
        del plan_id, version
        return self.book.plan

    def registry(self, registry_id: str, version: int) -> Registry:
        del registry_id, version
        return self.book.registry

    def hours(self, plan_id: str, version: int) -> SendingHours:
        del plan_id, version
        return SendingHours(opens=self.opens, closes=self.closes, zone=self.book.calendar.zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A digest and the instant at which it would go out."""

    at: datetime
    digest: Digest


class Rehearsal:
    """Plays the facts and the clock from one instant to another."""

    def __init__(self, files: Files, contacts: ContactBook) -> None:
        self._files = files
        self._hours = files.hours("", 0)
        self._contacts = contacts
        self._dockets: dict[tuple[str, str], Docket] = {}
        self._schedules: dict[DutyKey, AlertSchedule] = {}
        self._coming: list[tuple[datetime, str, DutyKey]] = []
        self._applied = 0

    def play(self, facts: Iterable[Fact], *, since: datetime, until: datetime) -> Iterator[Sent]:
        """Yield what would be sent in [since, until), in order."""
        log = sorted(facts, key=lambda fact: fact.recorded_at)
        past = [fact for fact in log if fact.recorded_at < since]
        self._begin(past, since=since, until=until)
        for fact in log[len(past) :]:
            if fact.recorded_at >= until:
                break
            yield from self._sent_before(fact.recorded_at)
            self._learn(fact)
        yield from self._sent_before(until)

    def _begin(self, past: Iterable[Fact], *, since: datetime, until: datetime) -> None:
        for fact in past:
            self._docket(fact.agency, fact.obligation).add(fact)
        issued_at = calendar.midnight(self._files.book.plan.issued_on, self._hours.zone)
        filed = {
            DutyKey(plan=self._files.book.plan.plan, agency=agency, obligation=obligation, period=period)
            for (agency, obligation), docket in self._dockets.items()
            for period in docket.periods
        }
        for key in {*self._reminded(until), *filed}:
            self._assess(key, issued_at)
            self._keep(schedule.skip_before(self._schedules[key], self._hours, since))

    def _reminded(self, until: datetime) -> Iterator[DutyKey]:
        """Yield the duties that call for alerts without any report: those of obligations with reminders."""
        reminded = {
            one.id
            for one in self._files.book.plan.obligations
            if any(v.reminders != NO_REMINDERS for v in one.versions)
        }
        return (key for key in self._files.book.expected(until) if key.obligation in reminded)

    def _learn(self, fact: Fact) -> None:
        touched = self._docket(fact.agency, fact.obligation).add(fact)
        known = {
            key.period for key in self._schedules if (key.agency, key.obligation) == (fact.agency, fact.obligation)
        }
        for period in (touched | known if EVERY_PERIOD in touched else touched) - {EVERY_PERIOD}:
            key = DutyKey(plan=fact.plan, agency=fact.agency, obligation=fact.obligation, period=period)
            self._assess(key, fact.recorded_at)

    def _assess(self, key: DutyKey, now: datetime) -> None:
        """Follow the assessment of a duty as rules would tell it; of no duty there is nothing to tell."""
        book = self._files.book
        try:
            duty = book.duty(agency=key.agency, obligation=key.obligation, period=key.period)
        except UnknownDuty:
            return
        self._applied += 1
        applied = Applied(offset=self._applied, recorded_at=now)
        assessment = decode_assessment(
            verdict(book, duty, tuple(self._docket(key.agency, key.obligation)), applied=applied)
        )
        if assessment is not None:
            known = self._schedules.get(key)
            self._keep(schedule.follow_assessment(known, assessment, self._hours, now=now, lookback=timedelta()))

    def _keep(self, known: AlertSchedule) -> None:
        self._schedules[known.duty] = known
        if known.next_at is not None:
            heapq.heappush(self._coming, (known.next_at, str(known.duty), known.duty))

    def _sent_before(self, until: datetime) -> Iterator[Sent]:
        while self._coming and self._coming[0][0] < until:
            now = self._coming[0][0]
            due = [known for known in self._due(now) if known.next_at is not None and known.next_at <= now]
            taken = [schedule.take_due(known, self._hours, now) for known in due]
            for _, after in taken:
                self._keep(after)
            alerts = [after.with_duty(alert) for taken_alerts, after in taken for alert in taken_alerts]
            for one in digest.collect_digests(alerts, self._files, self._contacts, now):
                yield Sent(at=now, digest=one)

    def _due(self, now: datetime) -> Iterator[AlertSchedule]:
        """Take the duties off the heap that may be due at *now*, each once; an entry may have been overtaken."""
        keys: dict[DutyKey, None] = {}
        while self._coming and self._coming[0][0] <= now:
            keys[heapq.heappop(self._coming)[2]] = None
        return (self._schedules[key] for key in keys)

    def _docket(self, agency: str, obligation: str) -> Docket:
        return self._dockets.setdefault((agency, obligation), Docket())


def unreachable(sent: Iterable[Sent]) -> Mapping[str, int]:
    """Count the alerts that would reach nobody, by the agency or list they are meant for."""
    silent: dict[str, int] = {}
    for one in sent:
        if not one.digest.contacts:
            silent[one.digest.to_agency] = silent.get(one.digest.to_agency, 0) + 1
    return silent
