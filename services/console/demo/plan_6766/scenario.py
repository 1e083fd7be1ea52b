"""The demo's scenario: what every agency posts in 2024, and the status, dates and alert counts that must result.

The scenario is pure data and the same in every run. An agency that is not named in `BEHAVIOURS` reports on time on some
working day of the autumn. How the scenario is posted, and how fast, is not known here.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

import httpx

from schemas.plan.registry import Registry
from services.console.demo import contacts
from services.console.demo.draws import draw_number
from services.console.demo.plan_6766 import behaviours, comparison, reported_content
from services.console.demo.plan_6766.behaviours import AgencyBehaviour, instant
from services.console.demo.plan_6766.events import (
    ARCHIVE,
    EMAIL,
    EXCHANGE,
    PLAN,
    PORTAL,
    POSTAL_MAIL,
    RESULTS,
    UPSTREAM_SYSTEMS,
    YEAR,
    ZONE,
    ReportDraft,
)
from services.console.demo.plan_6766.expected import DUE_AT, ENDS_AT, ExpectedDuty
from services.console.demo.scenario import Event, Scenario, ScenarioComparison, UpstreamSystem

BEGINS_AT = datetime(2024, 1, 1, tzinfo=ZONE)
LAST_TIMELY_DAY = date(2024, 12, 9)
ADDRESSED_GROUPS = frozenset({"so-ban-nganh", "ubnd-huyen"})
PROGRAMME = "action-programme"
AUTUMN_BEGINS_ON = date(2024, 10, 28)
WEEKS_OF_AUTUMN = 6
WORKING_DAYS_A_WEEK = 5
OFFICE_OPENS = time(8)
OFFICE_MINUTES = 8 * 60
PAGES = {
    "dashboard.png": f"/?plan={PLAN}&period={YEAR}&lang=vi",
    "agency.png": f"/agencies/h-dong-son?plan={PLAN}&period={YEAR}&lang=vi",
}
REVIEW = "district-annual-review"
REVIEW_BEFORE = timedelta(weeks=1)  # a district holds its review of the year, then reports its results


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan6766Scenario(Scenario):
    """The scenario of plan 6766: the year 2024, with the expected outcome for each agency."""

    expectations: tuple[ExpectedDuty, ...]

    def compare(self, reporting: httpx.Client, annual: Mapping[str, Any]) -> ScenarioComparison:
        """Compare the annual results of every agency, and the consolidated figures."""
        return comparison.compare_year(reporting, annual, self.expectations)


def build_scenario(registry: Registry) -> Plan6766Scenario:
    """Build the scenario for the agencies of *registry* that the plan addressed in 2024."""
    agencies = tuple(addressees_of(registry))
    chosen = [behaviour_of(agency) for agency in agencies]
    return Plan6766Scenario(
        plan=PLAN,
        year=YEAR,
        headline=f"the year {YEAR} begins: {len(agencies)} agencies owe results before 10 December",
        begins_at=BEGINS_AT,
        ends_at=ENDS_AT,
        upstream_systems=UPSTREAM_SYSTEMS,
        contacts=tuple(contacts.build_contacts(agencies)),
        pages=PAGES,
        counted=frozenset({(RESULTS, YEAR)}),
        max_step=timedelta(days=1),
        archive=tuple(event for agency in agencies for event in _build_archive(agency)),
        posts=tuple(sorted((post for behaviour in chosen for post in behaviour.posts), key=lambda post: post.at)),
        expectations=tuple(behaviour.expected for behaviour in chosen),
    )


def addressees_of(registry: Registry) -> Iterator[str]:
    """Yield the ids of the agencies that owed results on the last timely day of 2024."""
    for agency in registry.agencies:
        if any(one.id in ADDRESSED_GROUPS and one.contains(LAST_TIMELY_DAY) for one in agency.groups):
            yield agency.id


def behaviour_of(agency: str) -> AgencyBehaviour:
    """Return what *agency* posts in 2024, and what must come of it."""
    return BEHAVIOURS.get(agency, report_on_time)(agency)


def report_on_time(agency: str) -> AgencyBehaviour:
    """Send a complete report on some working day of the autumn; a district reports its annual review a week before."""
    week, day = (
        draw_number(f"{agency}/week", 0, WEEKS_OF_AUTUMN),
        draw_number(f"{agency}/day", 0, WORKING_DAYS_A_WEEK),
    )
    minutes = draw_number(f"{agency}/minute", 0, OFFICE_MINUTES)
    opens_at = datetime.combine(AUTUMN_BEGINS_ON + timedelta(weeks=week, days=day), OFFICE_OPENS, tzinfo=ZONE)
    upstream = (PORTAL, EXCHANGE, EMAIL)[draw_number(f"{agency}/way", 0, 3)]
    sent_at = opens_at + timedelta(minutes=minutes)
    behaviour = behaviours.send_report(ReportDraft(agency=agency, at=sent_at, upstream=upstream))
    if not agency.startswith(reported_content.DISTRICT_PREFIXES):
        return behaviour
    review = ReportDraft(agency=agency, at=opens_at - REVIEW_BEFORE, obligation=REVIEW)
    return replace(behaviour, posts=(review.to_post(), *behaviour.posts))


def _build_archive(agency: str) -> Iterator[Event]:
    """Yield what *agency* sent before 2024: its action programme, and each year's results on time."""
    draft = ReportDraft(agency=agency, at=BEGINS_AT, upstream=ARCHIVE)
    sent_at = datetime(reported_content.FIRST_YEAR, 6, 1, 9, tzinfo=ZONE) + timedelta(
        days=draw_number(f"{agency}/programme", 0, 90)
    )
    yield replace(draft, obligation=PROGRAMME, period=None, sent_at=sent_at).to_event()
    for year in range(reported_content.FIRST_YEAR, BEGINS_AT.year):
        sent_at = datetime(year, 11, 20, 9, tzinfo=ZONE) + timedelta(days=draw_number(f"{agency}/{year}", 0, 19))
        yield replace(draft, period=str(year), sent_at=sent_at).to_event()


