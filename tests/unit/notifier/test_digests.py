"""What one recipient gets at one time on one channel is one notice, and nobody's silence goes unrecorded."""

from datetime import date

from schemas.events.assessments import StepKind
from schemas.events.deliveries import AttemptOutcome, Channel
from services.notifier.core.scheduling.delivery import Attempt, deliveries, events
from services.notifier.core.scheduling.digest import gathered
from services.notifier.core.scheduling.routing import Contact, ContactBook, destination
from tests.unit.notifier.agendas import days
from tests.unit.notifier.words import AGENCY, Shelf, a_telling

MAIL = Contact(agency=AGENCY, channel=Channel.EMAIL, address="a@x.example")
OTHER_MAIL = Contact(agency=AGENCY, channel=Channel.EMAIL, address="b@x.example", language="en")
SMS = Contact(agency=AGENCY, channel=Channel.SMS, address="+84912345678")
TODAY = date(2026, 12, 3)


def test_a_call_is_for_the_agency_its_parent_or_a_list() -> None:
    """Where the registry names no parent, the alert is for a parent that nobody reaches."""
    registry = Shelf().registry("", 0)
    assert destination("self", AGENCY, registry) == AGENCY
    assert destination("parent", AGENCY, registry) == "ubnd-tinh"
    assert destination("parent", "ubnd-tinh", registry) == "parent"
    assert destination("chairman-list", AGENCY, registry) == "chairman-list"


def test_only_contacts_valid_on_the_day_are_reached() -> None:
    """From the first day up to, not on, the last; no address twice."""
    former = Contact(agency=AGENCY, channel=Channel.EMAIL, address="old@x.example", to=TODAY)
    coming = Contact(agency=AGENCY, channel=Channel.EMAIL, address="new@x.example", from_=date(2026, 12, 4))
    current = Contact(agency=AGENCY, channel=Channel.EMAIL, address="now@x.example", from_=TODAY)
    book = ContactBook([former, coming, current, current])
    assert book.reaching(AGENCY, TODAY) == {Channel.EMAIL: (current,)}


def test_a_recipient_gets_one_notice_a_channel_with_the_most_pressing_first() -> None:
    """An urging leads, though the reminder came first."""
    told = {AGENCY: [a_telling(), a_telling(StepKind.URGING, period="2025")]}
    notices = gathered(told, {AGENCY: {Channel.EMAIL: (MAIL,), Channel.SMS: (SMS,)}})
    assert [one.channel for one in notices] == [Channel.EMAIL, Channel.SMS]
    assert {one.lead.call.kind for one in notices} == {StepKind.URGING}
    assert {len(one.tellings) for one in notices} == {2}


def test_an_alert_is_the_same_whoever_reads_it_and_a_delivery_is_not() -> None:
    """Two people of an agency: one alert, two deliveries, two Message-IDs that stay."""
    (notice,) = gathered({AGENCY: [a_telling()]}, {AGENCY: {Channel.EMAIL: (MAIL, OTHER_MAIL)}})
    first, second = deliveries(notice, "round-1")
    assert first.alert == second.alert == notice.alert
    assert first.message_id("x.example") != second.message_id("x.example")
    assert deliveries(notice, "round-1")[0] == first
    assert deliveries(notice, "round-2")[0].id != first.id


def test_nobody_to_tell_is_a_delivery_without_address() -> None:
    """The alert exists, so that its silence shows."""
    (notice,) = gathered({AGENCY: [a_telling()]}, {})
    (delivery,) = deliveries(notice, "round-1")
    assert (delivery.address, delivery.to_agency) == ("", AGENCY)


def test_a_digest_over_several_agencies_is_told_once_for_each() -> None:
    """Each agency's event speaks of its own duties, under an id of its own that a repeat gets again."""
    told = [a_telling(StepKind.ESCALATION), a_telling(StepKind.ESCALATION, agency="h-khac")]
    (notice,) = gathered({"chairman-list": told}, {"chairman-list": {Channel.EMAIL: (MAIL,)}})
    (delivery,) = deliveries(notice, "round-1")
    attempt = Attempt(
        number=1, outcome=AttemptOutcome.DELIVERED, at=days(7), message_id=delivery.message_id("x.example")
    )
    first, second = events(delivery, attempt)
    assert {first.subject, second.subject} == {AGENCY, "h-khac"}
    assert [{duty.agency for duty in one.data.duties} for one in (first, second)] == [{first.subject}, {second.subject}]
    assert first.id != second.id
    assert [one.id for one in events(delivery, attempt)] == [first.id, second.id]
    assert MAIL.address not in first.model_dump_json()
