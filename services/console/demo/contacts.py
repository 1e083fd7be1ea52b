"""Contacts for the demo and for `dondoc up`: invented here, stored on this machine only, never delivered to anybody.

Addresses are under `.example`, which no one can own (RFC 2606); the numbers have a prefix that no Vietnamese operator
has been given since 2018.
"""

from collections.abc import Iterable
from datetime import date

from schemas.events.deliveries import Channel
from services.notifier.core.scheduling.routing import Contact, ContactRole, Language

UNREACHABLE = "h-ba-thuoc"
MERGED_ON = {"h-dong-son": date(2025, 1, 1)}
READS_ENGLISH = frozenset({"so-ngv"})
SUPERIORS = ("ubnd-tinh", "chairman-list")  # who gets the escalations
DOMAIN = "thanh-hoa.example"
NUMBER_PREFIX = "+84100000"
WITHOUT_SMS_EVERY = 3  # each third agency has given no number


def build_contacts(agencies: Iterable[str]) -> list[Contact]:
    """Return the contacts of *agencies* and of their superiors: an e-mail address for each, a phone number for most."""
    contacts = []
    for place, agency in enumerate(sorted(agencies)):
        if agency != UNREACHABLE:
            contacts.append(_email_contact(agency))
            if place % WITHOUT_SMS_EVERY:
                contacts.append(_sms_contact(agency, place))
    return [*contacts, *(_email_contact(one) for one in SUPERIORS), _sms_contact("chairman-list", 999)]


def _email_contact(agency: str) -> Contact:
    return _contact(agency, Channel.EMAIL, f"van-thu@{agency}.{DOMAIN}", ContactRole.OFFICE)


def _sms_contact(agency: str, place: int) -> Contact:
    return _contact(agency, Channel.SMS, f"{NUMBER_PREFIX}{place:03d}", ContactRole.LEADER)


def _contact(agency: str, channel: Channel, address: str, role: ContactRole) -> Contact:
    language: Language = "en" if agency in READS_ENGLISH else "vi"
    return Contact(
        agency=agency, channel=channel, address=address, role=role, language=language, to=MERGED_ON.get(agency)
    )
