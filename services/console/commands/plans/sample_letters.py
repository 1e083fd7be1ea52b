"""Sample letters of a plan: each kind as one of its agencies would get it, with invented events. Nothing is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec

from schemas.events.assessments import StepKind
from schemas.events.deliveries import AttemptOutcome
from schemas.events.wire import WireNotice
from schemas.plan.plan import PARENT
from services.console.commands.plans import sample_digest
from services.console.commands.plans.sample_digest import SampleDigest
from services.notifier.core.rendering.render import Occasion
from services.notifier.core.scheduling.letter_history import DutyHistory, LetterHistory, ReportTally, SentAlert
from services.notifier.core.scheduling.routing import SELF
from services.notifier.core.scheduling.scheduled_alert import RETURNED, Correction, DutyAlert, ScheduledAlert
from services.rules.core.duty import Duty
from services.rules.core.duty_catalogue import DutyCatalogue

_DAY = timedelta(days=1)
_MORNING = timedelta(hours=7, minutes=30)
_LISTED = 4  # agencies in the sample of a list
_PAST = ("reminded", "urged")

_LIST = "list"
_URGED_OFTEN = {"urged": 3}

# A duty, what is told of it, to whom, and the values of the alert; `reminded` and `urged` count what went before.
SampleEvent = tuple[Duty, StepKind, str, Mapping[str, Any]]


class LetterKind(StrEnum):
    """The kinds of letters, as `dondoc preview` names them (contract section 1)."""

    REMINDER = "reminder"
    URGING = "urging"
    INCOMPLETE = "incomplete"
    RETURNED = "returned"
    RECEIVED = "received"
    EXTENSION = "extension"
    EXEMPTION = "exemption"
    SUCCESSION = "succession"
    ESCALATION = "escalation"
    OVERDUE_LIST = "overdue-list"
    OFFICER_DIGEST = "officer-digest"
    SEASON_OPENING = "season-opening"


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleLetter:
    """One letter: who reads it, what it is about, and on which occasion."""

    to_agency: str
    alerts: tuple[DutyAlert, ...]
    occasion: Occasion


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterSampler:
    """Invents what happens to the duties of one obligation and period; the first of *duties* is the agency's own."""

    catalogue: DutyCatalogue
    duties: tuple[Duty, ...]
    due_at: datetime

    def write(self, kind: LetterKind) -> SampleLetter:
        """Return the letter of a kind, to the agency itself or, where the kind is told to others, to them.

        The officer's digest is about no alert: `write_digest` returns it.
        """
        own = self.duties[0]
        match kind:
            case LetterKind.ESCALATION:
                return self._write(PARENT, [(own, StepKind.ESCALATION, PARENT, {"urged": 2})], 7)
            case LetterKind.OVERDUE_LIST:
                listed = self.duties[:_LISTED]
                told = [(one, StepKind.ESCALATION, _LIST, _URGED_OFTEN) for one in listed]
                return self._write(_LIST, told, 14)
            case _:
                step, days, given = self._invent(kind)
                return self._write(own.key.agency, [(own, step, SELF, given)], days)

    def write_digest(self) -> SampleDigest:
        """Return the weekly digest to the plan's officer."""
        return sample_digest.invent_digest(self.catalogue, self.duties, self.due_at, self._list_missing())

    def _invent(self, kind: LetterKind) -> tuple[StepKind, float, dict[str, Any]]:
        """Return what happens, how many days after the deadline, and the values of the alert."""
        decision = WireNotice(decision="…/QĐ-…", decided_on=self._morning(-20).date(), reason="…")
        heirs = tuple(one.key.agency for one in self.duties[1:2])
        invented: dict[LetterKind, tuple[StepKind, float, dict[str, Any]]] = {
            LetterKind.SEASON_OPENING: (StepKind.OPENING, -60, {}),
            LetterKind.REMINDER: (StepKind.REMINDER, -31, {}),
            LetterKind.URGING: (StepKind.URGING, 7, {"urged": 2}),
            LetterKind.INCOMPLETE: (StepKind.INCOMPLETE, -6, {"missing": self._list_missing()}),
            LetterKind.RETURNED: (
                StepKind.RETURNED,
                1,
                {
                    "missing": (RETURNED,),
                    "correction": Correction(submission="…", reason="…", respond_by=self.due_at + 10 * _DAY),
                },
            ),
            LetterKind.RECEIVED: (
                StepKind.RECEIVED,
                -2,
                {"notice": WireNotice(document="…/BC-…", effective_at=self.due_at - 2 * _DAY)},
            ),
            LetterKind.EXTENSION: (
                StepKind.EXTENSION,
                -10,
                {"notice": msgspec.structs.replace(decision, former_due_at=self.due_at - 7 * _DAY)},
            ),
            LetterKind.EXEMPTION: (
                StepKind.EXEMPTION,
                -10,
                {
                    "notice": msgspec.structs.replace(
                        decision, exempt_from=self.due_at - 30 * _DAY, exempt_until=self.due_at + _DAY
                    )
                },
            ),
            LetterKind.SUCCESSION: (StepKind.SUCCESSION, -40, {"notice": WireNotice(heirs=heirs)}),
        }
        return invented[kind]

    def _write(self, to: str, told: Sequence[SampleEvent], days: float) -> SampleLetter:
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
