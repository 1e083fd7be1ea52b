"""The words and the drawing of a season's page."""

import re
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.core.duty_counts import DutyCounts
from services.reporting.core.season.arrivals import Arrivals
from services.reporting.dashboard import templating
from services.reporting.dashboard.evidence_texts import EVIDENCE_TEXTS
from services.reporting.dashboard.season import curve_chart, indicator_rows, sentence
from services.reporting.dashboard.season.curve_chart import CurveInput
from services.reporting.dashboard.season_texts import SEASON_TEXTS
from tests.support.builders.annual_report import DUE

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
COUNTS = DutyCounts(on_time=22, late=2, incomplete=3, overdue=1, pending=18)


def read_sentence(language: str, *, hours: int, behind: int | None = None) -> str:
    """Write the sentence *hours* after the due instant."""
    parts = sentence.write_sentence(
        COUNTS, due_at=DUE, as_of=DUE + timedelta(hours=hours), behind=behind, language=language
    )
    return "".join(f"{'' if part.number is None else part.number}{part.text}" for part in parts)


@pytest.mark.parametrize(
    ("language", "hours", "behind", "expected"),
    [
        ("vi", -7, 11, "Còn 7 giờ đến hạn: 24 trong 46 đơn vị đã gửi đầy đủ, 3 gửi chưa đầy đủ, 18 chưa gửi; ít hơn"),
        ("vi", 72, None, "Đã qua hạn 3 ngày: 22 trong 46 đơn vị gửi đúng hạn, 2 gửi trễ, 3 chưa đầy đủ, 19 chưa gửi."),
        ("en", -49, 0, "2 days to go: 24 of 46 agencies have reported completely, 3 incompletely, and 18 not yet; as"),
        (
            "en",
            1,
            -2,
            "Due 1 hour ago: 22 of 46 agencies reported on time, 2 late, 3 incompletely, and 19 not at all;",
        ),
    ],
)
def test_the_page_opens_with_a_sentence(language: str, hours: int, behind: int | None, expected: str) -> None:
    """It says how long there is or was, who has reported, and how that compares with last year."""
    assert read_sentence(language, hours=hours, behind=behind).startswith(expected)


@pytest.mark.parametrize(
    ("clause", "language", "expected"),
    [
        ("III.1", "vi", "Mục III.1"),
        ("III.1", "en", "Clause III.1"),
        ("Điều 7, khoản 1", "vi", "Khoản 1 Điều 7"),
        ("khoản 2 Điều 12", "vi", "Khoản 2 Điều 12"),
        ("Phụ lục I", "vi", "Phụ lục I"),
    ],
)
def test_a_clause_is_named_as_its_document_names_it(clause: str, language: str, expected: str) -> None:
    """Only a clause that is a bare number is called "mục"."""
    assert templating.name_clause(clause, language) == expected


@given(
    days=st.integers(-400, 400),
    lead=st.integers(0, 200),
    arrived=st.lists(st.integers(-100, 100), max_size=8),
    before=st.none() | st.lists(st.integers(-100, 100), max_size=8),
)
def test_every_moment_has_a_chart(days: int, lead: int, arrived: list[int], before: list[int] | None) -> None:
    """Whatever the moment and the reminders, all lies inside the drawing, and the lines end where they should."""

    def curve_of(given_days: list[int]) -> Arrivals:
        instants = tuple(sorted(DUE + timedelta(days=one, minutes=number) for number, one in enumerate(given_days)))
        return Arrivals(expected=8, instants=instants, counts=tuple(range(1, len(instants) + 1)))

    as_of = DUE + timedelta(days=days)
    given = CurveInput(
        now=curve_of(arrived),
        before=None if before is None else curve_of(before),
        due_at=DUE,
        lead=timedelta(days=lead),
        as_of=as_of,
        zone=ZONE,
    )
    chart = curve_chart.lay_out_chart(given)
    numbers = [float(one) for one in re.findall(r"-?\d+(?:\.\d+)?", chart.line + chart.area + chart.line_before)]
    assert all(0 <= one <= curve_chart.WIDTH for one in numbers)
    assert all(0 <= one <= 100 for one in (chart.due_share, chart.now_share, chart.now_height, chart.before_height))
    assert all(0 <= tick.share <= 100 for tick in chart.ticks)
    assert 1 <= len(chart.grid) <= 5
    shown = min(max(as_of, chart.starts_at), chart.ends_at)
    assert chart.count_now == given.now.count_at(shown)
    assert [row.now is None for row in chart.rows] == sorted(row.now is None for row in chart.rows)


@pytest.mark.parametrize(
    ("value", "vietnamese", "english"),
    [
        ("9984.2", "9.984,2", "9,984.2"),
        ("-0.02", "\u22120,02", "\u22120.02"),
        ("1000", "1.000", "1,000"),
        ("0.004", "0", "0"),
        ("1E+3", "1.000", "1,000"),
    ],
)
def test_a_figure_is_written_as_its_reader_does(value: str, vietnamese: str, english: str) -> None:
    """Only as many decimals as there are, at most two."""
    assert indicator_rows.format_figure(Decimal(value), "vi") == vietnamese
    assert indicator_rows.format_figure(Decimal(value), "en") == english


def test_every_text_is_in_both_languages_and_has_the_same_blanks() -> None:
    """A blank that one language lacks would be an error on one page."""
    for name, text in (SEASON_TEXTS | EVIDENCE_TEXTS | templating.TEXTS).items():
        blanks = [sorted(re.findall(r"\{(\w+)", text.in_language(language))) for language in ("vi", "en")]
        assert blanks[0] == blanks[1], name


def test_one_of_a_thing_has_no_plural() -> None:
    """`1 day late`, not `1 days late`; Vietnamese has one form."""
    assert templating.text("late_by", "en", days=1) == "1 day late"
    assert templating.text("late_by", "en", days=3) == "3 days late"
    assert templating.text("late_by", "vi", days=1) == "trễ 1 ngày"


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("{{ 'Báo cáo quý'|with_period('2026-Q3', 'vi') }}", "Báo cáo quý III năm 2026"),
        ("{{ 'Báo cáo của cấp xã'|with_period('2025-9M', 'vi') }}", "Báo cáo của cấp xã 9 tháng đầu năm 2025"),
        ("{{ 'Report'|with_period(none, 'en') }}", "Report"),
        ("{{ '2026-H1'|period_name('vi') }}", "6 tháng đầu năm 2026"),
    ],
)
def test_pages_name_periods_as_people_do(template: str, shown: str) -> None:
    """No `2025-9M` after a title."""
    assert templating.build_environment().from_string(template).render() == shown
