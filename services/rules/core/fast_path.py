"""A fast path past the full assessment, for a duty without facts or with one complete report of its own.

Nearly all duties are like that. Until its report such a duty is assessed as if there were no facts, and that outcome is
the same for all agencies that owe the same; from the report on it is discharged, and the assessment is cut from a
template (`services.rules.assessment_event`). Every other duty takes the full path through `assess` and `plan_alerts`,
which alone define what a status means. Property tests hold both paths to the same bytes.
"""

from bisect import bisect_left
from collections.abc import Callable, Hashable, Sequence
from datetime import datetime
from functools import cached_property

import msgspec

from schemas.events.ids import DutyKey
from schemas.events.wire import WireSegment, WireStep
from schemas.plan.plan import Notice
from services.rules.core import completeness
from services.rules.core.alerts import find_end_of_urging, plan_alerts
from services.rules.core.assess import assess
from services.rules.core.duty import Duty
from services.rules.core.facts import Fact, Submission
from services.rules.core.submissions.filings import effective_at, is_dispatch_unproven

# Which reports that discharge a duty have alike outcomes: those between the same two instants at which the outcome
# without facts changes, on the same side of due, and with the same properties that become flags.
DischargeKind = tuple[int, bool, bool, bool]

# The texts between the places in which alike reports differ, and what puts the values and them into their order.
DischargeTemplate = tuple[tuple[bytes, ...], Callable[[tuple[bytes, ...]], tuple[bytes, ...]]]


class DutyOutcome(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What an assessment of a duty publishes: its timeline and the alerts it calls for."""

    timeline: tuple[WireSegment, ...]
    alerts: tuple[WireStep, ...]


class OutcomeWithoutFacts:
    """The outcome of a duty while nothing is filed, and by kind the templates of what it is once a report came."""

    __slots__ = ("_turns", "outcome", "templates")

    def __init__(self, duty: Duty) -> None:
        self.outcome = compute_outcome(duty, ())
        self.templates: dict[DischargeKind, DischargeTemplate] = {}
        alerts = self.outcome.alerts
        turns = {*[one.starts_at for one in self.outcome.timeline], *[one.at for one in alerts]}
        self._turns = sorted(turns.union([one.until for one in alerts if one.until is not None]))

    def classify(self, duty: Duty, report: Submission) -> tuple[datetime, DischargeKind]:
        """Return since when *report* discharges *duty*, one with this outcome, and its kind."""
        since, due_at = effective_at(duty, report), duty.due_at
        is_late = due_at is not None and since >= due_at
        is_unproven = is_dispatch_unproven(duty, report)
        return since, (bisect_left(self._turns, since), is_late, report.report.is_nil_return, is_unproven)


class SharedDuty:
    """A duty as it is for all agencies that are bound alike: `duty` is that of one of them.

    `is_usual` says that one complete report of the agency's own discharges it for ever, and `tells_receipt` that who
    filed it is told of its receipt.
    """

    def __init__(self, duty: Duty, cached: dict[Hashable, OutcomeWithoutFacts]) -> None:
        """Take the outcome without facts from those *cached* of other duties, or add it to them."""
        self.duty = duty
        self.is_usual = is_usual(duty)
        self.tells_receipt = duty.version is not None and Notice.RECEIVED in duty.version.reminders.notices
        self._cached = cached

    @cached_property
    def without_facts(self) -> OutcomeWithoutFacts:
        """The outcome while nothing is filed; agencies that are bound differently may have the same."""
        cache_key = _describe_outcome(self.duty)
        if cache_key not in self._cached:
            self._cached[cache_key] = OutcomeWithoutFacts(self.duty)
        return self._cached[cache_key]

    def key_of(self, agency: str) -> DutyKey:
        """Return the key of the duty of *agency*, which is bound like all that share this one."""
        key = self.duty.key
        return DutyKey(plan=key.plan, agency=agency, obligation=key.obligation, period=key.period)

    def duty_of(self, agency: str) -> Duty:
        """Return the duty of *agency*, which is bound like all that share this one."""
        if agency == self.duty.key.agency:
            return self.duty
        return msgspec.structs.replace(self.duty, key=self.key_of(agency))

    def is_discharged_by(self, report: Fact) -> bool:
        """Whether *report*, the only fact of its docket about this period, is complete, own and no correction."""
        return (
            self.is_usual
            and isinstance(report, Submission)
            and report.filed_by == report.agency
            and report.corrects is None
            and report.period == self.duty.key.period
            and not completeness.find_missing(self.duty.requirements, report.report)
        )


def is_usual(duty: Duty) -> bool:
    """Whether nothing but facts ends *duty*, and only reports under its own name count for it."""
    return (
        duty.opens_at is not None
        # The agency exists until the duty is due: its end then changes nothing (ruling 7).
        and (duty.agency_ends_at is None or (duty.due_at is not None and duty.due_at <= duty.agency_ends_at))
        and duty.left_group_at is None
        and duty.superseded_at is None
        and not duty.is_untracked
        and not duty.carried_from
    )


def compute_outcome(duty: Duty, facts: Sequence[Fact]) -> DutyOutcome:
    """Return the outcome of *duty* by the full path."""
    assessment = assess(duty, facts)
    return DutyOutcome(timeline=assessment.timeline, alerts=plan_alerts(assessment))


def _ends_while_asked(duty: Duty) -> bool:
    """Whether the agency ends before it would have been urged for the last time."""
    if duty.agency_ends_at is None or duty.due_at is None:
        return duty.agency_ends_at is not None
    return duty.agency_ends_at <= find_end_of_urging(duty, duty.due_at)


def _describe_outcome(duty: Duty) -> Hashable:
    """Return what the outcome of *duty* without facts depends on, among the duties of one catalogue."""
    return (
        duty.key.obligation,
        duty.key.period,
        duty.opens_at,
        (duty.agency_ends_at, duty.heirs, duty.addressed_successors) if _ends_while_asked(duty) else None,
        duty.left_group_at,
        duty.superiors,
        # An agency that co-operates in its own report gets no copies of the alerts that it gets anyway.
        any(one.agency == duty.key.agency for one in duty.co_operators),
    )