def _report_at(
    posted_at: datetime,
    *,
    upstream: UpstreamSystem = PORTAL,
    sent_at: datetime | None = None,
    agency_alias: str | None = None,
) -> Callable[[str], AgencyBehaviour]:
    return lambda agency: behaviours.send_report(
        ReportDraft(agency=agency, at=posted_at, upstream=upstream, sent_at=sent_at, agency_alias=agency_alias)
    )


# What each agency does that does more than report on time; the others have `report_on_time`.
BEHAVIOURS: Mapping[str, Callable[[str], AgencyBehaviour]] = {
    # Departments.
    "so-tp": lambda agency: behaviours.complete_later(agency, instant(11, 20, "10:00"), instant(12, 2, "10:40")),
    "so-gtvt": lambda agency: behaviours.complete_later(agency, instant(12, 5, "16:10"), instant(12, 12, "09:30")),
    "so-ldtbxh": behaviours.stay_incomplete,
    "so-khdt": behaviours.withdraw_and_resend,
    "so-ct": behaviours.withdraw,
    "so-tc": behaviours.send_duplicate,
    "ban-dt": behaviours.send_two_documents,
    "so-vhttdl": behaviours.amend_after_deadline,
    "so-nnptnt": lambda agency: behaviours.receive_extension(
        agency,
        granted_at=instant(12, 4, "10:00"),
        due_at=instant(12, 20, "00:00"),
        sent_at=instant(12, 18, "15:00"),
    ),
    "thanh-tra": behaviours.receive_exemption,
    "so-ngv": behaviours.send_nil_return,
    "so-yt": _report_at(instant(12, 9, "23:59:30")),
    "so-gddt": _report_at(instant(12, 10, "08:00")),
    "so-khcn": _report_at(instant(12, 16, "09:00")),
    "so-tttt": behaviours.stay_silent,
    # Districts.
    "h-dong-son": behaviours.report_by_successor,
    "tp-thanh-hoa": lambda agency: behaviours.be_told_of_predecessor(report_on_time(agency)),
    "h-muong-lat": _report_at(instant(12, 13, "10:05"), upstream=POSTAL_MAIL, sent_at=instant(12, 9, "16:20")),
    "h-quan-son": _report_at(instant(12, 10, "08:12"), sent_at=instant(12, 9, "17:00")),
    "tx-sam-son": _report_at(instant(11, 27, "15:45"), agency_alias="tp-sam-son"),
    "tx-bim-son": _report_at(instant(12, 9, "23:59")),
    "h-tho-xuan": _report_at(instant(12, 9, "23:59:59.999")),
    "h-trieu-son": _report_at(DUE_AT),
    "h-hoang-hoa": _report_at(instant(12, 10, "08:00:10")),
    "h-nga-son": _report_at(instant(12, 10, "08:15"), upstream=EXCHANGE, sent_at=instant(12, 10, "08:14")),
    "h-yen-dinh": behaviours.correct_figures,
    "h-nong-cong": behaviours.report_wrong_year,
    "h-ha-trung": behaviours.correct_returned_slip,
    "h-nhu-xuan": behaviours.ignore_return,
    "h-lang-chanh": _report_at(instant(12, 20, "10:00")),
    "h-thuong-xuan": _report_at(instant(12, 27, "15:30")),
    "h-quan-hoa": behaviours.stay_silent,
    "h-ba-thuoc": behaviours.be_unreachable,
}
