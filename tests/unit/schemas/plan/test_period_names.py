"""Periods in words, and titles in which no word of the period is said twice."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.plan import periods
from schemas.plan.periods import Recurrence

NAMES = [
    ("2026", "năm 2026", "2026"),
    ("2026-H1", "6 tháng đầu năm 2026", "the first half of 2026"),
    ("2026-H2", "6 tháng cuối năm 2026", "the second half of 2026"),
    ("2026-9M", "9 tháng đầu năm 2026", "the first nine months of 2026"),
    ("2025-Q4", "quý IV năm 2025", "the fourth quarter of 2025"),
    ("2026-07", "tháng 7 năm 2026", "July 2026"),
    ("2026-W07", "tuần 7 năm 2026", "week 7 of 2026"),
    ("2026-W01", "tuần 1 năm 2026", "week 1 of 2026"),
]

TITLES = [
    ("Báo cáo quý", "2025-Q4", "Báo cáo quý IV năm 2025"),
    ("Báo cáo năm", "2025", "Báo cáo năm 2025"),
    ("BÁO CÁO QUÝ", "2025-Q4", "BÁO CÁO quý IV năm 2025"),
    ("Báo cáo hằng quý", "2025-Q4", "Báo cáo quý IV năm 2025"),
    ("Báo cáo định kỳ hằng tháng", "2026-07", "Báo cáo tháng 7 năm 2026"),
    ("Báo cáo, hàng tuần.", "2026-W07", "Báo cáo tuần 7 năm 2026"),
    ("Báo cáo 6 tháng", "2026-H1", "Báo cáo 6 tháng đầu năm 2026"),
    ("Báo cáo 6 tháng đầu năm", "2026-H1", "Báo cáo 6 tháng đầu năm 2026"),
    ("Báo cáo sơ kết 9 tháng", "2026-9M", "Báo cáo sơ kết 9 tháng đầu năm 2026"),
    ("Báo cáo năm", "2026-9M", "Báo cáo 9 tháng đầu năm 2026"),
    ("Kết quả thực hiện Kế hoạch hằng năm", "2025", "Kết quả thực hiện Kế hoạch năm 2025"),
    ("Vốn ủy thác bổ sung trong năm", "2026", "Vốn ủy thác bổ sung trong năm 2026"),
    ("Kết quả cả năm", "2026-Q4", "Kết quả cả năm quý IV năm 2026"),
    ("Kết quả thực hiện kế hoạch 5 năm", "2026", "Kết quả thực hiện kế hoạch 5 năm, năm 2026"),
    ("Kết quả thực hiện kế hoạch 5 năm", "2026-Q1", "Kết quả thực hiện kế hoạch 5 năm quý I năm 2026"),
    ("Kết quả thực hiện", "2026-07", "Kết quả thực hiện tháng 7 năm 2026"),
    ("Báo cáo {period} về tín dụng chính sách", "2026-Q3", "Báo cáo quý III năm 2026 về tín dụng chính sách"),
    ("Báo cáo {period} về tín dụng chính sách", None, "Báo cáo về tín dụng chính sách"),
    ("Báo cáo tổng kết", None, "Báo cáo tổng kết"),
]

PERIODS = st.builds(
    lambda year, recurrence, place: (found := list(periods.within(periods.parse(str(year)), recurrence)))[
        place % len(found)
    ],
    st.integers(2016, 2030),
    st.sampled_from([one for one in Recurrence if one.is_periodic]),
    st.integers(0, 100),
)


@pytest.mark.parametrize(("period", "vi", "en"), NAMES)
def test_a_period_is_named_as_people_write_it(period: str, vi: str, en: str) -> None:
    """Every recurrence has its words in both languages, and none of them is a machine's."""
    named = periods.name_period(periods.parse(period))
    assert (named.vi, named.en) == (vi, en)


@pytest.mark.parametrize(("title", "period", "joined"), TITLES)
def test_no_word_of_the_period_is_said_twice(title: str, period: str | None, joined: str) -> None:
    """`Báo cáo năm năm 2025` and `Báo cáo quý quý IV` are what nobody writes."""
    assert periods.add_period(title, period) == joined


def test_an_english_title_says_what_it_is_for() -> None:
    """The period follows after `for`, or stands where the title has it."""
    assert periods.add_period("Quarterly report", "2025-Q4", "en") == (
        "Quarterly report for the fourth quarter of 2025"
    )
    assert periods.add_period("Report on {period}", "2026-07", "en") == "Report on July 2026"


@given(period=PERIODS, rhythm=st.sampled_from(["", " năm", " quý", " tháng", " tuần", " hằng quý", " 6 tháng"]))
def test_a_title_ends_with_its_period_and_no_word_twice_in_a_row(period: periods.Period, rhythm: str) -> None:
    """Whatever rhythm a title names, with a period it reads like an official's."""
    joined = periods.add_period(f"Báo cáo{rhythm}", period.text)
    words = joined.casefold().split()
    assert joined == f"Báo cáo {periods.name_period(period).vi}"
    assert all(one != following for one, following in itertools.pairwise(words))
