"""Which due instant the operator counts the days to."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.reporting.core.season.seasons import Season
from services.reporting.evidence import season_monitor
from tests.support.builders import plans

NOW = datetime(2026, 12, 8, tzinfo=UTC)


def a_season(due_at: datetime) -> Season:
    """Return a season that is due then."""
    obligation = plans.a_plan().obligations[0]
    return Season(obligation=obligation, period="2026", due_at=due_at, begins_at=due_at - timedelta(days=30))


@pytest.mark.parametrize(
    ("days", "expected"),
    [((), None), ((-3,), -3), ((-3, -1), -1), ((2, 30), 2), ((-1, 30), 30)],
)
def test_the_next_deadline_counts_else_the_last_one(days: tuple[int, ...], expected: int | None) -> None:
    """Of all seasons the one that is due first; after all of them, the one that was due last."""
    running = [replace(a_season(NOW), due_at=NOW + timedelta(days=one)) for one in days]
    found = season_monitor.choose_due(running, NOW)
    assert found == (None if expected is None else NOW + timedelta(days=expected))
