"""Whether an agency is reached: never more is claimed than is known of its alerts."""

from datetime import timedelta

import pytest

from schemas.events.deliveries import AttemptOutcome, Channel
from services.reporting.dashboard.evidence.agency_view import describe_reach
from tests.support.builders.annual_report import DUE, an_attempt

FIRST, SECOND = DUE - timedelta(days=7), DUE - timedelta(days=1)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        (["accepted"], (None, FIRST, None)),
        (["confirmed"], (FIRST, None, None)),
        (["confirmed", "accepted"], (FIRST, SECOND, None)),
        (["accepted", "confirmed"], (SECOND, None, None)),
        (["accepted", "bounced"], (None, FIRST, SECOND)),
        (["bounced", "accepted"], (None, SECOND, None)),
        (["permanent_failure", "unknown"], (None, None, FIRST)),
    ],
)
def test_what_was_taken_is_not_told_as_arrived(outcomes: list[str], expected: tuple[object, ...]) -> None:
    """The last that arrived, the last that a server took after it, and the last that failed after both."""
    attempts = [
        an_attempt(at=at, alert=f"a-{number}", event=f"e-{number}", outcome=AttemptOutcome(outcome))
        for number, (at, outcome) in enumerate(zip((FIRST, SECOND), outcomes, strict=False))
    ]
    (reach,) = describe_reach(attempts, "vi")
    assert (reach.arrived_at, reach.sent_at, reach.failed_at) == expected


def test_a_bounce_is_what_is_known_last_of_its_mail() -> None:
    """Although it is told of the attempt that was accepted, at the time of that attempt."""
    taken = an_attempt(at=FIRST, event="e-1", outcome=AttemptOutcome.ACCEPTED)
    bounced = an_attempt(at=FIRST, event="e-2", outcome=AttemptOutcome.BOUNCED)
    (reach,) = describe_reach([taken, bounced], "vi")
    assert (reach.sent_at, reach.failed_at) == (None, FIRST)


def test_of_an_attempt_of_unknown_outcome_nothing_is_said() -> None:
    """It may have arrived, and may not."""
    assert describe_reach([an_attempt(outcome=AttemptOutcome.UNKNOWN, channel=Channel.SMS)], "vi") == ()
