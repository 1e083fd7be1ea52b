"""What a delivery event ends: its alert on its channel, and the delivery that it is about."""

from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from schemas.events.assessments import StepKind
from schemas.events.deliveries import AttemptOutcome, Channel
from schemas.events.wire import WireNotice
from services.notifier.core.scheduling import delivery_events, ended_alerts, routing
from services.notifier.core.scheduling.delivery_events import DeliveryAttempt
from services.notifier.core.scheduling.ended_alerts import LoggedAttempt
from services.notifier.core.scheduling.routing import Contact, Delivery, Digest
from tests.unit.notifier.schedule_builders import DUTY, OPENS, a_reminder, an_assessment, days, follow

ALERTS = [follow(an_assessment(a_reminder(7)), OPENS), follow(an_assessment(a_reminder(1)), OPENS)]
WEEK, LAST_DAY = (one.with_duty(one.waiting[0]) for one in ALERTS)
CONTACT = Contact(agency=DUTY.agency, channel=Channel.EMAIL, address="van-thu@mot.example")
DIGEST = Digest(to_agency=DUTY.agency, channel=Channel.EMAIL, alerts=(WEEK, LAST_DAY), contacts=(CONTACT,))
(DELIVERY,) = routing.create_deliveries(DIGEST, "b-1")
AT = days(-7)


def logged(outcome: AttemptOutcome, *, one: Delivery = DELIVERY, **changes: Any) -> LoggedAttempt:
    """Return an attempt as its event tells it."""
    attempt = DeliveryAttempt(delivery=replace(one, attempt=2), outcome=outcome, at=AT)
    (event,) = delivery_events.build_events(attempt)
    return LoggedAttempt(event=event.id, agency=event.subject or "", data=structs.replace(event.data, **changes))


def remaining(*attempts: LoggedAttempt, digest: Digest = DIGEST) -> list[Digest]:
    """Return what is left to be sent of *digest* after *attempts*."""
    ended: dict[str, frozenset[str]] = {}
    for one in attempts:
        for duty, key in ended_alerts.find_ended(one.data):
            ended[duty] = ended.get(duty, frozenset()) | {key}
    return ended_alerts.drop_ended([digest], ended)


@pytest.mark.parametrize("outcome", list(AttemptOutcome))
def test_an_alert_ends_unless_it_is_certain_that_it_did_not_go_out(outcome: AttemptOutcome) -> None:
    """A failure that is tried again, and one for want of a contact, leave the alert to be sent."""
    tried_again = {AttemptOutcome.TEMPORARY_FAILURE, AttemptOutcome.TECHNICAL_FAILURE, AttemptOutcome.UNREACHABLE}
    assert remaining(logged(outcome)) == ([DIGEST] if outcome in tried_again else [])


def test_an_alert_ends_on_its_channel_and_for_its_recipient_alone() -> None:
    """The mail says nothing about the SMS, nor the agency's own mail about that to the list."""
    delivered = logged(AttemptOutcome.DELIVERED)
    assert remaining(delivered, digest=replace(DIGEST, channel=Channel.SMS))
    assert remaining(delivered, digest=replace(DIGEST, to_agency="chairman-list"))


def test_what_an_agency_was_told_before_it_ended_its_successor_is_not_told() -> None:
    """The ledger was lost: the alert waits anew, and now it would pass on."""
    notice = WireNotice(heirs=("h-hai",))
    passed = [replace(one, alert=replace(one.alert, to="h-hai", notice=notice)) for one in (WEEK, LAST_DAY)]
    to_successor = replace(DIGEST, to_agency="h-hai", alerts=tuple(passed))
    (only_week,) = routing.create_deliveries(replace(DIGEST, alerts=(WEEK,)), "b-1")
    told = logged(AttemptOutcome.DELIVERED, one=only_week)
    assert remaining(told, digest=to_successor) == [replace(to_successor, alerts=(passed[1],))]


def test_the_notice_of_a_succession_is_told_to_both() -> None:
    """The office was told that it has passed its duty on; its successor still is to hear that it owes the report."""
    told = [replace(one.alert, kind=StepKind.SUCCESSION, notice=WireNotice(heirs=("h-hai",))) for one in (WEEK,)]
    (of_office,) = (replace(WEEK, alert=one) for one in told)
    (sent,) = routing.create_deliveries(replace(DIGEST, alerts=(of_office,)), "b-1")
    to_successor = replace(DIGEST, to_agency="h-hai", alerts=(replace(WEEK, alert=replace(told[0], to="h-hai")),))
    assert remaining(logged(AttemptOutcome.DELIVERED, one=sent), digest=to_successor) == [to_successor]
    assert not delivery_events.describe_duty(to_successor.lead).as_successor


def test_of_a_digest_what_was_not_told_is_left() -> None:
    """An event about one of two alerts leaves the other."""
    (only_week,) = routing.create_deliveries(replace(DIGEST, alerts=(WEEK,)), "b-1")
    assert remaining(logged(AttemptOutcome.DELIVERED, one=only_week)) == [replace(DIGEST, alerts=(LAST_DAY,))]


def test_an_event_is_recognised_as_being_about_a_delivery() -> None:
    """Its id derives from the delivery; the same alert to another address is another delivery."""
    other = replace(DELIVERY, id="d-2")
    assert logged(AttemptOutcome.DELIVERED).is_about(DELIVERY)
    assert not logged(AttemptOutcome.DELIVERED).is_about(other)


@pytest.mark.parametrize(("channel", "ends"), [(Channel.EMAIL, False), (Channel.SMS, True)])
def test_a_mail_of_unknown_outcome_is_sent_again_by_its_own_delivery(*, channel: Channel, ends: bool) -> None:
    """It goes out under its Message-ID, by the rule of decision 3; an SMS does not."""
    assert logged(AttemptOutcome.UNKNOWN, channel=channel).ends_delivery is ends
    assert logged(AttemptOutcome.DELIVERED, channel=channel).ends_delivery
    assert not logged(AttemptOutcome.TEMPORARY_FAILURE, channel=channel).ends_delivery


def test_two_attempts_of_one_number_are_two_events() -> None:
    """A restored ledger makes an attempt again whose number was used."""
    first = delivery_events.derive_event_id("d-1", 1, AttemptOutcome.DELIVERED, agency="h-mot", at=AT)
    again = delivery_events.derive_event_id("d-1", 1, AttemptOutcome.DELIVERED, agency="h-mot", at=days(-6))
    assert first != again
