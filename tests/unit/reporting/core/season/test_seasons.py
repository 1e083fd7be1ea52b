"""Which seasons a plan has, and which one stands first."""

from datetime import UTC, datetime, timedelta

import pytest

from services.reporting.core.season import seasons
from services.reporting.core.season.seasons import Season
from tests.support.builders import plans

PERIODS = ["2024", "2025", "2024-Q3", "2024-Q4", "2024-07"]
REMINDERS = {"before": ["P30D", "P7D"]}
YEARLY = plans.an_obligation(plans.a_version(reminders=REMINDERS))
QUARTERLY = plans.an_obligation(
    plans.a_version(recurrence="quarter", due={"offset": "P10D"}, reminders={"before": ["P5D"]}), id="quarterly"
)
UNDATED = plans.an_obligation(plans.a_version(due=None), id="undated")


def some_seasons() -> tuple[Season, ...]:
    """List the seasons of a yearly, a quarterly and an undated obligation."""
    return seasons.list_seasons(plans.a_plan(YEARLY, QUARTERLY, UNDATED), plans.a_registry(), PERIODS)


def test_a_season_is_a_dated_period_of_an_obligation() -> None:
    """Every obligation has a season in each period of its own length; one without a date has none."""
    listed = {(one.obligation.id, one.period) for one in some_seasons()}
    yearly = {(YEARLY.id, "2024"), (YEARLY.id, "2025")}
    assert listed == yearly | {("quarterly", "2024-Q3"), ("quarterly", "2024-Q4")}


def test_a_season_begins_with_the_first_reminder() -> None:
    """The lead is that of the plan's earliest reminder."""
    assert {(one.period, one.lead) for one in some_seasons() if one.period in {"2024", "2024-Q3"}} == {
        ("2024", timedelta(days=30)),
        ("2024-Q3", timedelta(days=5)),
    }


@pytest.mark.parametrize("days", [0, 1, 30, 60, 300])
def test_the_running_season_stays_first_until_the_next_one_reminds(days: int) -> None:
    """On New Year's Day the season of the year before still stands first, with what is open of it."""
    yearly = [one for one in some_seasons() if one.obligation.id == YEARLY.id]
    running, following = yearly
    at = min(running.begins_at + timedelta(days=days), following.begins_at - timedelta(seconds=1))
    assert seasons.choose_season(yearly, at) is running
    assert seasons.choose_season(yearly, following.begins_at) is following


def test_before_the_first_season_the_first_stands() -> None:
    """Somebody who looks early sees what is coming; a plan without dates has no season."""
    early = datetime(2000, 1, 1, tzinfo=UTC)
    listed = some_seasons()
    assert seasons.choose_season(listed, early) is listed[0]
    assert seasons.choose_season((), early) is None


@pytest.mark.parametrize(
    ("period", "vietnamese", "english"),
    [
        ("2026", "năm 2026", "2026"),
        ("2026-H1", "6 tháng đầu năm 2026", "first half of 2026"),
        ("2026-Q3", "quý III năm 2026", "third quarter of 2026"),
        ("2026-07", "tháng 7 năm 2026", "July 2026"),
        (None, "báo cáo một lần", "one-off report"),
    ],
)
def test_a_period_has_a_name_of_its_own(period: str | None, vietnamese: str, english: str) -> None:
    """Months and quarters are told apart in a list of periods."""
    assert (seasons.name_period(period, "vi"), seasons.name_period(period, "en")) == (vietnamese, english)


def test_the_year_before_is_the_same_part_of_it() -> None:
    """A quarter is compared with the same quarter; before the first year and for a one-off report there is none."""
    assert [seasons.find_year_before(one) for one in ("2026", "2026-Q3", "1900", None)] == [
        "2025",
        "2025-Q3",
        None,
        None,
    ]
