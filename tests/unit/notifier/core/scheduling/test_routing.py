"""An alert goes to the agency, to its parent or to a contact list, and to the people who are contacts on that day."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


ROLES = st.sampled_from(list(ContactRole))
ORDERS = st.dictionaries(ROLES, st.permutations(list(Channel)))
CONTACTS = st.lists(
    st.builds(
        lambda channel, number, role, suspended: Contact(
            agency=AGENCY, channel=channel, address=f"{number}", role=role, suspended="dsn_5.1.1" if suspended else None
        ),
        st.sampled_from(list(Channel)),
        st.integers(0, 3),
        ROLES,
        st.booleans(),
    ),
    max_size=8,
)


@given(CONTACTS, ORDERS, st.sampled_from(list(Channel)), st.integers(0, 3))
def test_a_bounce_is_told_on_no_channel_that_told_it_before(
    contacts: list[Contact], order: dict[ContactRole, list[Channel]], channel: Channel, number: int
) -> None:
    """Whoever bounces last, each channel tells an alert once; without an order none is told beside the first ones."""
    dead = [
        replace(one, suspended="x") if one.address == str(number) and one.channel is channel else one
        for one in contacts
    ]
    before = ContactBook(
        [replace(one, suspended=None) if new is not one else one for one, new in zip(contacts, dead, strict=True)],
        order,
    )
    after = ContactBook(dead, order)
    told, now = before.find_reachable(AGENCY, TODAY), after.find_reachable(AGENCY, TODAY)
    found = after.find_next(AGENCY, TODAY, channel=channel, address=str(number))
    assert not {*found} & {*told}
    assert {*found} == {*now} - {*told}
    assert all(found[one] == now[one] for one in found)
    if not order:
        assert found == {}


def test_the_next_channel_is_told_only_once_every_earlier_address_has_bounced() -> None:
    """With one of two addresses left the office has been told; an address that is in use again calls for nothing."""
    second = replace(MAIL, address="van-phong@x.example")
    dead, second_dead = (replace(one, suspended="dsn_5.1.1") for one in (MAIL, second))
    cases: tuple[tuple[list[Contact], dict[Channel, tuple[Contact, ...]]], ...]
    cases = (
        ([dead, second, SMS], {}),
        ([MAIL, second_dead, SMS], {}),
        ([dead, second_dead, SMS], {Channel.SMS: (SMS,)}),
    )
    for contacts, expected in cases:
        book = ContactBook(contacts, ORDER)
        assert book.find_next(AGENCY, TODAY, channel=Channel.EMAIL, address=MAIL.address) == expected


def test_an_address_gives_way_to_the_one_person_who_is_the_contact_by_now() -> None:
    """Not while it is a contact's, suspended or not, and not where it would be a guess whose place it was."""
    new, other = (replace(MAIL, address=f"{one}@x.example") for one in ("van-phong", "khac"))
    find = ContactBook([new, SMS]).find_instead
    assert find(AGENCY, TODAY, channel=Channel.EMAIL, address=MAIL.address) == new
    for contacts in ([MAIL, new], [replace(MAIL, suspended="dsn_5.1.1"), new], [new, other], [SMS], []):
        book = ContactBook(contacts)
        assert book.find_instead(AGENCY, TODAY, channel=Channel.EMAIL, address=MAIL.address) is None
