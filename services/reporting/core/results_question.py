"""From assessed duties and the content of submissions to the question that `results` answers.

Reporting and `dondoc results` both come here: one with what its database holds, the other with what it assessed from a
file of facts. So which agencies are asked, which groups they are in and which year they are compared with is decided
once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from schemas.events.assessments import Status
from schemas.plan import periods
from schemas.plan.plan import Obligation, ObligationVersion, Plan
from schemas.plan.registry import Registry, Succession
from services.reporting.core.results import RETURNED, Comparison, ReportedDuty, ResultsQuestion, StandingSubmission

# Source and id of an event.
EventIdentity = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessedDuty:
    """What an assessment says of a duty at the instant asked about.

    `decided_on` is the last good day by the plan alone; who is a member of which group is decided on it (ruling 8).
    """

    agency: str
    decided_on: date
    status: Status
    flags: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    standing: EventIdentity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObligationTerms:
    """An obligation and its version that rules the period asked about."""

    obligation: Obligation
    version: ObligationVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessedPeriod:
    """All duties of one obligation for one period that bind anybody, and the contents of the submissions that stand."""

    period: str
    duties: Sequence[AssessedDuty]
    contents: Mapping[EventIdentity, StandingSubmission]


def build_question(
    plan: Plan, registry: Registry, terms: ObligationTerms, *, current: AssessedPeriod, previous: AssessedPeriod
) -> ResultsQuestion:
    """Return the question about an obligation in the *current* period, compared with the *previous* one if it had any.

    *current* must have a duty.
    """
    return ResultsQuestion(
        obligation=terms.obligation.id,
        period=current.period,
        indicators=plan.list_indicators(terms.version),
        groups=[one for one in terms.obligation.addressees if registry.agency(one) is None],
        sections=_list_sections(terms.version),
        duties=[_report_duty(duty, registry, current.contents) for duty in current.duties],
        previous=_build_comparison(registry, previous, until=max(duty.decided_on for duty in current.duties)),
    )


def year_before(period: str) -> str:
    """Return the same period a year earlier: `2025-Q3` for `2026-Q3`."""
    parsed = periods.parse(period)
    return f"{parsed.starts_on.year - 1:04d}{parsed.text[4:]}"


def _list_sections(version: ObligationVersion) -> tuple[str, ...]:
    sections = (*version.requires.sections, *version.accepts.sections)
    return tuple(dict.fromkeys(one.id for one in sections))


def _report_duty(
    duty: AssessedDuty, registry: Registry, contents: Mapping[EventIdentity, StandingSubmission]
) -> ReportedDuty:
    agency = registry.agency(duty.agency)
    memberships = () if agency is None else agency.groups
    return ReportedDuty(
        agency=duty.agency,
        status=duty.status,
        flags=(*duty.flags, RETURNED) if duty.missing[:1] == (RETURNED,) else duty.flags,
        groups=frozenset(one.id for one in memberships if one.contains(duty.decided_on)),
        # Content that is missing must not read as a figure that was not given, so looking it up may fail.
        submission=None if duty.standing is None else contents[duty.standing],
    )


def _build_comparison(registry: Registry, previous: AssessedPeriod, *, until: date) -> Comparison | None:
    if not previous.duties:
        return None
    since = min(duty.decided_on for duty in previous.duties)
    between = [one for one in registry.successions if since < one.on <= until]
    agencies = {duty.agency for duty in previous.duties}
    return Comparison(
        period=previous.period,
        duties=[_report_duty(duty, registry, previous.contents) for duty in previous.duties],
        heirs=_find_heirs(agencies, between),
        has_split=any(one.type == "split" and not agencies.isdisjoint(one.from_) for one in between),
    )


def _find_heirs(agencies: Iterable[str], successions: Sequence[Succession]) -> Mapping[str, str]:
    """Return the one agency that each merged agency became part of, over several mergers where there were several."""
    direct: dict[str, str] = {}
    for one in sorted(successions, key=lambda succession: succession.on):
        if one.type in {"merge_into", "merge_new"} and len(one.to) == 1:
            direct.update({agency: one.to[0] for agency in one.from_ if agency not in one.to})
    found: dict[str, str] = {}
    for agency in agencies:
        heir, seen = agency, {agency}
        while heir in direct and direct[heir] not in seen:
            heir = direct[heir]
            seen.add(heir)
        if heir != agency:
            found[agency] = heir
    return found
