"""What is missing from a report, by the names under `requires` in the plan."""

import pytest

from schemas.plan.indicators import Indicator
from schemas.plan.plan import Acceptance, Requirements
from services.rules.core.completeness import combine_requirements, find_missing
from services.rules.core.facts import ReportContent, Submission
from tests.support.assertions.spec import a_fact
from tests.support.builders.plans import Json, a_submission

EMPTY: Json = {"nil_return": False, "figures_as_of": None, "sections": {}, "indicators": {}}


def a_report(*, signed_by: str = "Lê Văn A", files: tuple[str, ...] = (), **content: object) -> ReportContent:
    """Build a report with *content*, a signature and files of some media types."""
    data = {
        "document": {"number": "1/BC", "issued_on": "2024-12-01", "signed_by": signed_by, "title": "BC"},
        "content": EMPTY | content,
        "attachments": [{"name": "f", "media_type": one, "size": 1, "sha256": "a" * 64, "url": None} for one in files],
    }
    fact = a_fact(a_submission(data=data), "2024-12-01 08:00")
    assert isinstance(fact, Submission)
    return fact.report


def missing_from(
    requires: Json, report: ReportContent, *, accepts: tuple[str, ...] = (), declared: tuple[Json, ...] = ()
) -> tuple[str, ...]:
    """Return what is missing from *report*, by a plan that has *declared* some indicators."""
    indicators = [Indicator.model_validate(one) for one in declared]
    acceptance = Acceptance(indicators=accepts)
    return find_missing(combine_requirements(Requirements.model_validate(requires), acceptance, indicators), report)


def a_check(cel: str) -> Json:
    """Build a condition of the plan."""
    return {"checks": [{"id": "c", "cel": cel, "message": {"vi": "Sai"}}]}


def test_being_a_submission_is_enough_by_default() -> None:
    """A report without a signature is complete if the plan requires nothing."""
    assert missing_from({}, a_report(signed_by="")) == ()


def test_everything_missing_is_named_in_the_plan_s_order() -> None:
    """Missing parts are named in the plan's order: sections, indicators, attachments, signature, checks."""
    requires = {
        "sections": ["b", "a"],
        "indicators": [{"code": "x"}],
        "attachments": {"min": 1},
        "signed": True,
        **a_check("indicators.x > 0.0"),
    }
    names = ("sections.b", "sections.a", "indicators.x", "attachments", "signed", "checks.c")
    assert missing_from(requires, a_report(signed_by=" ")) == names


@pytest.mark.parametrize("text, names", [("Đã làm", ()), ("  \n", ("sections.results",)), ("", ("sections.results",))])
def test_a_section_wants_text(text: str, names: tuple[str, ...]) -> None:
    """A section of nothing but white space is missing."""
    assert missing_from({"sections": ["results"]}, a_report(sections={"results": text})) == names


def test_a_section_is_missing_under_its_id_whatever_it_is_called() -> None:
    """A section with a title is missing under its id, as one without a title is."""
    titled = {"sections": [{"id": "results", "title": {"vi": "Kết quả"}}, {"id": "plans"}, "causes"]}
    names = ("sections.results", "sections.plans", "sections.causes")
    assert (
        missing_from(titled, a_report())
        == missing_from({"sections": ["results", "plans", "causes"]}, a_report())
        == names
    )
    assert missing_from(titled, a_report(sections={"results": "x", "plans": "x", "causes": "x"})) == ()


@pytest.mark.parametrize(
    "figure, is_given",
    [(0, True), (100, True), ("99.9", True), (-1, False), (100.1, False), ("-0.1", False), (None, False)],
)
def test_a_figure_lies_within_its_range(figure: float | str | None, *, is_given: bool) -> None:
    """A figure is given if it lies within the range, ends included; it may be written as a decimal string."""
    requires = {"indicators": [{"code": "x", "unit": "%", "min": 0, "max": 100}]}
    assert (missing_from(requires, a_report(indicators={"x": figure})) == ()) is is_given


@pytest.mark.parametrize("limit", [0.7, 0.1, 58.849, 1e22, 100])
def test_a_limit_is_the_number_that_is_written(limit: float) -> None:
    """A figure equal to its limit, digit for digit, lies within: a double of 0.7 is a little less than 0.7."""
    requires = {"indicators": [{"code": "x", "min": limit, "max": limit}]}
    assert missing_from(requires, a_report(indicators={"x": str(limit)})) == ()


