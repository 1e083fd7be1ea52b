"""A fast path past the full assessment, for a duty without facts or with one complete report of its own.

Nearly all duties are like that. Until its report such a duty is assessed as if there were no facts, and that outcome is
the same for all agencies that owe the same; from the report on it is discharged. Every other duty takes the full path
through `assess` and `plan_alerts`, which alone define what a status means. Property tests hold both paths to the same
bytes.
"""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime

import msgspec

from schemas.events.ids import DutyKey
from schemas.events.wire import WireSegment, WireStep
from schemas.plan.plan import Notice
from services.rules.core import completeness, notices
from services.rules.core.agencies import Superior
from services.rules.core.alerts import plan_alerts
from services.rules.core.assess import assess, decide_complete_status, refer_to
from services.rules.core.duty import Duty
from services.rules.core.facts import Fact, Submission
from services.rules.core.submissions.filings import effective_at, is_dispatch_unproven


class DutyOutcome(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What an assessment of a duty publishes: its timeline and the alerts it calls for."""

    timeline: tuple[WireSegment, ...]
    alerts: tuple[WireStep, ...]


# Which of the reports that discharge a duty have alike outcomes: those between the same two instants at which the
# outcome without facts changes, on the same side of due, and with the same two properties that become flags.
DischargeKind = tuple[int, bool, bool, bool]


class OutcomeWithoutFacts:
    """The outcome of a duty while nothing is filed.

    `templates` are the encoded assessments of the duty once a report discharges it, with gaps for what differs.
    """

    __slots__ = ("_turns", "alerts", "templates", "timeline")

    def __init__(self, duty: Duty) -> None:
        outcome = compute_outcome(duty, ())
        self.timeline = outcome.timeline
        self.alerts = outcome.alerts
        self.templates: dict[DischargeKind, bytes] = {}
        ends = [one.until for one in self.alerts if one.until is not None]
        self._turns = sorted({*[one.starts_at for one in self.timeline], *[one.at for one in self.alerts], *ends})

    def count_turns(self, instant: datetime) -> int:
        """Return how many of the instants at which the outcome changes lie before *instant*."""
        return bisect_left(self._turns, instant)


# What the outcome of a duty without facts depends on: obligation, period and opening; whether and how it ends early;
# who stands above the agency; whether the agency gets no copies of alerts because it co-operates in its own report.
_OutcomeKey = tuple[
    str, str | None, datetime | None, datetime | None, datetime | None, tuple[str, ...], tuple[Superior, ...], bool
]


class OutcomeCache:
    """The outcomes without facts of the duties of one catalogue; agencies whose outcome is the same share one.

    The cache needs no bound: its entries are fewer than the shared duties, which the catalogue keeps as well.
    """

    def __init__(self) -> None:
        self._cached: dict[_OutcomeKey, OutcomeWithoutFacts] = {}

    def without_facts(self, duty: Duty) -> OutcomeWithoutFacts:
        """Return the outcome of *duty* while nothing is filed."""
        ends_early = not outlives_due(duty)
        cache_key = (
            duty.key.obligation,
            duty.key.period,
            duty.opens_at,
            duty.agency_ends_at if ends_early else None,
            duty.left_group_at,
            duty.heirs if ends_early else (),
            duty.superiors,
            any(one.agency == duty.key.agency for one in duty.co_operators),
        )
        outcome = self._cached.get(cache_key)
        if outcome is None:
            outcome = self._cached[cache_key] = OutcomeWithoutFacts(duty)
        return outcome


class SharedDuty:
    """A duty as it is for all agencies that are bound alike: `duty` is that of one of them.

    `is_usual` says that one complete report of the agency's own discharges it for ever, `tells_receipt` that the agency
    is told so.
    """

    __slots__ = ("_outcomes", "_without_facts", "duty", "is_usual", "tells_receipt")

    def __init__(self, duty: Duty, outcomes: OutcomeCache) -> None:
        self.duty = duty
        self.is_usual = is_usual(duty)
        self.tells_receipt = duty.version is not None and Notice.RECEIVED in duty.version.reminders.notices
        self._outcomes = outcomes
        self._without_facts: OutcomeWithoutFacts | None = None

    @property
    def without_facts(self) -> OutcomeWithoutFacts:
        """The outcome while nothing is filed."""
        if self._without_facts is None:
            self._without_facts = self._outcomes.without_facts(self.duty)
        return self._without_facts

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
        """Whether *report*, the only fact of the duty, discharges it for ever: complete, own, and no correction.

        The duty is one of the agency that the report names.
        """
        return (
            self.is_usual
            and isinstance(report, Submission)
            and report.filed_by == report.agency
            and report.corrects is None
            and report.period == self.duty.key.period
            and not completeness.find_missing(self.duty.requirements, report.report)
        )


def outlives_due(duty: Duty) -> bool:
    """Whether the agency exists until the duty is due: its end then changes nothing (ruling 7)."""
    return duty.agency_ends_at is None or (duty.due_at is not None and duty.due_at <= duty.agency_ends_at)


def is_usual(duty: Duty) -> bool:
    """Whether nothing but facts ends *duty*, and only reports under its own name count for it."""
    return (
        duty.opens_at is not None
        and outlives_due(duty)
        and duty.left_group_at is None
        and duty.superseded_at is None
        and not duty.is_untracked
        and not duty.carried_from
    )


def compute_outcome(duty: Duty, facts: Sequence[Fact]) -> DutyOutcome:
    """Return the outcome of *duty* by the full path."""
    assessment = assess(duty, facts)
    return DutyOutcome(timeline=assessment.timeline, alerts=plan_alerts(assessment))


def classify_discharge(shared: SharedDuty, report: Submission) -> tuple[datetime, DischargeKind]:
    """Return since when *report* discharges the duty, and which reports have an outcome like it."""
    duty = shared.duty
    since = effective_at(duty, report)
    is_late = duty.due_at is not None and since >= duty.due_at
    kind = (
        shared.without_facts.count_turns(since),
        is_late,
        report.report.is_nil_return,
        is_dispatch_unproven(duty, report),
    )
    return since, kind


def discharge(shared: SharedDuty, report: Submission, since: datetime) -> DutyOutcome:
    """Return the outcome of a duty that *report* discharges from *since* on: until then it is that without facts."""
    duty, without_facts = shared.duty, shared.without_facts
    # A report received before the duty opens counts from the opening, where the timeline starts.
    before = [one for one in without_facts.timeline if one.starts_at < since]
    discharged = WireSegment(
        starts_at=since if before else without_facts.timeline[0].starts_at,
        status=decide_complete_status(since, duty.due_at),
        due_at=duty.due_at,
        effective_at=since,
        submissions=1,
        flags=_find_flags(duty, report),
        evidence=(report.id,),
        standing=refer_to(report),
    )
    alerts = [_end_repetition(one, since) for one in without_facts.alerts if one.at < since]
    if shared.tells_receipt:
        # It is the last alert: whatever else the duty calls for lies before the report.
        alerts.append(plan_receipt(shared, report, since))
    return DutyOutcome(timeline=(*before, discharged), alerts=tuple(alerts))


def plan_receipt(shared: SharedDuty, report: Submission, since: datetime) -> WireStep:
    """Return the notice that *report* discharges the duty from *since* on, or from its opening where that is later."""
    starts_at = max(since, shared.without_facts.timeline[0].starts_at)
    return notices.plan_received_notice(report, starts_at=starts_at, due_at=shared.duty.due_at, effective_at=since)


def _find_flags(duty: Duty, report: Submission) -> tuple[str, ...]:
    """Return the flags of *duty* that come from *report*, in the order of `assess.FLAGS`."""
    unproven = ("dispatch_unproven",) if is_dispatch_unproven(duty, report) else ()
    return (*unproven, "nil_return") if report.report.is_nil_return else unproven


def _end_repetition(alert: WireStep, since: datetime) -> WireStep:
    """Return *alert*, repeated no longer than until *since*; what does not repeat stays as it is."""
    if alert.every is None or alert.until is None or alert.until < since:
        return alert
    return msgspec.structs.replace(alert, until=since)
