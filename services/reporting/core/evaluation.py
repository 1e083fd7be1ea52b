"""The grade that the rules of a plan give an agency for one report, with its reason (contract section 7, `grading`).

The first rule whose condition holds decides. What an officer recorded stands beside it and is not known here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from schemas.cel import compiler, syntax
from schemas.cel.compiler import CostExceeded, Evaluate, Frame, Scope
from schemas.cel.costs import SMALL
from schemas.cel.syntax import InvalidExpression
from schemas.cel.values import Value
from schemas.events.assessments import Status
from schemas.plan.grading import GRADING_VARIABLES, GradeRule
from schemas.plan.values import Bilingual
from services.reporting.core import labels
from services.reporting.core.content import condition_words
from services.reporting.core.duty_counts import EXCLUDED_STATUSES

PERIODS_BEFORE = 3
"""How many periods before are looked at for `late_before`."""

_LATE_STATUSES = frozenset({Status.LATE, Status.OVERDUE, Status.INCOMPLETE})
_NOT_GRADED = frozenset({Status.NOT_APPLICABLE, Status.PENDING, Status.OPEN, *EXCLUDED_STATUSES})


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedWork:
    """What an agency's report is graded by: the variables of `schemas.plan.grading`."""

    status: Status
    days_late: int = 0
    flags: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    submissions: int = 0
    urgings: int = 0
    returned: int = 0
    late_before: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """The grade, its title, and its reason: the condition in words, and the values that made it true."""

    grade: str
    title: Bilingual
    reason: Bilingual


@dataclass(frozen=True, slots=True, kw_only=True)
class NoGrade:
    """No grade, and why: the plan has no rules, none of them holds, or there is nothing to grade."""

    reason: Bilingual


def grade_work(rules: Sequence[GradeRule], work: GradedWork) -> Grade | NoGrade:
    """Grade *work* by the first of *rules* that holds.

    Who does not owe the report, or not yet, is not graded: a last rule that always holds is about those who owe it.
    """
    if not rules:
        return NoGrade(reason=_NO_RULES)
    if work.status in _NOT_GRADED:
        return NoGrade(reason=_describe_not_graded(work.status))
    variables = _list_variables(work)
    for rule in rules:
        if _holds(rule.when, variables):
            return Grade(grade=rule.grade, title=rule.title, reason=_describe_reason(rule.when, variables))
    return NoGrade(reason=_NO_RULE_HOLDS)


def is_late(status: Status) -> bool:
    """Whether a duty of a period before counts for `late_before`: it was late, incomplete or not filed."""
    return status in _LATE_STATUSES


def _list_variables(work: GradedWork) -> dict[str, Value]:
    return {
        "status": work.status.value,
        "days_late": Decimal(work.days_late),
        "flags": list(work.flags),
        "missing": list(work.missing),
        "submissions": Decimal(work.submissions),
        "urgings": Decimal(work.urgings),
        "returned": Decimal(work.returned),
        "late_before": Decimal(work.late_before),
    }


def _holds(expression: str, variables: Mapping[str, Value]) -> bool:
    """Whether the condition is true; one that has no value is not, and `dondoc check` refuses an invalid one."""
    evaluate = _compile(expression)
    if evaluate is None:
        return False
    try:
        return evaluate(Frame(dict(variables))) is True
    except (*compiler.NOT_EVALUABLE, CostExceeded):
        return False


@lru_cache(maxsize=1024)
def _compile(expression: str) -> Evaluate | None:
    try:
        scope = Scope({name: (name, SMALL) for name in GRADING_VARIABLES}, set())
        return compiler.compile_node(syntax.parse(expression), scope).evaluate
    except InvalidExpression:
        return None


def _describe_reason(expression: str, variables: Mapping[str, Value]) -> Bilingual:
    def describe(language: str) -> str:
        condition = condition_words.describe_condition(expression, language)
        values = condition_words.describe_values(expression, variables, language)
        return f"{condition} ({values})" if values else condition

    return Bilingual(vi=describe("vi"), en=describe("en"))


def _describe_not_graded(status: Status) -> Bilingual:
    return Bilingual(
        vi=f"chưa xếp loại: {labels.status_label(status, 'vi').lower()}",
        en=f"not graded: {labels.status_label(status, 'en').lower()}",
    )


_NO_RULES = Bilingual(vi="kế hoạch không quy định cách xếp loại", en="the plan has no rules of grading")
_NO_RULE_HOLDS = Bilingual(vi="không thuộc trường hợp xếp loại nào của kế hoạch", en="no rule of the plan holds")
