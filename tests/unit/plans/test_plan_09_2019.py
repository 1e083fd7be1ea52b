"""The reports of the provinces under Decree 09/2019 fall due on the days that decree and circulars name.

Every day here was counted by hand from the words of the clause, not by the calendar that is tested.
"""

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from schemas.plan import calendar, periods
from schemas.plan.calendar import FiguresWindow
from services.console.commands.plans import check
from services.console.commands.plans.duties import list_duties
from services.console.support import inputs
from services.rules.core.duty_catalogue import DutyCatalogue

FOLDER = Path(__file__).parents[3] / "deploy/plans/09-2019-nd-cp"
MONTHS = [f"2026-{month:02d}" for month in range(1, 13)]
QUARTER_ENDS = {"2026-Q1": "2026-03", "2026-Q2": "2026-06", "2026-Q3": "2026-09", "2026-Q4": "2026-12"}
HALF_ENDS = {"2026-H1": "2026-06", "2026-H2": "2026-12"}


@pytest.fixture(scope="module")
def catalogue() -> DutyCatalogue:
    """The shipped plan with its registry."""
    return inputs.read_plan_folder(FOLDER)


def list_due_instants(catalogue: DutyCatalogue, year: str) -> Counter[tuple[str, str, str]]:
    """Return how many duties of *year* there are of each obligation and period, with their due instant."""
    rows = list_duties(catalogue, periods.parse(year), None)
    return Counter((row["obligation"], row["period"], row["due_at"]) for row in rows)


def test_the_shipped_folder_passes_the_check() -> None:
    """`dondoc check` has nothing to say of what we ship, not even a warning."""
    assert check.check_folder(FOLDER, today=date(2026, 12, 31)).faults == ()


def test_every_report_of_a_year_is_due_on_its_day(catalogue: DutyCatalogue) -> None:
    """The 25th of the period's last month to the Government, the 20th to the ministry; the day itself is in time."""
    ends = {**{one: one for one in MONTHS}, **QUARTER_ENDS, **HALF_ENDS, "2026": "2026-12"}
    names = {7: "monthly", 2: "half-yearly"}
    expected = Counter({("inspection-nine-month", "2026-9M", "2026-09-26T00:00:00.000+07:00"): 34})
    for period, month in ends.items():
        rhythm = "quarterly" if "Q" in period else "half-yearly" if "H" in period else names.get(len(period), "yearly")
        expected[(f"government-{rhythm}", period, f"{month}-26T00:00:00.000+07:00")] = 34
        expected[(f"transport-{rhythm}", period, f"{month}-21T00:00:00.000+07:00")] = 34
    assert list_due_instants(catalogue, "2026") == expected


@pytest.mark.parametrize(
    "obligation, period, starts_on, ends_on",
    [
        ("government-monthly", "2026-01", date(2025, 12, 15), date(2026, 1, 14)),
        ("government-monthly", "2026-03", date(2026, 2, 15), date(2026, 3, 14)),
        ("government-quarterly", "2026-Q1", date(2025, 12, 15), date(2026, 3, 14)),
        ("government-quarterly", "2026-Q4", date(2026, 9, 15), date(2026, 12, 14)),
        ("government-half-yearly", "2026-H1", date(2025, 12, 15), date(2026, 6, 14)),
        ("government-half-yearly", "2026-H2", date(2026, 6, 15), date(2026, 12, 14)),
        ("inspection-nine-month", "2026-9M", date(2025, 12, 15), date(2026, 9, 14)),
        ("government-yearly", "2026", date(2025, 12, 15), date(2026, 12, 14)),
    ],
)
def test_figures_cover_the_days_of_article_12(
    catalogue: DutyCatalogue, obligation: str, period: str, starts_on: date, ends_on: date
) -> None:
    """From the 15th of the month before the period to the 14th of its last month."""
    found = catalogue.plan.obligation(obligation)
    assert found is not None
    window = calendar.find_window(found.versions[0], periods.parse(period))
    assert window == FiguresWindow(starts_on=starts_on, ends_on=ends_on)


def test_what_fell_due_before_the_tracking_is_not_watched(catalogue: DutyCatalogue) -> None:
    """The decree bound the provinces in 2025, this system did not watch them."""
    assert list_due_instants(catalogue, "2025") == Counter()
