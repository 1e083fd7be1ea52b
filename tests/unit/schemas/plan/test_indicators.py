"""Indicators are declared once in a plan and named by their code, or defined in place."""

import json
from decimal import Decimal

import pytest

from schemas.lint import documents
from schemas.lint.diagnostics import DocumentInvalid
from schemas.plan.plan import Plan
from tests.support.builders.valid_documents import PLAN, replace_once

DECLARED = """
indicators:
  - {code: overdue_ratio, unit: percent, kind: ratio, formula: overdue_debt * 100 / loans}
  - {code: overdue_debt, unit: million_vnd, min: 0, max: 0.1, target: {2024: 400000, "2025": "1.5"}}
  - {code: customers, kind: stock, integer: true, asked_of: [nobody]}
  - {code: loans, title: {vi: Dư nợ}, kind: stock}
"""


def declare(text: str = DECLARED, *, accepts: str = "[overdue_debt]") -> str:
    """Return the example plan with declared indicators, of which its last version accepts some."""
    return replace_once(PLAN, "requires:", f"accepts: {{indicators: {accepts}}}\n        requires:") + text


def list_codes(plan: Plan) -> list[str]:
    """Return the codes that the last version of the first obligation is about."""
    return [one.code for one in plan.list_indicators(plan.obligations[0].versions[-1])]


def find_errors(text: str) -> str:
    """Return what the lint says of a plan."""
    with pytest.raises(DocumentInvalid) as refused:
        documents.parse_plan(text)
    return str(refused.value)


def test_an_obligation_has_what_it_asks_for_in_the_order_of_the_plan() -> None:
    """Required and accepted figures, the ratios of these alone, and definitions in place last."""
    assert list_codes(documents.parse_plan(declare())) == ["overdue_ratio", "overdue_debt", "loans"]
    assert list_codes(documents.parse_plan(declare(accepts="[customers]"))) == ["customers", "loans"]


def test_bounds_and_targets_are_exact_decimals_on_the_bus_too() -> None:
    """0.1 in YAML is a tenth and not its binary neighbour; a year may be written as a number."""
    plan = documents.parse_plan(declare())
    debt = plan.indicators[1]
    assert (debt.max, dict(debt.target)) == (Decimal("0.1"), {"2024": Decimal(400000), "2025": Decimal("1.5")})
    sent = plan.model_dump_json(by_alias=True, exclude_defaults=True)
    assert json.loads(sent)["indicators"][1]["max"] == 0.1
    assert Plan.model_validate_json(sent) == plan


def test_a_bound_of_many_digits_keeps_them() -> None:
    """A number that a double cannot hold travels as text."""
    plan = documents.parse_plan(declare(DECLARED.replace("max: 0.1", 'max: "0.1234567890123456789"')))
    sent = plan.model_dump_json(by_alias=True, exclude_defaults=True)
    assert Plan.model_validate_json(sent).indicators[1].max == Decimal("0.1234567890123456789")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("code: customers", "code: loans", "'loans' is used twice"),
        (", formula: overdue_debt * 100 / loans", "", "a ratio is worked out; write its `formula`"),
        ("kind: ratio, ", "", "only a ratio has a formula"),
        ("100 / loans", "100 / loan", "unknown indicator 'loan'; did you mean 'loans'?"),
        ("100 / loans", "100 / overdue_ratio", "'overdue_ratio' is a ratio itself"),
        ("100 / loans", "100 /", "a code, a number or a bracket is missing before 'the end'"),
        ("min: 0, max: 0.1", "min: 1, max: 0.1", "0.1 is less than `min`, 1"),
        ("2024: 400000", "next: 400000", "is not a reporting period"),
    ],
)
def test_a_faulty_declaration_is_refused(old: str, new: str, words: str) -> None:
    """The message names the fault and, where one is near, the word that was meant."""
    assert words in find_errors(declare(replace_once(DECLARED, old, new)))


@pytest.mark.parametrize(
    ("accepts", "words"),
    [
        ("[overdue_dept]", "unknown indicator 'overdue_dept'; did you mean 'overdue_debt'?"),
        ("[overdue_ratio]", "'overdue_ratio' is a ratio, which is worked out and never asked for"),
    ],
)
def test_an_obligation_names_only_declared_figures(accepts: str, words: str) -> None:
    """A code alone must be declared; a ratio is asked of nobody."""
    assert words in find_errors(declare(accepts=accepts))


def test_a_code_alone_must_be_declared() -> None:
    """Only a mapping defines an indicator in place."""
    assert "unknown indicator 'loans'" in find_errors(
        replace_once(PLAN, "indicators: [{code: loans,", "indicators: [loans, {code: x,")
    )
