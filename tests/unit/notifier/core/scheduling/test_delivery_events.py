"""A delivery is one digest to one address; the events about its attempts name no address."""

from dataclasses import replace
from typing import Any

import pytest
from msgspec import UNSET

from schemas.events.assessments import StepKind
from schemas.events.deliveries import AttemptOutcome, Channel
from schemas.events.event_origin import EventOrigin, TraceContext
from services.notifier import ledger_documents
from services.notifier.core.scheduling.delivery_events import DeliveryAttempt, build_events
from services.notifier.core.scheduling.routing import Contact, build_digests, create_deliveries, create_next_deliveries
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
    assert MAIL.address not in str(first)


def test_the_events_about_an_attempt_belong_to_the_trace_of_their_cause() -> None:
    """Of several events the one that was received last; each agency's event has the trace of its own duties."""
    first, last = (EventOrigin(received_at=days(one), trace=TraceContext(parent=PARENT % one)) for one in (1, 2))
    own = [replace(an_alert(StepKind.ESCALATION), origin=one) for one in (last, first)]
    other = an_alert(StepKind.ESCALATION, agency="h-khac")
    (digest,) = build_digests({"chairman-list": [*own, other]}, {"chairman-list": {Channel.EMAIL: (MAIL,)}})
    (delivery,) = create_deliveries(digest, "batch-1")
    assert delivery.origin == last
    attempt = DeliveryAttempt(delivery=delivery, outcome=AttemptOutcome.ACCEPTED, at=days(3))
    told = {one.subject: one.traceparent for one in build_events(attempt)}
    assert told == {AGENCY: PARENT % 2, "h-khac": UNSET}


def test_what_is_told_instead_of_a_bounce_is_one_delivery_whoever_bounced() -> None:
    """For each contact of the later channel, by ids of its own, and the record names what it stands for."""
    other = replace(MAIL, address="van-phong@x.example")
    number = replace(MAIL, channel=Channel.SMS, address="+84912345678")
    (mails,) = build_digests({AGENCY: [an_alert()]}, {AGENCY: {Channel.EMAIL: (MAIL, other)}})
    (digest,) = build_digests({AGENCY: [an_alert()]}, {AGENCY: {Channel.SMS: (number,)}})
    bounced = create_deliveries(mails, "batch-1")
    ((first,), (second,)) = (create_next_deliveries(one, digest, first_id=bounced[0].id) for one in bounced)
    assert first.id == second.id
    assert first.id not in {one.id for one in (*bounced, *create_deliveries(digest, "batch-1"))}
    assert [one.instead_of for one in (first, second)] == [one.public_id for one in bounced]
    attempt = DeliveryAttempt(delivery=replace(first, attempt=1), outcome=AttemptOutcome.ACCEPTED, at=days(3))
    assert [one.data.instead_of for one in build_events(attempt)] == [bounced[0].public_id]


@pytest.mark.parametrize(
    ("changes", "is_told"),
    [
        ({"is_hard": True}, True),
        ({"is_hard": False}, False),
        ({"is_hard": True, "next_at": days(3)}, False),
        ({"is_hard": False, "outcome": AttemptOutcome.UNKNOWN}, False),
    ],
    ids=["nobody there", "full mailbox", "another provider tries", "in doubt"],
)
def test_only_what_never_arrives_here_goes_to_the_next_channel(changes: dict[str, Any], *, is_told: bool) -> None:
    """The mark stands in the write of the outcome, and nowhere else."""
    (digest,) = build_digests({AGENCY: [an_alert()]}, {AGENCY: {Channel.EMAIL: (MAIL,)}})
    (delivery,) = create_deliveries(digest, "batch-1")
    fields: dict[str, Any] = {"outcome": AttemptOutcome.PERMANENT_FAILURE, "at": days(3)}
    attempt = DeliveryAttempt(delivery=delivery, **(fields | changes))
    assert ("to_next_channel" in ledger_documents.encode_outcome(attempt)) is is_told
