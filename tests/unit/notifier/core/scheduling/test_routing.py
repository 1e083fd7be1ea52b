"""An alert goes to the agency, to its parent or to a contact list, and to the people who are contacts on that day."""

from datetime import date

from schemas.events.deliveries import Channel
from services.notifier.core.scheduling.routing import Contact, ContactBook, resolve_recipient
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
