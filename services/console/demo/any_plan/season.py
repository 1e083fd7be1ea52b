"""The season of any plan: its registry's agencies send what the plan asks of them in one year.

Most report in time; some are late, silent or incomplete, some have nothing to report, some correct what they sent. A
compiled report sums the figures of those of its parts that had reported before.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.console.demo import contacts
from services.console.demo.any_plan import comparison, planned_duties, reports
from services.console.demo.any_plan.planned_duties import PlannedDuty
from services.console.demo.any_plan.reports import Outcome, Report
from services.console.demo.scenario import Scenario, ScenarioComparison
from services.console.support.inputs import UnusableInputError

_A_MONTH = timedelta(days=31)
_END_OF_SEASON = (1, 10, 16)  # month, day and hour of the next year, when whoever is late has reported


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSeason(Scenario):
    """The scenario of one year of any plan, with the outcome for each duty."""

    outcomes: tuple[Outcome, ...]

    def compare(self, reporting: httpx.Client, annual: Mapping[str, Any]) -> ScenarioComparison:  # noqa: ARG002 - duties and results say more
        """Compare every duty and every consolidated figure and text of the year."""
        return comparison.compare_season(reporting, self.plan, self.outcomes, ends_on=self.ends_at.date())


def build_season(plan: Plan, registry: Registry) -> PlanSeason:
    """Return the season of the first whole year that *plan* is watched.

    Raise `UnusableInputError` where nothing falls due in it.
    """
    year = plan.tracked_from.year if plan.tracked_from else plan.issued_on.year + 1
    duties = planned_duties.list_duties(plan, registry, str(year))
    if not duties:
        raise UnusableInputError(f"{plan.plan}: nothing falls due in {year}; the demo plays dated duties")
    outcomes = _decide_outcomes(duties, plan, registry)
    first = min(one.due_at for one in duties) - _A_MONTH
    silent = next((one for one in outcomes if not one.posts), outcomes[0])
    return PlanSeason(
        plan=plan.plan,
        year=str(year),
        headline=f"the year {year} begins: {len({one.agency for one in duties})} agencies owe {len(duties)} reports",
        begins_at=first.replace(hour=0, minute=0),
        ends_at=datetime(year + 1, *_END_OF_SEASON, tzinfo=ZoneInfo(plan.zone)),
        posts=tuple(
            sorted((post for one in outcomes for post in one.posts), key=lambda one: (one.at, one.event["source"]))
        ),
        upstream_systems=(reports.PORTAL, reports.EXCHANGE),
        contacts=tuple(contacts.build_contacts(_list_reached(duties, registry))),
        pages={
            "dashboard.png": f"/?plan={plan.plan}&period={year}&lang=vi",
            "agency.png": f"/agencies/{silent.duty.agency}?plan={plan.plan}&period={year}&lang=vi",
        },
        counted=frozenset((one.obligation.id, one.period.text) for one in duties),
        outcomes=outcomes,
    )


def _decide_outcomes(duties: Iterable[PlannedDuty], plan: Plan, registry: Registry) -> tuple[Outcome, ...]:
    """Return the outcome of each duty; a compiled report comes after those that it consolidates."""
    decided: dict[planned_duties.DutyName, Outcome] = {}
    for duty in duties:
        report = reports.draft_report(duty, plan, registry)
        if duty.obligation.compiles is not None:
            parts = [decided[part, duty.obligation.compiles.obligation, duty.period.text] for part in duty.parts]
            report = _sum_up(report, parts)
        decided[duty.name] = reports.decide_outcome(report)
    return tuple(decided.values())


def _sum_up(report: Report, parts: Iterable[Outcome]) -> Report:
    """Return *report* with the sum of what its parts had sent when it was written."""
    sent = [one.standing.figures for one in parts if one.standing is not None and one.standing.at < report.at]
    return replace(report, figures={code: sum(one.get(code, 0) for one in sent) for code in report.figures})


def _list_reached(duties: Iterable[PlannedDuty], registry: Registry) -> set[str]:
    """Return every agency that an alert may go to: who owes, who is above, who co-operates."""
    reached = {name for one in duties for name in (one.agency, *one.obligation.with_)}
    above = {parent.id for one in reached if (agency := registry.agency(one)) for parent in agency.parents}
    return (reached | above) - set(contacts.SUPERIORS)
