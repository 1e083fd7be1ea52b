"""An agency is asked for what its obligation requires of all, and for what the plan asks of it."""

from decimal import Decimal

from schemas.content import requested_content
from tests.support.builders import plans

PLAN = plans.a_plan(
    plans.an_obligation(
        plans.a_version(
            requires={"sections": ["results"], "indicators": ["entrusted", {"code": "own", "unit": "turn"}]},
            accepts={"indicators": ["points", "loans", "overdue", "own"], "sections": ["results", "proposals"]},
        )
    ),
    indicators=[
        {"code": "ratio", "kind": "ratio", "formula": "overdue / loans"},
        {"code": "overdue", "asked_of": ["h-mot", "so"]},
        {"code": "loans", "asked_of": ["huyen"]},
        {"code": "entrusted", "asked_of": ["so"], "min": 0},
        {"code": "points"},
        {"code": "nobody"},
    ],
)
VERSION = PLAN.obligations[0].versions[0]


def list_codes(names: set[str] | None) -> list[tuple[str, bool]]:
    """Return code and requiredness of the figures asked of the agency with *names*."""
    found = requested_content.list_requested(PLAN, VERSION, names)
    return [(one.indicator.code, one.is_required) for one in found.figures]


def test_required_figures_come_first_and_are_asked_of_everybody() -> None:
    """`asked_of` cannot take back what no report is complete without; the accepted ones follow in the plan's order."""
    required = [("entrusted", True), ("own", True)]
    assert list_codes({"so-1", "so"}) == [*required, ("overdue", False), ("points", False)]
    assert list_codes({"h-mot", "huyen"}) == [*required, ("overdue", False), ("loans", False), ("points", False)]
    assert list_codes({"h-hai"}) == [*required, ("points", False)]
    assert list_codes(None) == list_codes({"h-mot", "huyen"})


def test_ratios_are_those_of_the_figures_asked_for() -> None:
    """Who is not asked for the loans has no ratio of them."""
    ratios = {
        name: [one.code for one in requested_content.list_requested(PLAN, VERSION, {name, group}).ratios]
        for name, group in (("h-mot", "huyen"), ("h-hai", "huyen"))
    }
    assert ratios == {"h-mot": ["ratio"], "h-hai": []}


def test_a_section_is_asked_for_once() -> None:
    """One that is required and accepted is required."""
    found = requested_content.list_requested(PLAN, VERSION, None)
    assert [(one.section.id, one.is_required) for one in found.sections] == [("results", True), ("proposals", False)]


def test_a_definition_in_place_goes_before_the_declared_one() -> None:
    """What it leaves out is taken from the declared indicator."""
    declared = {"code": "a", "title": {"vi": "A"}, "unit": "turn", "min": 0, "integer": True}
    version = plans.a_version(requires={"indicators": [{"code": "a", "min": 5}, {"code": "b", "max": 1}]})
    found = plans.a_plan(plans.an_obligation(version), indicators=[declared])
    asked = [found.find_indicator(found.obligations[0].versions[0], code) for code in ("a", "b", "c")]
    assert [None if one is None else (one.unit, one.min, one.max, one.integer) for one in asked] == [
        ("turn", Decimal(5), None, True),
        (None, None, Decimal(1), False),
        None,
    ]
