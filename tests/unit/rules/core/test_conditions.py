"""What a condition may cost, from its text and the bounds of intake, and that no evaluation costs more."""

import time
from datetime import date
from decimal import Decimal

import pytest

from schemas.cel.costs import COST_MAX
from schemas.cel.syntax import InvalidExpression
from services.rules.core import conditions
from services.rules.core.conditions import ConditionContext
from services.rules.core.facts import FiledAttachment, ReportContent

TENS = "[1,2,3,4,5,6,7,8,9,10]"


def a_report(*, figures: dict[str, str] | None = None, files: int = 1, text: str = "", texts: int = 1) -> ReportContent:
    """Build a report with so many attachments and so many sections of that text."""
    return ReportContent(
        number="1/BC",
        issued_on=date(2024, 12, 1),
        signed_by="Lê Văn A",
        is_nil_return=False,
        sections={f"s-{number}": text for number in range(texts)},
        indicators={code: Decimal(figure) for code, figure in (figures or {}).items()},
        attachments=(FiledAttachment(media_type="application/pdf", sha256="a" * 64),) * files,
    )


def nest_loops(depth: int, innermost: str) -> str:
    """Build a condition that goes through ten numbers for each of ten numbers, and so on."""
    return "".join(f"{TENS}.all(x{level}, " for level in range(depth)) + innermost + ")" * depth


@pytest.mark.parametrize(
    "expression",
    [
        "indicators.a + indicators.b <= indicators.total",
        "attachments.all(a, a.media_type.matches('^application/(pdf|msword)$') && size(a.sha256) == 64)",
        "sections.all(id, size(sections[id]) > 20 && !sections[id].contains('chưa có'))",
        "sections.all(id, sections[id].matches('(?i)[a-zđ]+'))",
        " && ".join(f'(!("c-{number}" in indicators) || indicators["c-{number}"] >= 0)' for number in range(60)),
        nest_loops(3, "x0 + x1 + x2 > 0"),
    ],
)
def test_what_goes_through_each_part_once_is_affordable(expression: str) -> None:
    """Every condition that is linear in the report is below the bound."""
    assert conditions.compile_condition(expression).cost <= COST_MAX


@pytest.mark.parametrize(
    "expression",
    [
        "attachments.all(a, attachments.all(b, a.sha256 == b.sha256))",
        "sections.all(a, sections.all(b, a == b))",
        "indicators.all(a, indicators.exists(b, indicators[a] < indicators[b]))",
        nest_loops(5, "x0 > 0"),
        nest_loops(12, "x0 > 0"),
        "[0].map(a, indicators.map(b, b)).all(c, c.all(d, indicators.all(e, d != e)))",
        "indicators.map(a, indicators.map(b, b)).size() > 0",
        "(indicators.map(a, a) + indicators.map(a, a)).all(a, indicators.all(b, a != b))",
        # Through all text again and again, or slowly.
        "sections.all(id, sections.all(other, sections[id].contains(sections[other])))",
        "sections.all(id, sections[id].matches('(?:.*a){100}'))",
        # One key of the largest section, taken out and used for each indicator.
        "indicators.all(code, sections[sections.filter(id, size(sections[id]) > 1000)[0]].contains(code))",
        "sections.map(id, id).all(id, sections[id].contains('x'))",
        # Texts and lists that double.
        "[signed_by]" + ".map(x, x + x)" * 20 + ".size() > 0",
        "[1]" + ".map(x, [x, x])" * 40 + " == [2]" + ".map(x, [x, x])" * 40,
        "signed_by.matches('.*a.{300}c')",
        " || ".join(["signed_by.contains(signed_by)"] * 60),
    ],
)
def test_what_costs_more_than_the_bound_is_refused(expression: str) -> None:
    """The refusal says what it costs, what it may cost and what to do."""
    with pytest.raises(InvalidExpression, match=rf"too costly: \d+ steps .* at most {COST_MAX}; go through fewer"):
        conditions.compile_condition(expression)
    assert not ConditionContext(a_report()).satisfies(expression)


def test_a_condition_that_was_published_although_it_is_none_costs_nothing() -> None:
    """What is refused once is not read again for each report."""
    expression = "(" * 1_500 + "1 > " + ")" * 1_500
    context = ConditionContext(a_report())
    assert not context.satisfies(expression)
    started = time.process_time()
    for _ in range(10_000):
        assert not context.satisfies(expression)
    assert time.process_time() - started < 1


def test_a_report_beyond_the_bounds_of_intake_costs_no_more_either() -> None:
    """The bound holds for the evaluation as well: a condition on a larger report is unmet when it is reached."""
    expression = f"attachments.all(a, {nest_loops(1, 'x0 > 0')})"
    assert ConditionContext(a_report(files=500)).satisfies(expression)
    started = time.process_time()
    assert not ConditionContext(a_report(files=200_000)).satisfies(expression)
    assert not ConditionContext(a_report(files=200_000)).satisfies(f"attachments.exists(a, !{nest_loops(1, 'x0 > 0')})")
    assert time.process_time() - started < 5


def test_the_most_costly_conditions_take_a_fraction_of_a_second() -> None:
    """Conditions near the bound, on the largest report that intake takes, end in time."""
    largest = a_report(files=500, text="abđ " * 500, texts=500)
    started = time.process_time()
    for expression in (
        nest_loops(4, "x0 > 0"),
        "sections.all(id, sections[id].matches('.*a.{9}d$') || true)",
        "sections.all(id, !sections[id].matches('(a|b)*a(a|b){9}x'))",
    ):
        assert ConditionContext(largest).satisfies(expression)
    assert time.process_time() - started < 5


def test_a_figure_of_too_many_digits_satisfies_nothing() -> None:
    """A figure that nobody can calculate with is given, and makes every comparison fail."""
    context = ConditionContext(a_report(figures={"long": "0." + "1" * 200_000, "tiny": "1e-9999", "b": "1"}))
    assert context.satisfies("has(indicators.long) && indicators.b == 1")
    for code in ("long", "tiny"):
        for expression in (f"indicators.{code} > 0", f"indicators.{code} <= 1", f"indicators.{code} * 2 < 9"):
            assert not context.satisfies(expression)


def test_names_that_nothing_has_are_told() -> None:
    """Names of a macro are no names of a submission, and one that nothing has is told to the author of the plan."""
    assert conditions.compile_condition("sections.all(x, x != '') && figures.x > y").unknown == {"figures", "y"}
