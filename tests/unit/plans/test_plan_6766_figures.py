"""The figures that plan 6766 asks for: complete as data, optional, and asked of the agencies that have them."""

import re
from datetime import date
from pathlib import Path

import pytest

from schemas.content import requested_content
from schemas.content.units import UNITS
from schemas.lint import documents
from schemas.plan.plan import Obligation, Plan
from schemas.plan.registry import Registry

FOLDER = Path(__file__).parents[3] / "deploy/plans/6766-kh-ubnd"
LAST_TIMELY_DAY = date(2024, 12, 9)


@pytest.fixture(scope="module")
def plan() -> Plan:
    """The shipped plan."""
    return documents.parse_plan((FOLDER / "plan.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def registry() -> Registry:
    """The shipped registry."""
    return documents.parse_registry((FOLDER / "registry.yaml").read_text(encoding="utf-8"))


def obligation_of(plan: Plan, obligation: str) -> Obligation:
    """Return one obligation of the plan."""
    found = plan.obligation(obligation)
    assert found is not None
    return found


def list_asked(plan: Plan, registry: Registry, agency: str) -> list[str]:
    """Return the codes that an agency is asked for with its annual results of 2024."""
    found = registry.agency(agency)
    assert found is not None
    names = {agency, *(one.id for one in found.groups if one.contains(LAST_TIMELY_DAY))}
    version = obligation_of(plan, "annual-results").versions[0]
    return [one.indicator.code for one in requested_content.list_requested(plan, version, names).figures]


def test_only_what_was_required_before_is_required(plan: Plan) -> None:
    """One section, one figure, a PDF and a signature, of the annual results alone."""
    requires = obligation_of(plan, "annual-results").versions[0].requires
    assert [one.id for one in requires.sections] == ["results"]
    assert [one.code for one in requires.indicators] == ["entrusted_local_budget"]
    assert (requires.attachments.min, requires.signed) == (1, True)
    assert [one.id for one in requires.checks] == ["entrusted-in-year", "overdue-ratio"]
    others = [one for one in plan.obligations if one.id != "annual-results"]
    assert all(version.requires == type(requires)() for one in others for version in one.versions)


def test_every_figure_is_asked_for_and_every_ratio_is_worked_out(plan: Plan) -> None:
    """No indicator is declared and then never used, in the bank's aggregation or in the annual results."""
    used = {
        one.code
        for obligation in plan.obligations
        for version in obligation.versions
        for one in plan.list_indicators(version)
    }
    assert used == {one.code for one in plan.indicators}


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_figure_has_a_title_and_a_unit_in_words(plan: Plan, language: str) -> None:
    """A form, a mail and a report print these, never a code."""
    assert [one.code for one in plan.indicators if one.label_in(language) == one.code] == []
    assert {one.unit for one in plan.indicators} <= set(UNITS)
    sections = [*obligation_of(plan, "annual-results").versions[0].accepts.sections]
    assert [one.id for one in sections if one.title is None or not getattr(one.title, language)] == []


def test_no_count_is_a_fraction_and_no_sum_is_negative(plan: Plan) -> None:
    """What is counted is whole; nothing that is given may lie below zero."""
    given = [one for one in plan.indicators if one.formula is None]
    assert {one.code for one in given if one.integer != (one.unit != "million_vnd")} == set()
    assert {one.min for one in given} == {0}


def test_a_department_is_not_asked_for_a_districts_figures(plan: Plan, registry: Registry) -> None:
    """Each is asked for what it has: Finance for the province's part, Labour for the review of poor households."""
    everywhere = ["entrusted_local_budget", "inspections", "publicity_items"]
    assert list_asked(plan, registry, "so-tp") == everywhere
    assert set(list_asked(plan, registry, "so-tc")) == {*everywhere, "entrusted_added_in_year"}
    poverty = {"households", "poor_households", "near_poor_households"}
    assert set(list_asked(plan, registry, "so-ldtbxh")) == {*everywhere, *poverty}
    district = set(list_asked(plan, registry, "h-tho-xuan"))
    assert {"outstanding_loans", "outstanding_women", "customers", "transaction_points"} <= district
    assert district.isdisjoint({*poverty, "total_capital"})


def test_a_figure_that_the_plan_does_not_name_is_marked_as_ours(plan: Plan) -> None:
    """Behind each code stands "ours", or the clauses in which the plan names the thing."""
    text = (FOLDER / "plan.yaml").read_text(encoding="utf-8")
    block = text[text.index("\nindicators:") : text.index("\ngrading:")]
    marks = dict(re.findall(r"  - code: (\w+)  # (ours|the plan names it: .+)\n", block))
    assert list(marks) == [one.code for one in plan.indicators]
    assert marks["customers"] == "ours"
    clauses = {clause for one in marks.values() for clause in re.findall(r"II[I.0-9a-d-]*", one)}
    assert clauses <= {one.citation.clause for one in plan.obligations}
