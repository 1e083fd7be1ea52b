"""What a report still lacks, by the names under `requires` in the plan."""

import pytest

from schemas.plan.plan import Requirements
from services.rules.core import conditions
from services.rules.core.completeness import find_missing
from services.rules.core.conditions import InvalidCondition
from services.rules.core.facts import ReportContent, Submission
from tests.support.assertions.spec import received
from tests.support.builders.plans import Json, a_submission

EMPTY: Json = {"nil_return": False, "figures_as_of": None, "sections": {}, "indicators": {}}


def a_report(*, signed_by: str = "Lê Văn A", files: tuple[str, ...] = (), **content: object) -> ReportContent:
    """A report with *content*, a signature and files of some media types."""
    data = {
        "document": {"number": "1/BC", "issued_on": "2024-12-01", "signed_by": signed_by, "title": "BC"},
        "content": EMPTY | content,
        "attachments": [{"name": "f", "media_type": one, "size": 1, "sha256": "a" * 64, "url": None} for one in files],
    }
    fact = received(a_submission(data=data), "2024-12-01 08:00")
    assert isinstance(fact, Submission)
    return fact.report


def lacking(requires: Json, report: ReportContent) -> tuple[str, ...]:
    """What *report* lacks of the requirements."""
    return find_missing(Requirements.model_validate(requires), report)


def a_check(cel: str) -> Json:
    """A condition of the plan."""
    return {"checks": [{"id": "c", "cel": cel, "message": {"vi": "Sai"}}]}


def test_being_a_submission_is_enough_by_default() -> None:
    """Nothing is required unless the plan requires it."""
    assert lacking({}, a_report(signed_by="")) == ()


def test_everything_missing_is_named_in_the_plan_s_order() -> None:
    """Sections, indicators, attachments, signature, checks."""
    requires = {
        "sections": ["b", "a"],
        "indicators": [{"code": "x"}],
        "attachments": {"min": 1},
        "signed": True,
        **a_check("indicators.x > 0.0"),
    }
    names = ("sections.b", "sections.a", "indicators.x", "attachments", "signed", "checks.c")
    assert lacking(requires, a_report(signed_by=" ")) == names


@pytest.mark.parametrize("text, names", [("Đã làm", ()), ("  \n", ("sections.results",)), ("", ("sections.results",))])
def test_a_section_wants_text(text: str, names: tuple[str, ...]) -> None:
    """Blank is missing."""
    assert lacking({"sections": ["results"]}, a_report(sections={"results": text})) == names


def test_a_section_is_missing_under_its_id_whatever_it_is_called() -> None:
    """A title is for people; what rules says of a duty does not change with it."""
    titled = {"sections": [{"id": "results", "title": {"vi": "Kết quả"}}, {"id": "plans"}, "causes"]}
    names = ("sections.results", "sections.plans", "sections.causes")
    assert lacking(titled, a_report()) == lacking({"sections": ["results", "plans", "causes"]}, a_report()) == names
    assert lacking(titled, a_report(sections={"results": "x", "plans": "x", "causes": "x"})) == ()


@pytest.mark.parametrize(
    "figure, is_given",
    [(0, True), (100, True), ("99.9", True), (-1, False), (100.1, False), ("-0.1", False), (None, False)],
)
def test_a_figure_lies_within_its_range(figure: float | str | None, *, is_given: bool) -> None:
    """Both ends count; a number may be written as a decimal string."""
    requires = {"indicators": [{"code": "x", "unit": "%", "min": 0, "max": 100}]}
    assert (lacking(requires, a_report(indicators={"x": figure})) == ()) is is_given


def test_a_figure_without_range_may_be_any_number() -> None:
    """It only has to be there."""
    assert lacking({"indicators": [{"code": "x"}]}, a_report(indicators={"x": -(10.0**20)})) == ()


@pytest.mark.parametrize(
    "files, is_enough",
    [
        ((), False),
        (("application/pdf",), False),
        (("application/pdf", "image/png"), False),
        (("application/pdf", "Application/PDF; version=1.7"), True),
    ],
)
def test_attachments_count_by_media_type(files: tuple[str, ...], *, is_enough: bool) -> None:
    """Only those of the wanted types count, in any case of letters and with parameters."""
    requires = {"attachments": {"min": 2, "media_types": ["application/pdf"]}}
    assert (lacking(requires, a_report(files=files)) == ()) is is_enough


def test_any_file_will_do_where_no_type_is_named() -> None:
    """The plan asked for a file."""
    assert lacking({"attachments": {"min": 1}}, a_report(files=("image/png",))) == ()


@pytest.mark.parametrize(
    "cel, holds",
    [
        ("indicators.overdue / indicators.total < 0.02", True),
        ("indicators.overdue * 100.0 <= indicators.total", True),
        ("indicators.overdue > indicators.total", False),
        ("indicators.nowhere > 0.0", False),
        ("!has(indicators.nowhere) || indicators.nowhere > 0.0", True),
        ("indicators.total / 0 > 1", False),
        ("size(sections.results) > 3", True),
        ("size(attachments) == 1 && attachments[0].media_type == 'application/pdf'", True),
        ("signed_by != '' && !nil_return", True),
        ("indicators.total", False),
        ("'text' < 3", False),
    ],
)
def test_a_condition_holds_only_where_it_evaluates_to_true(cel: str, *, holds: bool) -> None:
    """What cannot be evaluated, or is no truth value, is unmet."""
    report = a_report(
        sections={"results": "Đã làm"}, indicators={"total": 1000, "overdue": "5.5"}, files=("application/pdf",)
    )
    assert (lacking(a_check(cel), report) == ()) is holds


def test_each_condition_is_judged_by_itself() -> None:
    """One that cannot be evaluated, or that looks at the same, makes no difference to the others."""
    expressions = ("indicators.a / 0 > 1", "indicators.a > 1.0", "size(sections) == 0", "indicators.a > 2.0")
    checks = [
        {"id": f"c-{number}", "cel": cel, "message": {"vi": "Sai", "en": "Wrong"}}
        for number, cel in enumerate(expressions)
    ]
    assert lacking({"checks": checks}, a_report(indicators={"a": 2})) == ("checks.c-0", "checks.c-3")


def test_an_expression_that_is_not_cel_says_where() -> None:
    """The engine's own words lead to the place."""
    with pytest.raises(InvalidCondition, match="1"):
        conditions.compile_expression("indicators.x >")


def test_a_nil_return_lacks_at_most_its_signature() -> None:
    """Ruling 11: there is nothing to fill in."""
    requires = {"sections": ["a"], "indicators": [{"code": "x"}], "attachments": {"min": 1}, **a_check("false")}
    assert lacking(requires | {"signed": True}, a_report(nil_return=True, signed_by="")) == ("signed",)
    assert lacking(requires, a_report(nil_return=True)) == ()
