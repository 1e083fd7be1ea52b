"""How often somebody was spoken to, and what came of it."""

from datetime import timedelta

import pytest

from schemas.events.assessments import StepKind
from schemas.events.deliveries import AttemptOutcome, Channel
from services.reporting.core.urging import urging_of
from tests.support.builders.annual_report import DUE, an_attempt

LATER = DUE + timedelta(days=3)


def test_one_step_by_two_channels_is_one_occasion() -> None:
    """The mail and the SMS of a step urge once."""
    urging = urging_of([an_attempt(), an_attempt(channel=Channel.SMS)], None)
    assert (urging.reminders, urging.by_channel) == (1, ((Channel.EMAIL, 1), (Channel.SMS, 1)))


def test_a_further_attempt_at_the_same_alert_counts_nothing_more() -> None:
    """A failed attempt and the one that came through are one alert."""
    failed = an_attempt(alert="a", event="1", outcome=AttemptOutcome.TEMPORARY_FAILURE)
    through = an_attempt(alert="a", event="2", attempted_at=failed.attempted_at + timedelta(minutes=5))
    bounced = an_attempt(alert="a", event="3", outcome=AttemptOutcome.UNKNOWN, attempted_at=DUE)
    for order in ([failed, through], [through, failed], [failed, through, failed], [bounced, through, failed]):
        urging = urging_of(order, None)
        assert (urging.reminders, urging.unsent, urging.by_channel) == (1, 0, ((Channel.EMAIL, 1),))


@pytest.mark.parametrize(
    "outcome", [AttemptOutcome.PERMANENT_FAILURE, AttemptOutcome.UNREACHABLE, AttemptOutcome.TEMPORARY_FAILURE]
)
def test_an_alert_that_reached_nobody_urged_nobody(outcome: AttemptOutcome) -> None:
    """It is counted as unsent, so that nobody is said to have been urged who was not."""
    urging = urging_of([an_attempt(outcome=outcome)], None)
    assert (urging.occasions, urging.unsent, urging.is_more_than_reminded) == (0, 1, True)


def test_an_unknown_outcome_counts_as_said_and_is_shown() -> None:
    """A crash after the claim hides nothing."""
    urging = urging_of([an_attempt(outcome=AttemptOutcome.UNKNOWN)], None)
    assert (urging.reminders, urging.unknown) == (1, 1)


def test_a_cancelled_alert_is_no_occasion() -> None:
    """What was taken back in time was never said."""
    assert urging_of([an_attempt(outcome=AttemptOutcome.CANCELLED)], None).occasions == 0


def test_an_escalation_is_told_apart() -> None:
    """It went to somebody else."""
    urging = urging_of([an_attempt(kind=StepKind.ESCALATION, at=LATER)], None)
    assert (urging.occasions, urging.escalations, urging.by_channel, urging.last_at) == (0, 1, (), None)


def test_a_report_answers_only_what_was_said_before_it() -> None:
    """An alert that came after the report had no effect on it."""
    assert urging_of([an_attempt(at=DUE)], LATER).answered_at == LATER
    assert urging_of([an_attempt(at=LATER)], DUE).answered_at is None
    assert urging_of([an_attempt(at=DUE)], None).answered_at is None


def test_every_kind_has_its_count() -> None:
    """Reminders, urgings and requests to complete are different things to say."""
    kinds = (StepKind.REMINDER, StepKind.URGING, StepKind.INCOMPLETE, StepKind.ESCALATION)
    told = [an_attempt(kind=kind, step=kind.value, alert=kind.value) for kind in kinds]
    urging = urging_of(told, None)
    assert (urging.reminders, urging.urgings, urging.about_incomplete, urging.escalations) == (1, 1, 1, 1)
