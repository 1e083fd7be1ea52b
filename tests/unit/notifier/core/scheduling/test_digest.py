"""What one recipient gets at one time on one channel is one digest, and a recipient without contacts is recorded."""

from datetime import date

from schemas.events.assessments import StepKind
from schemas.events.deliveries import Channel
from services.notifier.core.scheduling import routing, schedule
from services.notifier.core.scheduling.routing import Contact, ContactBook
from tests.unit.notifier.digest_builders import AGENCY, FakeDocuments, an_alert
from tests.unit.notifier.schedule_builders import (
    ALWAYS,
    DUTY,
    OPENS,
    a_reminder,
    an_assessment,
    an_urging,
    days,
    follow,
)

MAIL = Contact(agency=AGENCY, channel=Channel.EMAIL, address="a@x.example")
SMS = Contact(agency=AGENCY, channel=Channel.SMS, address="+84912345678")
MAIL_FROM_2_DECEMBER = Contact(
    agency=DUTY.agency, channel=Channel.EMAIL, address="a@x.example", from_=date(2026, 12, 2)
)
SCHEDULE = follow(an_assessment(a_reminder(7), an_urging(3)), OPENS)


def test_a_due_alert_is_taken_with_everything_that_its_text_depends_on() -> None:
    """The duty and the versions that the assessment cites go with the alert."""
    (alert,), after = schedule.take_due(SCHEDULE, ALWAYS, days(-7))
    taken = after.with_duty(alert)
    assert (taken.duty, taken.plan_version, taken.clause, taken.alert.step) == (DUTY, 1, "III.1", "P7D")
    assert [one.step for one in after.waiting] == ["P3D"]


def test_nothing_due_leaves_the_schedule_as_it_is() -> None:
    """If no alert is due, none is taken and the schedule does not change."""
    assert schedule.take_due(SCHEDULE, ALWAYS, OPENS) == ((), SCHEDULE)


def test_contacts_are_those_of_the_local_day() -> None:
    """At 17:00 UTC on 1 December it is 2 December in Viet Nam, the first day of the contact."""
    alerts, after = schedule.take_due(SCHEDULE, ALWAYS, days(-7))
    taken = [after.with_duty(one) for one in alerts]
    book = ContactBook([MAIL_FROM_2_DECEMBER])
    (on_the_day,) = routing.collect_digests(taken, FakeDocuments(), book, days(-8))
    (before,) = routing.collect_digests(taken, FakeDocuments(), book, days(-8.1))
    assert on_the_day.contacts == (MAIL_FROM_2_DECEMBER,)
    assert before.contacts == ()


def test_a_recipient_gets_one_digest_a_channel_with_the_most_pressing_alert_first() -> None:
    """An urging leads the digest although the reminder came first."""
    alerts = {AGENCY: [an_alert(), an_alert(StepKind.URGING, period="2025")]}
    digests = routing.build_digests(alerts, {AGENCY: {Channel.EMAIL: (MAIL,), Channel.SMS: (SMS,)}})
    assert [one.channel for one in digests] == [Channel.EMAIL, Channel.SMS]
    assert {one.lead.alert.kind for one in digests} == {StepKind.URGING}
    assert {len(one.alerts) for one in digests} == {2}
