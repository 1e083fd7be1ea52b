"""An alert goes to the agency, to its parent or to a contact list, and to the people who are contacts on that day."""

from dataclasses import replace
from datetime import date

import pytest

from schemas.events.deliveries import Channel
from services.notifier.core.scheduling.routing import Contact, ContactBook, ContactRole, resolve_recipient
from tests.unit.notifier.digest_builders import AGENCY, FakeDocuments

TODAY = date(2026, 12, 3)


def test_an_alert_is_for_the_agency_its_parent_or_a_list() -> None:
    """If the registry names no parent, the recipient is `parent`, which nobody reaches."""
    registry = FakeDocuments().registry("", 0)
    assert resolve_recipient("self", AGENCY, registry, on=TODAY) == AGENCY
    assert resolve_recipient("parent", AGENCY, registry, on=TODAY) == "ubnd-tinh"
    assert resolve_recipient("parent", "ubnd-tinh", registry, on=TODAY) == "parent"
    assert resolve_recipient("chairman-list", AGENCY, registry, on=TODAY) == "chairman-list"


def test_only_contacts_valid_on_the_day_are_reachable() -> None:
    """A contact is valid from its first day up to, not on, its last; an address that is listed twice counts once."""
    former = Contact(agency=AGENCY, channel=Channel.EMAIL, address="old@x.example", to=TODAY)
    coming = Contact(agency=AGENCY, channel=Channel.EMAIL, address="new@x.example", from_=date(2026, 12, 4))
    current = Contact(agency=AGENCY, channel=Channel.EMAIL, address="now@x.example", from_=TODAY)
    book = ContactBook([former, coming, current, current])
    assert book.find_reachable(AGENCY, TODAY) == {Channel.EMAIL: (current,)}


MAIL = Contact(agency=AGENCY, channel=Channel.EMAIL, address="van-thu@x.example")
SMS = Contact(agency=AGENCY, channel=Channel.SMS, address="+84912345678")
ORDER = {ContactRole.OFFICE: (Channel.EMAIL, Channel.SMS), ContactRole.LEADER: (Channel.SMS, Channel.EMAIL)}


def test_without_an_order_everybody_is_written_to() -> None:
    """On all channels, as the file of contacts says."""
    assert {*ContactBook([MAIL, SMS]).find_reachable(AGENCY, TODAY)} == {Channel.EMAIL, Channel.SMS}


@pytest.mark.parametrize(
    ("mail", "reached"),
    [
        (MAIL, Channel.EMAIL),
        (replace(MAIL, suspended="dsn_5.1.1"), Channel.SMS),
        (replace(MAIL, to=TODAY), Channel.SMS),
        (replace(MAIL, role=ContactRole.OFFICER), None),
    ],
    ids=["there", "bounced", "former", "of another role"],
)
def test_a_later_channel_of_a_role_is_for_want_of_an_earlier_one(mail: Contact, reached: Channel | None) -> None:
    """Its mail address bounced for good, or holds no more: the office gets an SMS. Another role's mail is not its."""
    found = ContactBook([mail, SMS], ORDER).find_reachable(AGENCY, TODAY)
    assert {*found} == ({Channel.EMAIL, Channel.SMS} if reached is None else {reached})


def test_each_role_has_an_order_of_its_own_and_a_role_without_one_has_none() -> None:
    """A leader is written to by SMS rather than by mail, an officer by both."""
    people = [replace(one, role=role) for role in (ContactRole.LEADER, ContactRole.OFFICER) for one in (MAIL, SMS)]
    others = [replace(one, address=f"{one.role}{one.address}") for one in people]
    found = ContactBook(others, ORDER).find_reachable(AGENCY, TODAY)
    told = {channel: {one.role for one in several} for channel, several in found.items()}
    assert told == {Channel.EMAIL: {ContactRole.OFFICER}, Channel.SMS: {ContactRole.LEADER, ContactRole.OFFICER}}
