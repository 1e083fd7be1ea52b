"""Figures that look like a slip are found by their own proportions, and by the figures of a year before."""

from decimal import Decimal

import pytest

from schemas.content import figure_findings
from schemas.content.figure_findings import FigureFinding, FindingKind
from schemas.plan.indicators import Indicator

INDICATORS = tuple(
    Indicator.model_validate(one)
    for one in (
        {"code": "loans", "title": {"vi": "Tổng dư nợ", "en": "Outstanding loans"}, "unit": "million_vnd", "min": 0},
        {"code": "overdue", "title": {"vi": "Nợ quá hạn", "en": "Overdue debt"}, "unit": "million_vnd", "min": 0},
        {"code": "customers", "unit": "customer", "integer": True},
        {"code": "points", "unit": "point", "integer": True},
        {"code": "poverty", "title": {"vi": "Tỷ lệ hộ nghèo", "en": "Poverty rate"}, "unit": "percent", "max": 100},
        {
            "code": "ratio",
            "title": {"vi": "Tỷ lệ nợ quá hạn", "en": "Overdue ratio"},
            "unit": "percent",
            "kind": "ratio",
            "formula": "overdue * 100 / loans",
            "max": 10,
        },
        {"code": "average", "kind": "ratio", "formula": "loans / customers", "min": 5, "max": 90},
    )
)
USUAL = {"loans": "512000", "overdue": "600", "customers": "10240", "points": "28", "poverty": "3.52"}
LAST_YEAR = {"loans": "498000", "overdue": "650", "customers": "10100", "points": "28", "poverty": "4.1"}


def find(given: dict[str, str], previous: dict[str, str] | None = None) -> tuple[FigureFinding, ...]:
    """Return the findings about the usual figures with those *given* in their place."""
    before = None if previous is None else {code: Decimal(one) for code, one in previous.items()}
    values = {code: Decimal(one) for code, one in (USUAL | given).items()}
    return figure_findings.find_slips(INDICATORS, values, before)


def name_kinds(given: dict[str, str], previous: dict[str, str] | None = None) -> dict[str, FindingKind]:
    """Return the kind of each finding by the code that it is about."""
    return {one.code: one.kind for one in find(given, previous)}


def test_usual_figures_raise_nothing() -> None:
    """Neither alone nor beside those of a year before; the same number of offices is no news."""
    assert find({}) == ()
    assert find({}, LAST_YEAR) == ()


def test_a_sum_in_another_unit_is_found_by_its_proportions() -> None:
    """Loans in tỷ fit neither the overdue debt nor the customers; the one cause of both is named."""
    (finding, *more) = find({"loans": "512"})
    assert (finding.code, finding.kind, more) == ("loans", FindingKind.THOUSANDFOLD, [])
    assert "Tổng dư nợ" in finding.words.vi
    assert "Outstanding loans" in finding.words.in_language("en")


def test_where_either_of_two_figures_may_be_wrong_the_ratio_is_named_with_both() -> None:
    """Without a third figure nobody can tell which of the two has the wrong unit."""
    values = {"loans": Decimal(512), "overdue": Decimal(600)}
    (finding,) = figure_findings.find_slips(INDICATORS, values, None)
    assert (finding.code, finding.kind) == ("ratio", FindingKind.THOUSANDFOLD)
    assert finding.words.vi == (
        "Tỷ lệ nợ quá hạn: 117,1875%, ngoài khoảng hợp lý đến 10; có thể “Nợ quá hạn” hoặc “Tổng dư nợ” ghi lệch "
        "1.000 lần. Đề nghị kiểm tra đơn vị tính."
    )
    assert finding.words.en == (
        "Overdue ratio: 117.1875% is outside what is plausible, to 10; perhaps “Overdue debt” or “Outstanding loans” "
        "is off by a factor of 1,000. Please check the unit."
    )


def test_a_value_that_no_factor_explains_is_out_of_range() -> None:
    """A loan of a hundred million on average may be true; it is worth a look."""
    assert name_kinds({"loans": "1024000"}) == {"average": FindingKind.OUT_OF_RANGE}
    assert name_kinds({"loans": "-1", "customers": "0"}) == {"loans": FindingKind.OUT_OF_RANGE}


@pytest.mark.parametrize(
    "loans, kind",
    [
        ("498000000", FindingKind.THOUSANDFOLD),
        ("171000000", FindingKind.THOUSANDFOLD),
        ("498", FindingKind.THOUSANDFOLD),
        ("498000", FindingKind.UNCHANGED),
        ("498000.0", FindingKind.UNCHANGED),
        ("1494000", None),
    ],
)
def test_a_figure_is_compared_with_last_years(loans: str, kind: FindingKind | None) -> None:
    """A factor of a thousand is found though the figure has grown meanwhile, and so is the same figure again."""
    found = figure_findings.find_slips(INDICATORS[:1], {"loans": Decimal(loans)}, {"loans": Decimal(498000)})
    assert [one.kind for one in found] == ([] if kind is None else [kind])


def test_a_comparison_says_both_figures_in_the_readers_language() -> None:
    """Separators, unit and title are those of the language."""
    (finding,) = figure_findings.find_slips(INDICATORS[:1], {"loans": Decimal(512)}, {"loans": Decimal(498000)})
    assert finding.words.vi == (
        "Tổng dư nợ: 512 triệu đồng, chỉ bằng khoảng 1/1.000 số liệu cùng kỳ năm trước (498.000); "
        "đề nghị kiểm tra đơn vị tính."
    )
    assert finding.words.en == (
        "Outstanding loans: 512 million VND is about 1/1,000 of the figure of a year before (498,000); "
        "please check the unit."
    )


@pytest.mark.parametrize("poverty", ["0.0352", "352"])
def test_a_percentage_is_off_by_a_hundred(poverty: str) -> None:
    """Written as a fraction, or without its decimal sign; beyond its range that shows without last year as well."""
    assert name_kinds({"poverty": poverty}, LAST_YEAR) == {"poverty": FindingKind.HUNDREDFOLD}
    assert name_kinds({"poverty": "352"}) == {"poverty": FindingKind.HUNDREDFOLD}


def test_a_ratio_is_compared_where_its_figures_say_nothing() -> None:
    """Each figure has moved less than a slip would move it, and still their ratio is forty times last year's."""
    values = {"loans": Decimal(100000), "overdue": Decimal(5200)}
    before = {"loans": Decimal(498000), "overdue": Decimal(650)}
    assert [one.code for one in figure_findings.find_slips(INDICATORS, values, before)] == ["ratio"]
    assert name_kinds({"loans": "512"}, LAST_YEAR) == {"loans": FindingKind.THOUSANDFOLD}


def test_nothing_is_compared_with_zero_or_with_what_was_not_given() -> None:
    """Zero last year, zero this year, a ratio that divides by zero and a code that nobody asked for."""
    assert find({"overdue": "0"}, {"overdue": "650", "strange": "1"}) == ()
    assert figure_findings.find_slips(INDICATORS, {"loans": Decimal(0), "overdue": Decimal(0)}, {}) == ()
    assert figure_findings.find_slips(INDICATORS, {"loans": Decimal(5)}, {"loans": Decimal(0)}) == ()
