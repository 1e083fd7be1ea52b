"""The figures and texts of the demo's agencies are plausible: nothing in them looks like a slip."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from schemas.content import figure_findings, requested_content
from schemas.content.requested_content import RequestedContent
from services.console.demo.plan_6766 import reported_content, scenario
from services.console.support import inputs
from services.rules.core.duty_catalogue import DutyCatalogue

DIRECTORY = Path(__file__).parents[4] / "deploy" / "plans" / "6766-kh-ubnd"
LAST_TIMELY_DAY = date(2024, 12, 9)


@pytest.fixture(scope="module")
def catalogue() -> DutyCatalogue:
    """Plan 6766 and its registry as published."""
    return inputs.read_plan_folder(DIRECTORY)


def list_requested(catalogue: DutyCatalogue) -> Iterator[tuple[str, RequestedContent]]:
    """Yield each agency with what the plan asks of it for 2024."""
    obligation = catalogue.plan.obligation("annual-results")
    assert obligation is not None
    for agency in scenario.addressees_of(catalogue.registry):
        found = catalogue.registry.agency(agency)
        assert found is not None
        names = {agency, *(one.id for one in found.groups if one.contains(LAST_TIMELY_DAY))}
        yield agency, requested_content.list_requested(catalogue.plan, obligation.versions[0], names)


def test_an_agency_reports_what_it_is_asked_for(catalogue: DutyCatalogue) -> None:
    """It gives every figure and no other, and no section that the plan does not know."""
    for agency, requested in list_requested(catalogue):
        asked = {one.indicator.code for one in requested.figures}
        assert reported_content.draw_figures(agency, 2024).keys() == asked
        assert reported_content.write_sections(agency, 2024).keys() <= {one.section.id for one in requested.sections}


@pytest.mark.parametrize("year", range(2017, 2025))
def test_no_figure_looks_like_a_slip(catalogue: DutyCatalogue, year: int) -> None:
    """No year gives a finding, compared with the year before; so a finding in the demo is one that was planted."""
    for agency, requested in list_requested(catalogue):
        now, before = (
            {code: Decimal(figure) for code, figure in reported_content.draw_figures(agency, one).items()}
            for one in (year, year - 1)
        )
        assert figure_findings.find_slips(requested.indicators, now, before) == (), agency


def test_a_figure_in_another_unit_is_found(catalogue: DutyCatalogue) -> None:
    """Loans of a district in thousands of đồng in place of millions: by last year's, and by its own other figures."""
    requested = dict(list_requested(catalogue))["h-tho-xuan"]
    now, before = (
        {code: Decimal(figure) for code, figure in reported_content.draw_figures("h-tho-xuan", year).items()}
        for year in (2024, 2023)
    )
    slip = {**now, "outstanding_loans": now["outstanding_loans"] * 1000}
    assert [one.code for one in figure_findings.find_slips(requested.indicators, slip, before)] == ["outstanding_loans"]
    assert figure_findings.find_slips(requested.indicators, slip, None) != ()
