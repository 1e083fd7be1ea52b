"""Sample letters of a plan: each kind as one of its agencies would get it, with invented events. Nothing is sent."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from schemas.events.assessments import StepKind
from schemas.events.deliveries import AttemptOutcome
from schemas.events.wire import WireNotice
from schemas.plan.plan import PARENT
from services.notifier.core.rendering.render import Occasion
from services.notifier.core.scheduling.routing import SELF
from services.notifier.core.scheduling.scheduled_alert import RETURNED, Correction, DutyAlert, ScheduledAlert
from services.notifier.core.scheduling.sent_alerts import DutyHistory, LetterHistory, ReportTally, SentAlert
from services.rules.core.duty import Duty
from services.rules.core.duty_catalogue import DutyCatalogue

_DAY = timedelta(days=1)
_MORNING = timedelta(hours=7, minutes=30)
_LISTED = 4  # agencies in the sample of a list
_PAST = ("reminded", "urged")

# A duty, what is told of it, to whom, and the values of the alert; `reminded` and `urged` count what went before.
SampleEvent = tuple[Duty, StepKind, str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleLetter:
    """One letter: the name of its file, who reads it, what it is about, and on which occasion."""

    name: str
    to_agency: str
    alerts: tuple[DutyAlert, ...]
    occasion: Occasion


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterSampler:
    """Invents what happens to the duties of one obligation and period; the first of *duties* is the agency's own."""

    catalogue: DutyCatalogue
    duties: tuple[Duty, ...]
    due_at: datetime

    def list_letters(self) -> Iterator[SampleLetter]:
        """Yield each kind of letter."""
        own = self.duties[0].key.agency
        decision = WireNotice(decision="…/QĐ-…", decided_on=self._morning(-20).date(), reason="…")
        notice = msgspec.structs.replace(decision, former_due_at=self.due_at - 7 * _DAY)
        exempt = msgspec.structs.replace(decision, exempt_from=self.due_at - 30 * _DAY, exempt_until=self.due_at + _DAY)
        returned = Correction(submission="…", reason="…", respond_by=self.due_at + 10 * _DAY)
        received = WireNotice(document="…/BC-…", effective_at=self.due_at - 2 * _DAY)
        missing = self._list_missing()
        kinds: tuple[tuple[str, StepKind, float, dict[str, Any]], ...] = (
            ("01-opening", StepKind.OPENING, -60, {}),
            ("02-first-reminder", StepKind.REMINDER, -31, {}),
            ("03-last-reminder", StepKind.REMINDER, -1, {"reminded": 3}),
            ("04-first-urging", StepKind.URGING, 0, {"reminded": 4}),
            ("05-third-urging", StepKind.URGING, 7, {"urged": 2}),
            ("06-incomplete", StepKind.INCOMPLETE, -6, {"missing": missing}),
            ("07-urging-of-an-incomplete-report", StepKind.URGING, 3, {"missing": missing, "urged": 1}),
            ("08-returned", StepKind.RETURNED, 1, {"missing": (RETURNED,), "correction": returned}),
            ("09-received", StepKind.RECEIVED, -2, {"notice": received}),
            ("10-extension", StepKind.EXTENSION, -10, {"notice": notice}),
            ("11-exemption", StepKind.EXEMPTION, -10, {"notice": exempt}),
        )
        for name, kind, days, given in kinds:
            yield self._write(name, own, [(self.duties[0], kind, SELF, given)], days)
        yield self._write("12-escalation", PARENT, [(self.duties[0], StepKind.ESCALATION, PARENT, {"urged": 2})], 7)
        listed: list[SampleEvent] = [(one, StepKind.ESCALATION, "list", {"urged": 3}) for one in self.duties[:_LISTED]]
        yield self._write("13-overdue-list", "list", listed, 14)
        several: list[SampleEvent] = [
            (self.duties[0], StepKind.URGING, SELF, {"urged": 1}),
            (self.duties[0], StepKind.INCOMPLETE, SELF, {"missing": missing}),
        ]
        yield self._write("14-several-reports", own, several, 1)

    def _write(self, name: str, to: str, told: Sequence[SampleEvent], days: float) -> SampleLetter:
        now = self._morning(days)
        alerts, histories = [], {}
        for duty, kind, recipient, given in told:
            past = {name: given[name] for name in _PAST if name in given}
            alert = self._call(duty, kind, recipient, now, {name: given[name] for name in given if name not in _PAST})
            alerts.append(alert)
            histories[str(alert.duty)] = self._tell_past(past, now)
        tally = ReportTally(expected=len(self.duties), complete=max(len(self.duties) - len(told), 0))
        key = (alerts[0].duty.plan, alerts[0].duty.obligation, alerts[0].duty.period)
        history = LetterHistory(duties=histories, counts={key: tally})
        agency = told[0][0].key.agency
        reader = self.catalogue.registry.parent_on(agency, now.date()) if to == PARENT else to
        return SampleLetter(
            name=name,
            to_agency=reader or to,
            alerts=tuple(alerts),
            occasion=Occasion(now=now, history=history, delivery="0" * 40),
        )

    def _call(self, duty: Duty, kind: StepKind, to: str, now: datetime, given: Mapping[str, Any]) -> DutyAlert:
        registry = self.catalogue.registry
        return DutyAlert(
            duty=duty.key,
            plan_version=self.catalogue.plan.version,
            registry=registry.registry,
            registry_version=registry.version,
            clause=duty.obligation.citation.clause,
            alert=ScheduledAlert(
                kind=kind, step="P0D", at=now, send_at=now, first_at=now, due_at=self.due_at, to=to, **given
            ),
        )

    def _tell_past(self, past: Mapping[str, int], now: datetime) -> DutyHistory:
        sent = [
            SentAlert(
                kind=kind,
                step=f"P{number}D",
                to=SELF,
                due_at=self.due_at,
                outcome=AttemptOutcome.ACCEPTED,
                at=now - (count - number + 1) * 3 * _DAY,
            )
            for kind, count in ((StepKind.REMINDER, past.get("reminded", 0)), (StepKind.URGING, past.get("urged", 0)))
            for number in range(1, count + 1)
        ]
        return DutyHistory(sent=tuple(sent))

    def _list_missing(self) -> tuple[str, ...]:
        version = self.duties[0].version
        requires = version.requires if version else None
        if requires is None:
            return ()
        named = [f"indicators.{one.code}" for one in requires.indicators]
        if requires.attachments.min:
            named.append("attachments")
        if requires.signed:
            named.append("signed")
        return tuple(named) or tuple(f"sections.{one.id}" for one in requires.sections)

    def _morning(self, days: float) -> datetime:
        zone = self.duties[0].zone
        local = (self.due_at + timedelta(days=days)).astimezone(zone)
        return local.replace(hour=0, minute=0, second=0, microsecond=0) + _MORNING
