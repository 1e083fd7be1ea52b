"""The first rule that holds grades an agency, and says why in words and values."""

from typing import Any

import pytest

from schemas.events.assessments import Status
from schemas.plan.grading import GRADING_VARIABLES, GradeRule
from services.reporting.core import evaluation
from services.reporting.core.evaluation import Grade, GradedWork, NoGrade


def a_rule(grade: str, when: str) -> GradeRule:
    """Return a rule."""
    return GradeRule.model_validate({"grade": grade, "title": {"vi": f"Loại {grade}"}, "when": when})


RULES = (
    a_rule("A", "status == 'on_time' && returned == 0 && !('needs_reconciliation' in flags)"),
    a_rule("B", "status == 'on_time' || (status == 'late' && days_late <= 7 && late_before == 0)"),
    a_rule("C", "status in ['late', 'incomplete']"),
    a_rule("D", "true"),
)


def grade(*rules: GradeRule, status: Status = Status.ON_TIME, **work: Any) -> Grade:
    """Return the grade of a report."""
    found = evaluation.grade_work(rules or RULES, GradedWork(status=status, **work))
    assert isinstance(found, Grade)
    return found


@pytest.mark.parametrize(
    ("status", "work", "expected"),
    [
        (Status.ON_TIME, {}, "A"),
        (Status.ON_TIME, {"returned": 1}, "B"),
        (Status.ON_TIME, {"flags": ("needs_reconciliation",)}, "B"),
        (Status.LATE, {"days_late": 7}, "B"),
        (Status.LATE, {"days_late": 8}, "C"),
        (Status.LATE, {"days_late": 1, "late_before": 1}, "C"),
        (Status.INCOMPLETE, {}, "C"),
        (Status.OVERDUE, {}, "D"),
    ],
)
def test_the_first_rule_that_holds_decides(status: Status, work: dict[str, Any], expected: str) -> None:
    """Whatever rules behind it hold as well."""
    assert grade(status=status, **work).grade == expected


def test_the_reason_says_the_condition_and_the_values_that_made_it_true() -> None:
    """In both languages, with the labels of statuses and flags."""
    reason = grade(status=Status.LATE, days_late=3).reason
    assert reason.vi == (
        "đúng hạn hoặc (trễ hạn, trễ không quá 7 ngày và ba kỳ trước không trễ)"
        " (tình trạng: “Trễ hạn”; số ngày trễ: 3; số kỳ trễ trong ba kỳ trước: 0)"
    )
    assert reason.in_language("en").startswith("on time or (late, at most 7 days late and not late in the three")
    assert grade(status=Status.OVERDUE).reason.vi == "mọi trường hợp còn lại"
    listed = grade(a_rule("C", "status in ['late', 'incomplete'] && size(missing) < 2"), status=Status.LATE).reason
    assert listed.vi.startswith("(trễ hạn hoặc chưa đầy đủ) và số lượng phần còn thiếu nhỏ hơn 2")
    assert listed.vi.endswith("phần còn thiếu: không có)")


def test_a_condition_without_words_is_quoted() -> None:
    """Everything that CEL has may grade, and the values are told in any case."""
    reason = grade(a_rule("A", "flags.all(f, f != 'duplicate') ? submissions > 0 : false"), submissions=2).reason
    assert reason.vi.startswith("“flags.all(f, f != 'duplicate') ? submissions > 0 : false” (")
    assert "số lần gửi: 2" in reason.vi


@pytest.mark.parametrize("name", GRADING_VARIABLES)
def test_every_variable_can_grade(name: str) -> None:
    """Each has a value, and words."""
    found = grade(a_rule("A", f"{name} == {name}"), flags=("duplicate",), missing=("sections.results",))
    assert name not in found.reason.vi


@pytest.mark.parametrize("when", ["missing[0] == 'x'", "status > 3", "unknown == 1", "1 / days_late > 0"])
def test_a_condition_that_has_no_value_does_not_hold(when: str) -> None:
    """The next rule is asked."""
    assert grade(a_rule("A", when), a_rule("B", "true")).grade == "B"


@pytest.mark.parametrize(
    ("rules", "status", "words"),
    [
        ((), Status.ON_TIME, "không quy định"),
        ((a_rule("A", "status == 'late'"),), Status.ON_TIME, "không thuộc trường hợp"),
        (RULES, Status.EXEMPT, "được miễn"),
        (RULES, Status.PENDING, "chưa đến hạn"),
        (RULES, Status.SUPERSEDED, "kế thừa"),
    ],
)
def test_who_has_no_grade_is_told_why(rules: tuple[GradeRule, ...], status: Status, words: str) -> None:
    """No rules, none that holds, or nothing that is owed: the last rule is not about those who owe nothing."""
    found = evaluation.grade_work(rules, GradedWork(status=status))
    assert isinstance(found, NoGrade)
    assert words in found.reason.vi


def test_what_counts_as_late_before() -> None:
    """Late, incomplete and missing reports; not those that were not owed."""
    late = {status for status in Status if evaluation.is_late(status)}
    assert late == {Status.LATE, Status.OVERDUE, Status.INCOMPLETE}
