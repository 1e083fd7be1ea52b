"""Which adoption a partition should have by now, and how it is encoded as an event."""

import json
from datetime import UTC, datetime

import pytest

from schemas.events.envelope import Envelope
from schemas.events.facts import PlanAdopted
from services.rules import plan_adopter
from services.rules.core.duty_catalogue import DutyCatalogue
from tests.support.builders import plans


@pytest.mark.parametrize(
    "now, horizon",
    [
        ("2024-01-01T00:00:00+00:00", "2025-03-01T00:00:00+00:00"),
        ("2024-01-31T23:59:59+00:00", "2025-03-01T00:00:00+00:00"),
        ("2024-11-15T00:00:00+00:00", "2026-01-01T00:00:00+00:00"),
        ("2024-12-31T00:00:00+00:00", "2026-02-01T00:00:00+00:00"),
        ("2025-01-01T06:59:00+07:00", "2026-02-01T00:00:00+00:00"),
    ],
)
def test_the_horizon_is_the_first_of_a_month_at_least_thirteen_months_ahead(now: str, horizon: str) -> None:
    """The horizon is the same during one month of UTC, whatever the offset of the clock."""
    assert plan_adopter.horizon(datetime.fromisoformat(now)) == datetime.fromisoformat(horizon)


def test_an_adoption_is_a_cloud_event_whose_id_derives_from_what_it_adopts() -> None:
    """Two owners that write the same adoption at different times write events with the same id."""
    catalogue = DutyCatalogue(plans.a_plan(), plans.a_registry())
    first, second = (datetime(2024, 12, day, tzinfo=UTC) for day in (1, 9))
    events = [
        plan_adopter.encode_adoption_event(plan_adopter.plan_adoption(catalogue, partition=3, now=now), now=now)
        for now in (first, second)
    ]
    event, again = (Envelope[PlanAdopted].model_validate_json(one) for one in events)
    assert (event.id, event.data) == (again.id, again.data)
    assert (event.subject, event.data.partition) == ("P-1", 3)
    assert json.loads(events[0])["time"] == "2024-12-01T00:00:00.000+00:00"
