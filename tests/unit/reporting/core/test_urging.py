"""The summary of alert attempts: how often an agency was urged, and with what effect."""

from datetime import timedelta

import pytest
from msgspec import structs

from schemas.events.assessments import StepKind
from schemas.events.deliveries import AttemptOutcome, Channel
from services.reporting.core.urging import UrgedDuty, list_sent_alerts, measure_steps, summarize_attempts
from tests.support.builders.annual_report import DUE, an_attempt

LATER = DUE + timedelta(days=3)


def test_one_step_by_two_channels_is_one_occasion() -> None:
    """The mail and the SMS of one step are one reminder on two channels."""
    urging = summarize_attempts([an_attempt(), an_attempt(channel=Channel.SMS)], None)
    assert (urging.reminders, urging.by_channel) == (1, ((Channel.EMAIL, 1), (Channel.SMS, 1)))


def test_a_copy_for_an_agency_that_co_operates_is_no_urging_of_the_one_that_owes() -> None:
    """The step counts once, and a copy that could not be sent is nothing unsent of the agency's."""
    copies = [an_attempt(to_agency="so-khdt"), an_attempt(to_agency="so-nv", outcome=AttemptOutcome.UNREACHABLE)]
    urging = summarize_attempts([an_attempt(), *copies], None)
    assert (urging.reminders, urging.unsent, urging.by_channel) == (1, 0, ((Channel.EMAIL, 1),))


def test_who_stands_in_the_place_of_an_office_is_urged_about_its_report() -> None:
    """The office was urged once, then its two successors, one of whom co-operated before: two urgings."""
    of_office = an_attempt(at=DUE)
    of_successors = [an_attempt(at=LATER, to_agency=one, alert=one, as_successor=True) for one in ("h-hai", "h-ba")]
    copy = an_attempt(at=DUE, to_agency="h-hai", alert="copy")
    urging = summarize_attempts([of_office, copy, *of_successors], LATER + timedelta(days=2))
    assert (urging.urgings, urging.by_channel, urging.last_at) == (2, ((Channel.EMAIL, 3),), LATER)
    assert urging.answered_at == LATER + timedelta(days=2)
    (at_due, after) = measure_steps([UrgedDuty(attempts=[of_office, *of_successors], completed_at=None)])
    assert (at_due.asked, after.asked) == (1, 1)


def test_notices_of_a_kind_are_one_step_whatever_they_are_about() -> None:
    """Two agencies were told that a report of theirs is returned: each notice is named by its return."""
    told = [an_attempt(kind=StepKind.RETURNED, step=one, alert=one, at=LATER) for one in ("return-1", "return-2")]
    (step,) = measure_steps([UrgedDuty(attempts=[one], completed_at=None) for one in told])
    assert (step.kind, step.step, step.asked) == (StepKind.RETURNED, "", 2)


def test_a_step_names_the_deliveries_behind_it() -> None:
    """Those that were sent, and those of them after which the report came; a copy that failed is none of them."""
    first, second = an_attempt(at=DUE, event="e-1"), an_attempt(at=LATER, event="e-2", alert="later")
    failed = an_attempt(at=LATER, event="e-3", alert="failed", outcome=AttemptOutcome.UNREACHABLE)
    duty = UrgedDuty(attempts=[first, second, failed], completed_at=LATER + timedelta(days=1))
    (at_due, after) = measure_steps([duty])
    assert (at_due.evidence, at_due.answering, after.evidence, after.answering) == (("e-1",), (), ("e-2",), ("e-2",))
    assert list_sent_alerts([first, second, failed]) == {StepKind.URGING: ("e-1", "e-2")}


def test_a_further_attempt_at_the_same_alert_counts_nothing_more() -> None:
    """A failed attempt and a delivered one are one alert, which counts as delivered in any order of arrival."""
    failed = an_attempt(alert="a", event="1", outcome=AttemptOutcome.TEMPORARY_FAILURE)
    delivered = an_attempt(alert="a", event="2", attempted_at=failed.attempted_at + timedelta(minutes=5))
    bounced = an_attempt(alert="a", event="3", outcome=AttemptOutcome.UNKNOWN, attempted_at=DUE)
    orders = ([failed, delivered], [delivered, failed], [failed, delivered, failed], [bounced, delivered, failed])
    for order in orders:
        urging = summarize_attempts(order, None)
        assert (urging.reminders, urging.unsent, urging.by_channel) == (1, 0, ((Channel.EMAIL, 1),))


@pytest.mark.parametrize(
    "outcome", [AttemptOutcome.PERMANENT_FAILURE, AttemptOutcome.UNREACHABLE, AttemptOutcome.TEMPORARY_FAILURE]
)
def test_an_alert_that_reached_nobody_urged_nobody(outcome: AttemptOutcome) -> None:
    """An alert that failed counts as unsent and is no occasion, so the report claims no urging that never arrived."""
    urging = summarize_attempts([an_attempt(outcome=outcome)], None)
    assert (urging.occasions, urging.unsent, urging.is_more_than_reminded) == (0, 1, True)


def test_an_unknown_outcome_is_no_urging_and_is_shown() -> None:
    """An alert whose outcome a crash left unknown is counted as unknown alone: it may never have left."""
    urging = summarize_attempts([an_attempt(outcome=AttemptOutcome.UNKNOWN)], None)
    assert (urging.occasions, urging.unsent, urging.unknown) == (0, 0, 1)


