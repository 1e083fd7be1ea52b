"""Rules for the indicators of a plan: which are declared twice, which codes are unknown, which formulas cannot be.

The syntax of a formula is checked by the models.
"""

from collections.abc import Iterator, Mapping

from schemas.lint import id_checks
from schemas.lint.diagnostics import Finding, Severity
from schemas.lint.document_tree import Node
from schemas.plan import figures

_RATIO = "ratio"


def check_indicators(plan: Node) -> Iterator[Finding]:
    """Yield every fault of the indicators that *plan* declares, and of the codes that its obligations name."""
    declared = {one["code"].text: one for one in plan["indicators"].each() if one["code"].text}
    yield from id_checks.find_duplicates(one["code"] for one in plan["indicators"].each())
    for indicator in plan["indicators"].each():
        yield from check_range(indicator)
        yield from _check_kind(indicator, declared)
    for obligation in plan["obligations"].each():
        for version in obligation["versions"].each():
            yield from _check_codes(version, declared)


def check_range(indicator: Node) -> Iterator[Finding]:
    """Yield a fault if no figure can lie in the range of *indicator*."""
    least, most = indicator["min"].value, indicator["max"].value
    # Only numbers are compared; what is none of them is reported by the models.
    if isinstance(least, int | float) and isinstance(most, int | float) and most < least:
        yield indicator["max"].finding(f"{most} is less than `min`, {least}; no figure can satisfy both")


def _check_kind(indicator: Node, declared: Mapping[str, Node]) -> Iterator[Finding]:
    formula, is_ratio = indicator["formula"], indicator["kind"].text == _RATIO
    if is_ratio and not formula.is_given:
        yield indicator["kind"].finding("a ratio is worked out; write its `formula`, such as `a * 100 / b`")
    elif formula.is_given and not is_ratio:
        yield formula.finding("only a ratio has a formula; write `kind: ratio`")
    if not is_ratio:
        return
    for code in _codes_of(formula):
        if code not in declared:
            yield formula.finding(f"unknown indicator {code!r}{id_checks.suggest(code, declared)}")
        elif declared[code]["kind"].text == _RATIO:
            yield formula.finding(f"{code!r} is a ratio itself; name the figures that it is worked out from")


def _codes_of(formula: Node) -> tuple[str, ...]:
    try:
        return figures.parse_formula(formula.text).codes
    except ValueError:
        return ()


def _check_codes(version: Node, declared: Mapping[str, Node]) -> Iterator[Finding]:
    required, accepted = version["requires"]["indicators"].each(), version["accepts"]["indicators"].each()
    given = {code_of(one).text for one in required}
    yield from id_checks.find_duplicates(accepted, Severity.WARNING)
    yield from (one.warning("it is required already") for one in accepted if one.text in given)
    for one in (*required, *accepted):
        # A mapping defines the indicator in place.
        if one.text and one.text not in declared:
            yield one.finding(
                f"unknown indicator {one.text!r}{id_checks.suggest(one.text, declared)}; "
                "declare it under `indicators` of the plan"
            )
        elif code_of(one).text in declared and declared[code_of(one).text]["kind"].text == _RATIO:
            yield one.finding(f"{code_of(one).text!r} is a ratio, which is worked out and never asked for")


def code_of(indicator: Node) -> Node:
    """Return the code of a required indicator, which may be written alone."""
    return indicator["code"] if indicator["code"].is_given else indicator
