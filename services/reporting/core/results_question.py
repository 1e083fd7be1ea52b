"""From assessed duties and the content of submissions to the results of a plan for a period.

Reporting and `dondoc results` both come here: one with what its database holds, the other with what it assessed from a
file of facts. So which obligations are listed, which agencies are asked, which groups they are in and which year they
are compared with is decided once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from schemas.events.assessments import Status
from schemas.plan import periods
from schemas.plan.calendar import Calendar, PeriodTerms
from schemas.plan.plan import ObligationVersion, Plan
from schemas.plan.registry import Registry, WorkingDays
from services.reporting.core import heirs, results
from services.reporting.core.reported_duties import ReportedDuty, StandingSubmission
from services.reporting.core.results import RETURNED, Comparison, ObligationResults, ResultsQuestion
from services.reporting.core.timeline import EventIdentity

# Who has a duty with one of these statuses owes no part of a compilation.
_NOT_OWED = frozenset({Status.NOT_APPLICABLE, Status.SUPERSEDED, Status.ENDED_NO_SUCCESSOR})


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessedDuty:
    """What an assessment says of a duty that binds its agency, at the instant asked about."""

    agency: str
    status: Status
    flags: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    standing: EventIdentity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessedPlan:
    """The assessed duties of a plan by obligation and period, and the contents of the submissions that stand."""

    plan: Plan
    registry: Registry
    duties: Mapping[tuple[str, str], Sequence[AssessedDuty]]
    contents: Mapping[EventIdentity, StandingSubmission]


@dataclass(frozen=True, slots=True, kw_only=True)
class _AssessedPeriod:
    """All duties of one obligation for one period.

    `decided_on` is the day on which it is decided who is a member of which group (ruling 8).
    """

    period: str
    decided_on: date
    duties: Sequence[ReportedDuty]


def consolidate_plan(assessed: AssessedPlan, period: str) -> tuple[ObligationResults, ...]:
    """Return the results of each obligation that binds anybody for exactly *period*, in the order of the plan."""
    return tuple(results.consolidate(question) for question in build_questions(assessed, period))


def build_questions(assessed: AssessedPlan, period: str) -> tuple[ResultsQuestion, ...]:
    """Return the question about each obligation that binds anybody for exactly *period*, in the order of the plan."""
    calendar = Calendar(assessed.plan, WorkingDays(assessed.registry))
    current = periods.parse(period)
    previous = periods.year_before(current)
    questions = (
        _build_question(
            assessed,
            calendar.terms_of(one, current),
            terms_before=None if previous is None else calendar.terms_of(one, previous),
        )
        for one in assessed.plan.obligations
    )
    return tuple(question for question in questions if question is not None)


def _build_question(
    assessed: AssessedPlan, terms: PeriodTerms | None, *, terms_before: PeriodTerms | None
) -> ResultsQuestion | None:
    current = _report_period(assessed, terms)
    if terms is None or current is None:
        return None
    obligation, registry = terms.obligation, assessed.registry
    return ResultsQuestion(
        obligation=obligation.id,
        period=current.period,
        indicators=assessed.plan.list_indicators(terms.version),
        groups=[one for one in obligation.bearers if registry.agency(one) is None],
        sections=_list_sections(terms.version),
        duties=current.duties,
        previous=_build_comparison(registry, _report_period(assessed, terms_before, is_earlier=True), current),
        parts=_find_parts(assessed, terms),
    )


def _find_parts(assessed: AssessedPlan, terms: PeriodTerms) -> Mapping[str, Sequence[ReportedDuty]]:
    """Return for each agency the duties of those below it whose reports it compiles, as of its last good day."""
    if terms.obligation.compiles is None or terms.period is None:
        return {}
    day = terms.membership_decided_on
    parts: dict[str, list[ReportedDuty]] = {}
    for duty in assessed.duties.get((terms.obligation.compiles.obligation, terms.period.text), ()):
        above = assessed.registry.parent_on(duty.agency, day)
        if above is not None and duty.status not in _NOT_OWED:
            parts.setdefault(above, []).append(_report_duty(duty, assessed, day))
    return parts


def _report_period(
    assessed: AssessedPlan, terms: PeriodTerms | None, *, is_earlier: bool = False
) -> _AssessedPeriod | None:
    """Return the duties of a period; one that *is_earlier* is compared with, although nobody watched it then."""
    if terms is None or terms.period is None:
        return None
    period, decided_on = terms.period.text, terms.membership_decided_on
    duties = assessed.duties.get((terms.obligation.id, period), ())
    if not duties:
        return None
    tracked_from = assessed.plan.tracked_from
    is_untracked = tracked_from is not None and terms.due_at is not None and decided_on < tracked_from
    reported = [_report_duty(duty, assessed, decided_on, is_untracked=is_earlier and is_untracked) for duty in duties]
    return _AssessedPeriod(period=period, decided_on=decided_on, duties=reported)


def _list_sections(version: ObligationVersion) -> tuple[str, ...]:
    sections = (*version.requires.sections, *version.accepts.sections)
    return tuple(dict.fromkeys(one.id for one in sections))


def _report_duty(
    duty: AssessedDuty, assessed: AssessedPlan, decided_on: date, *, is_untracked: bool = False
) -> ReportedDuty:
    agency = assessed.registry.agency(duty.agency)
    memberships = () if agency is None else agency.groups
    return ReportedDuty(
        agency=duty.agency,
        status=duty.status,
        flags=(*duty.flags, RETURNED) if duty.missing[:1] == (RETURNED,) else duty.flags,
        groups=frozenset(one.id for one in memberships if one.contains(decided_on)),
        # Content that is missing must not read as a figure that was not given, so looking it up may fail.
        submission=None if duty.standing is None else assessed.contents[duty.standing],
        is_untracked=is_untracked,
    )


def _build_comparison(
    registry: Registry, previous: _AssessedPeriod | None, current: _AssessedPeriod
) -> Comparison | None:
    if previous is None:
        return None
    after, until = previous.decided_on, current.decided_on
    between = [one for one in registry.successions if after < one.on <= until]
    before = {duty.agency for duty in previous.duties}
    agencies = before | {duty.agency for duty in current.duties}
    return Comparison(
        period=previous.period,
        duties=previous.duties,
        heirs=heirs.find_heirs(agencies, registry.successions, after=after, until=until),
        has_split=any(one.type == "split" and not before.isdisjoint(one.from_) for one in between),
    )
