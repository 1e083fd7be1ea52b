"""A delivery is one digest to one address; the events about its attempts name no address."""

from dataclasses import replace

from schemas.events.assessments import StepKind
from schemas.events.deliveries import AttemptOutcome, Channel
from schemas.events.event_origin import EventOrigin, TraceContext
from services.notifier.core.scheduling.delivery import DeliveryAttempt, build_events, create_deliveries
from services.notifier.core.scheduling.routing import Contact, build_digests
from tests.unit.notifier.digest_builders import AGENCY, an_alert
from tests.unit.notifier.schedule_builders import days

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333%d-01"
MAIL = Contact(agency=AGENCY, channel=Channel.EMAIL, address="a@x.example")
OTHER_MAIL = Contact(agency=AGENCY, channel=Channel.EMAIL, address="b@x.example", language="en")


def test_an_alert_is_the_same_whoever_reads_it_and_a_delivery_is_not() -> None:
    """Two people of an agency get one alert in two deliveries, with Message-IDs that stay the same."""
    (digest,) = build_digests({AGENCY: [an_alert()]}, {AGENCY: {Channel.EMAIL: (MAIL, OTHER_MAIL)}})
    first, second = create_deliveries(digest, "batch-1")
    assert first.alert_id == second.alert_id == digest.alert_id
    assert first.message_id("x.example") != second.message_id("x.example")
    assert create_deliveries(digest, "batch-1")[0] == first
    assert create_deliveries(digest, "batch-2")[0].id != first.id


def test_a_recipient_without_contacts_gets_a_delivery_without_address() -> None:
    """The alert exists, so that the failure to reach anybody shows in the record."""
    (digest,) = build_digests({AGENCY: [an_alert()]}, {})
    (delivery,) = create_deliveries(digest, "batch-1")
    assert (delivery.address, delivery.to_agency) == ("", AGENCY)


def test_an_attempt_at_a_digest_about_several_agencies_has_one_event_for_each() -> None:
    """Each agency's event names its own duties, under an id of its own that a repetition gets again."""
    alerts = [an_alert(StepKind.ESCALATION), an_alert(StepKind.ESCALATION, agency="h-khac")]
    (digest,) = build_digests({"chairman-list": alerts}, {"chairman-list": {Channel.EMAIL: (MAIL,)}})
    (created,) = create_deliveries(digest, "batch-1")
    delivery = replace(created, attempt=1)
    attempt = DeliveryAttempt(
        delivery=delivery, outcome=AttemptOutcome.DELIVERED, at=days(7), message_id=delivery.message_id("x.example")
    )
    first, second = build_events(attempt)
    assert {first.subject, second.subject} == {AGENCY, "h-khac"}
    assert [{duty.agency for duty in one.data.duties} for one in (first, second)] == [{first.subject}, {second.subject}]
    assert first.id != second.id
    assert [one.id for one in build_events(attempt)] == [first.id, second.id]
    assert MAIL.address not in first.model_dump_json()


def test_the_events_about_an_attempt_belong_to_the_trace_of_their_cause() -> None:
    """Of several events the one that was received last; each agency's event has the trace of its own duties."""
    first, last = (EventOrigin(received_at=days(one), trace=TraceContext(parent=PARENT % one)) for one in (1, 2))
    own = [replace(an_alert(StepKind.ESCALATION), origin=one) for one in (last, first)]
    other = an_alert(StepKind.ESCALATION, agency="h-khac")
    (digest,) = build_digests({"chairman-list": [*own, other]}, {"chairman-list": {Channel.EMAIL: (MAIL,)}})
    (delivery,) = create_deliveries(digest, "batch-1")
    assert delivery.origin == last
    attempt = DeliveryAttempt(delivery=delivery, outcome=AttemptOutcome.ACCEPTED, at=days(3))
    told = {one.subject: (one.model_extra or {}).get("traceparent") for one in build_events(attempt)}
    assert told == {AGENCY: PARENT % 2, "h-khac": None}
