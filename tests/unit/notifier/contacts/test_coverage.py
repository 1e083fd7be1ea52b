"""Agencies and lists without a contact are named."""

from datetime import date

from schemas.events.deliveries import Channel
from services.notifier.contacts import coverage
from services.notifier.core.scheduling.routing import Contact, ContactBook
from tests.support.builders import plans


def test_agencies_without_a_contact_are_named() -> None:
    """Addressed agencies and escalations are checked; an agency that has ended is not missed."""
    reminders = {"escalate": [{"after": "P7D", "to": "parent"}, {"after": "P14D", "to": "chairman-list"}]}
    plan = plans.a_plan(plans.an_obligation(plans.a_version(reminders=reminders)))
    registry = plans.a_registry(
        plans.an_agency("h-mot", parent="tinh"),
        plans.an_agency("h-hai", parent="tinh"),
        plans.an_agency("h-cu", valid={"from": "2016-05-05", "to": "2020-01-01"}),
        plans.an_agency("tinh", groups=[]),
    )
    book = ContactBook([Contact(agency="h-mot", channel=Channel.SMS, address="+84912345678")])
    assert sorted(coverage.find_unreached(book, plan, registry, date(2026, 12, 1))) == [
        "chairman-list",
        "h-hai",
        "tinh",
    ]
