"""Contacts for the demo: made up here, kept on this machine, never delivered to anybody.

Addresses are under `.example`, which no one can own (RFC 2606); the numbers have a prefix that no Vietnamese operator
has been given since 2018.
"""

from collections.abc import Iterable
from datetime import date

from schemas.events.deliveries import Channel
from services.notifier.core.scheduling.routing import Contact, Language

UNREACHABLE = "h-ba-thuoc"
MERGED = {"h-dong-son": date(2025, 1, 1)}
READS_ENGLISH = frozenset({"so-ngv"})
ABOVE = ("ubnd-tinh", "chairman-list")
DOMAIN = "thanh-hoa.example"
NUMBERS = "+84100000"
WITHOUT_SMS_EVERY = 3  # each third agency has given no number


def contacts(agencies: Iterable[str]) -> list[Contact]:
    """Return who is reached at *agencies* and above them: a mail to everybody's records clerk, an SMS to most."""
    made = []
    for place, agency in enumerate(sorted(agencies)):
        if agency != UNREACHABLE:
            made.append(_mail(agency))
            if place % WITHOUT_SMS_EVERY:
                made.append(_phone(agency, place))
    return [*made, *(_mail(one) for one in ABOVE), _phone("chairman-list", 999)]


def _mail(agency: str) -> Contact:
    return _contact(agency, Channel.EMAIL, f"van-thu@{agency}.{DOMAIN}", "văn thư")


def _phone(agency: str, place: int) -> Contact:
    return _contact(agency, Channel.SMS, f"{NUMBERS}{place:03d}", "lãnh đạo văn phòng")


def _contact(agency: str, channel: Channel, address: str, role: str) -> Contact:
    language: Language = "en" if agency in READS_ENGLISH else "vi"
    return Contact(agency=agency, channel=channel, address=address, role=role, language=language, to=MERGED.get(agency))