@pytest.mark.parametrize(
    ("later", "expected"),
    [(AttemptOutcome.CONFIRMED, (1, 0, 1, 0, 0)), (AttemptOutcome.BOUNCED, (0, 0, 0, 1, 1))],
)
def test_what_comes_back_says_more_than_the_servers_answer(
    later: AttemptOutcome, expected: tuple[int, int, int, int, int]
) -> None:
    """A confirmed alert is known to have arrived; one that bounced urged nobody, although a server had taken it."""
    accepted = an_attempt(event="1", outcome=AttemptOutcome.ACCEPTED)
    returned = an_attempt(event="2", outcome=later, attempted_at=accepted.attempted_at + timedelta(minutes=5))
    for order in ([accepted, returned], [returned, accepted]):
        urging = summarize_attempts(order, None)
        found = (urging.reminders, urging.accepted, urging.confirmed, urging.bounced, urging.unsent)
        assert found == expected


def test_an_alert_that_one_of_two_recipients_got_was_sent() -> None:
    """The mail to one person bounced, the mail to another was taken: the agency was reminded."""
    bounced = an_attempt(event="1", outcome=AttemptOutcome.BOUNCED, delivery="a")
    accepted = an_attempt(event="2", outcome=AttemptOutcome.ACCEPTED, delivery="b")
    urging = summarize_attempts([bounced, accepted], None)
    assert (urging.reminders, urging.accepted, urging.bounced, urging.unsent) == (1, 1, 0, 0)


def test_silence_begins_with_the_first_prompt() -> None:
    """A notice that the season is open asks for nothing yet; a reminder that reached nobody is where silence begins."""
    opening = an_attempt(kind=StepKind.OPENING, step="opening", attempted_at=DUE - timedelta(days=340))
    failed = an_attempt(alert="r", outcome=AttemptOutcome.UNREACHABLE, attempted_at=DUE - timedelta(days=30))
    assert summarize_attempts([opening], None).first_tried_at is None
    assert summarize_attempts([opening, failed, an_attempt()], None).first_tried_at == failed.attempted_at


def test_a_cancelled_alert_is_no_occasion() -> None:
    """An alert that was cancelled before it was sent is not counted."""
    assert summarize_attempts([an_attempt(outcome=AttemptOutcome.CANCELLED)], None).occasions == 0


def test_an_escalation_is_counted_separately() -> None:
    """An escalation goes to somebody else, so it is no occasion on which the agency itself was alerted."""
    urging = summarize_attempts([an_attempt(kind=StepKind.ESCALATION, at=LATER)], None)
    assert (urging.occasions, urging.escalations, urging.by_channel, urging.last_at) == (0, 1, (), None)


def test_a_report_answers_only_the_alerts_before_it() -> None:
    """A report answers an alert that was sent before it, and none that was sent after it."""
    assert summarize_attempts([an_attempt(at=DUE)], LATER).answered_at == LATER
    assert summarize_attempts([an_attempt(at=LATER)], DUE).answered_at is None
    assert summarize_attempts([an_attempt(at=DUE)], None).answered_at is None


def test_every_kind_of_alert_has_its_count() -> None:
    """Reminders, urgings, requests to complete and escalations are counted each on their own."""
    kinds = (StepKind.REMINDER, StepKind.URGING, StepKind.INCOMPLETE, StepKind.ESCALATION)
    attempts = [an_attempt(kind=kind, step=kind.value, alert=kind.value) for kind in kinds]
    urging = summarize_attempts(attempts, None)
    assert (urging.reminders, urging.urgings, urging.about_incomplete, urging.escalations) == (1, 1, 1, 1)


def test_what_bounced_and_was_sent_again_was_sent() -> None:
    """By hand to a mailbox that was mended, or by the next provider of the channel; a bounce of that counts again."""
    bounced = an_attempt(alert="a", delivery="d", event="1", outcome=AttemptOutcome.BOUNCED)
    later = bounced.attempted_at + timedelta(hours=1)
    again = structs.replace(bounced, event="2", outcome=AttemptOutcome.ACCEPTED, attempted_at=later)
    back = structs.replace(bounced, event="3", attempted_at=later + timedelta(hours=1))
    assert summarize_attempts([again, bounced], None).occasions == 1
    assert summarize_attempts([again, back, bounced], None).occasions == 0


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ([AttemptOutcome.BOUNCED], True),
        ([AttemptOutcome.PERMANENT_FAILURE], True),
        ([AttemptOutcome.UNREACHABLE], True),
        ([AttemptOutcome.BOUNCED, AttemptOutcome.ACCEPTED], False),
        ([AttemptOutcome.TEMPORARY_FAILURE], False),
        ([AttemptOutcome.UNKNOWN], False),
        ([AttemptOutcome.CONFIRMED], False),
    ],
)
def test_an_agency_is_out_of_reach_once_its_last_alert_is_given_up(
    last: list[AttemptOutcome], *, expected: bool
) -> None:
    """Whatever reached it before; another channel that took the same step is enough to reach it."""
    channels = (Channel.EMAIL, Channel.SMS)
    earlier = an_attempt(at=DUE - timedelta(days=7))
    at_last = [
        an_attempt(at=DUE - timedelta(days=1), channel=channel, outcome=outcome)
        for channel, outcome in zip(channels, last, strict=False)
    ]
    assert summarize_attempts([earlier, *at_last], None).is_out_of_reach is expected
    assert summarize_attempts([*at_last, an_attempt(at=DUE)], None).is_out_of_reach is False
