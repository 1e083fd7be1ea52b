"""The continuous duties of a district that ended, by the published plan 6766 and its registry."""

from datetime import datetime
from pathlib import Path

import pytest

from schemas.events.assessments import Status
from services.console.support import inputs
from services.rules.core.assess import assess

PLAN = Path(__file__).parents[3] / "deploy" / "plans" / "6766-kh-ubnd"


@pytest.mark.parametrize(
    "agency, at, status",
    [
        ("h-dong-son", "2024-12-31T23:59:59+07:00", Status.OPEN),
        ("h-dong-son", "2025-01-01T00:00:00+07:00", Status.SUPERSEDED),
        ("tp-thanh-hoa", "2025-06-30T23:59:59+07:00", Status.OPEN),
        ("tp-thanh-hoa", "2025-07-01T00:00:00+07:00", Status.ENDED_NO_SUCCESSOR),
    ],
)
def test_a_continuous_duty_passes_on_when_the_agency_ends(agency: str, at: str, status: Status) -> None:
    """The city took over Đông Sơn's duties, although it ended half a year later itself, without a successor."""
    duty = inputs.read_book(PLAN).duty(agency=agency, obligation="bank-facilities", period=None)
    assert assess(duty, ()).at(datetime.fromisoformat(at)).status is status
