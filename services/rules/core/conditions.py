"""Conditions of completeness: expressions in CEL over a submission, which see what `VARIABLES` names.

Numbers are exact decimals and mix freely: `indicators.a + indicators.b <= indicators.total`,
`indicators.overdue * 100 / indicators.loans < 2.5` (contract ruling 16).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from schemas.cel import compiler, syntax
from schemas.cel.compiler import CostExceeded, Evaluate, Frame, Scope
from schemas.cel.costs import COST_MAX, SMALL, Shape
from schemas.cel.syntax import InvalidExpression
from schemas.cel.values import Value, to_figure
from services.rules.core.facts import ReportContent

# What intake takes at most (contract section 3): sections, indicators and attachments, the characters of an event, and
# those of a media type and of a digest.
ITEMS_MAX = 500
CHARS_MAX = 1024 * 1024
MEDIA_TYPE_MAX = 255

_TEXT = Shape(size=CHARS_MAX)
_SHARE = Shape(size=CHARS_MAX // ITEMS_MAX)


def _attachments_of(report: ReportContent) -> Value:
    return [{"media_type": one.media_type, "sha256": one.sha256} for one in report.attachments]


# The variables that an expression may use: how each is read from a report, and what it can be at most.
VARIABLES: Mapping[str, tuple[Callable[[ReportContent], Value], Shape]] = {
    "indicators": (
        lambda report: {code: to_figure(figure) for code, figure in report.indicators.items()},
        Shape(size=ITEMS_MAX, item=SMALL, share=_SHARE, is_map=True),
    ),
    "sections": (lambda report: dict(report.sections), Shape(size=ITEMS_MAX, item=_TEXT, share=_SHARE, is_map=True)),
    "attachments": (
        _attachments_of,
        Shape(size=ITEMS_MAX, item=Shape(size=2, item=Shape(size=MEDIA_TYPE_MAX), is_map=True)),
    ),
    "signed_by": (lambda report: report.signed_by, _TEXT),
    "nil_return": (lambda report: report.is_nil_return, SMALL),
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled expression; `cost` is what an evaluation costs at most, `unknown` the names that nothing has."""

    evaluate: Evaluate
    cost: int
    unknown: frozenset[str]


def compile_condition(expression: str) -> Condition:
    """Return the compiled *expression*; raise `InvalidExpression` if it is not CEL or costs more than `COST_MAX`."""
    found = _compile_once(expression)
    if isinstance(found, InvalidExpression):
        raise found
    return found


# Refusals are kept as well: an invalid condition of a published plan is asked about for every report.
@lru_cache(maxsize=4096)
def _compile_once(expression: str) -> Condition | InvalidExpression:
    scope = Scope({name: (name, shape) for name, (_, shape) in VARIABLES.items()}, set())
    try:
        compiled = compiler.compile_node(syntax.parse(expression), scope)
    except InvalidExpression as refusal:
        return refusal
    if compiled.cost > COST_MAX:
        return InvalidExpression(
            f"the condition is too costly: {compiled.cost} steps for a report with {ITEMS_MAX} sections, indicators"
            f" and attachments, at most {COST_MAX}; go through fewer lists within one another"
        )
    return Condition(compiled.evaluate, compiled.cost, frozenset(scope.unbound))


def cost_of(expression: str) -> int:
    """Return the units that one evaluation costs at most; 0 for an expression that is refused, so never evaluated."""
    try:
        return compile_condition(expression).cost
    except InvalidExpression:
        return 0


class ConditionContext:
    """One report, as the variables of conditions."""

    __slots__ = ("_report", "_variables")

    def __init__(self, report: ReportContent) -> None:
        self._report = report
        self._variables: dict[str, Value] | None = None

    def satisfies(self, expression: str) -> bool:
        """Whether *expression* is true of the report; one that cannot be evaluated (a figure is missing) is false."""
        condition = _compile_once(expression)
        if isinstance(condition, InvalidExpression):
            return False
        if self._variables is None:
            self._variables = {name: read(self._report) for name, (read, _) in VARIABLES.items()}
        try:
            return condition.evaluate(Frame(self._variables)) is True
        except (*compiler.NOT_EVALUABLE, CostExceeded):
            return False