@pytest.mark.parametrize(("figure", "is_whole"), [("3", True), ("3.0", True), ("3.5", False), (0.1, False)])
def test_a_definition_in_place_may_ask_for_a_whole_number(figure: float | str, *, is_whole: bool) -> None:
    """`integer` is asked for in the same place as `min` and `max`, and is exact as they are."""
    requires: Json = {"indicators": [{"code": "x", "unit": "household", "integer": True}]}
    assert missing_from(requires, a_report(indicators={"x": figure})) == (() if is_whole else ("indicators.x",))


def test_a_figure_without_range_may_be_any_number() -> None:
    """A figure without a range only has to be given."""
    assert missing_from({"indicators": [{"code": "x"}]}, a_report(indicators={"x": -(10.0**20)})) == ()


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
    """Only attachments of the required media types count, whatever their case and parameters."""
    requires = {"attachments": {"min": 2, "media_types": ["application/pdf"]}}
    assert (missing_from(requires, a_report(files=files)) == ()) is is_enough


def test_any_file_will_do_where_no_type_is_named() -> None:
    """Without required media types a file of any type counts."""
    assert missing_from({"attachments": {"min": 1}}, a_report(files=("image/png",))) == ()


@pytest.mark.parametrize(
    "cel, holds",
    [
        ("indicators.overdue / indicators.total < 0.02", True),
        ("indicators.overdue * 100.0 <= indicators.total", True),
        ("indicators.overdue > indicators.total", False),
        ("indicators.nowhere > 0.0", False),
        ("!has(indicators.nowhere) || indicators.nowhere > 0.0", True),
        ("indicators.total / 0 > 1", False),
        ("indicators.total * 1.5 == 1500 && indicators.total == 1000.0", True),
        ("size(sections.results) > 3", True),
        ("size(attachments) == 1 && attachments[0].media_type == 'application/pdf'", True),
        ("signed_by != '' && !nil_return", True),
        ("indicators.total", False),
        ("'text' < 3", False),
    ],
)
def test_a_condition_holds_only_where_it_evaluates_to_true(cel: str, *, holds: bool) -> None:
    """A condition that cannot be evaluated, or whose value is no boolean, is unmet."""
    report = a_report(
        sections={"results": "Đã làm"}, indicators={"total": 1000, "overdue": "5.5"}, files=("application/pdf",)
    )
    assert (missing_from(a_check(cel), report) == ()) is holds


def test_each_condition_is_judged_by_itself() -> None:
    """A condition that cannot be evaluated makes no difference to others that use the same variables."""
    expressions = ("indicators.a / 0 > 1", "indicators.a > 1.0", "size(sections) == 0", "indicators.a > 2.0")
    checks = [
        {"id": f"c-{number}", "cel": cel, "message": {"vi": "Sai", "en": "Wrong"}}
        for number, cel in enumerate(expressions)
    ]
    assert missing_from({"checks": checks}, a_report(indicators={"a": 2})) == ("checks.c-0", "checks.c-3")


def test_a_nil_return_lacks_at_most_its_signature() -> None:
    """Ruling 11: only the signature can be missing from a nil return."""
    requires = {"sections": ["a"], "indicators": [{"code": "x"}], "attachments": {"min": 1}, **a_check("false")}
    assert missing_from(requires | {"signed": True}, a_report(nil_return=True, signed_by="")) == ("signed",)
    assert missing_from(requires, a_report(nil_return=True)) == ()


CUSTOMERS: Json = {"code": "customers", "min": 0, "max": "0.3", "integer": True}


@pytest.mark.parametrize(
    ("figure", "names"),
    [
        (None, ()),
        ("0", ()),
        ("-1", ("indicators.customers",)),
        ("0.3", ("indicators.customers",)),
        ("1", ("indicators.customers",)),
    ],
)
def test_an_accepted_figure_may_be_missing_but_not_out_of_its_limits(
    figure: str | None, names: tuple[str, ...]
) -> None:
    """The limits of a declared indicator hold wherever its figure is given."""
    indicators = {} if figure is None else {"customers": figure}
    report = a_report(indicators=indicators)
    assert missing_from({}, report, accepts=("customers",), declared=(CUSTOMERS,)) == names


def test_a_required_code_has_the_limits_of_the_declared_indicator() -> None:
    """Those of a definition in place go before them."""
    report = a_report(indicators={"loans": "0.30"})
    declared: Json = {"code": "loans", "max": 0.3}
    assert missing_from({"indicators": ["loans"]}, report, declared=(declared,)) == ()
    assert missing_from({"indicators": ["loans"]}, report, declared=(declared | {"max": 0.2},)) == ("indicators.loans",)
    in_place = {"indicators": [{"code": "loans", "max": 1}]}
    assert missing_from(in_place, report, declared=(declared | {"max": 0.2},)) == ()
