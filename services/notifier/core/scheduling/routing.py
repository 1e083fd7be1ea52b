"""Routing: which agency or contact list gets an alert, and which people are its contacts.

An alert is meant for `self` (the agency that owes the report), `parent` (the agency above it) or a named contact list.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import chain
from typing import Literal

from schemas.events.deliveries import Channel
from schemas.plan.plan import PARENT
from schemas.plan.registry import Registry
from schemas.text import comparison

Language = Literal["vi", "en"]
SELF = "self"


class ContactRole(StrEnum):
    """What a contact is at its agency: the office that registers letters, the officer in charge, or who leads it."""

    OFFICE = "office"
    OFFICER = "officer"
    LEADER = "leader"


# Words of the titles that people write, without accents. The first role that has one counts, so that a "lãnh đạo văn
# phòng" is a leader. Whoever has another title is the person in charge.
_TITLES = (
    (ContactRole.LEADER, ("leader", "lanh dao", "chu tich", "giam doc", "truong", "head", "director", "chanh")),
    (ContactRole.OFFICE, ("office", "van thu", "van phong", "hanh chinh", "clerk", "registry")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """How one person at an agency (or on a list) is reached on the local dates [from_, to).

    `suspended` is the code for which nothing is sent to the address any more; None while it is not suspended.
    """

    agency: str
    channel: Channel
    address: str
    role: ContactRole = ContactRole.OFFICE
    language: Language = "vi"
    from_: date | None = None
    to: date | None = None
    suspended: str | None = None

    def is_valid_on(self, day: date) -> bool:
        """Whether the contact holds on the local date *day*."""
        return (self.from_ is None or self.from_ <= day) and (self.to is None or day < self.to)


class ContactBook:
    """All contacts, by agency or list, in the order of the file."""

    def __init__(self, contacts: Iterable[Contact] = ()) -> None:
        self._by_agency: dict[str, list[Contact]] = {}
        for contact in contacts:
            self._by_agency.setdefault(contact.agency, []).append(contact)

    def __iter__(self) -> Iterator[Contact]:
        return chain.from_iterable(self._by_agency.values())

    def find_reachable(self, agency: str, day: date) -> dict[Channel, tuple[Contact, ...]]:
        """Return the contacts of *agency* (an id or the name of a list) on *day*, by channel; no address twice.

        Those that are suspended are left out.
        """
        reachable: dict[Channel, dict[str, Contact]] = {}
        for contact in self._by_agency.get(agency, ()):
            if contact.is_valid_on(day) and contact.suspended is None:
                reachable.setdefault(contact.channel, {}).setdefault(contact.address, contact)
        return {channel: tuple(people.values()) for channel, people in reachable.items()}

    def find_next_start(self, agency: str, day: date) -> date | None:
        """Return the first date after *day* from which another contact of *agency* holds."""
        starts = (one.from_ for one in self._by_agency.get(agency, ()) if one.from_ is not None and one.from_ > day)
        return min(starts, default=None)


def classify_role(title: str) -> ContactRole:
    """Return the role of a contact whose *title* is written as people do: `Văn thư`, `Chuyên viên`, `Lãnh đạo`.

    Where no title is written it is the office: most agencies give one address, that of their incoming letters.
    """
    words = comparison.make_search_key(title)
    if not words or words == ContactRole.OFFICER:
        return ContactRole.OFFICER if words else ContactRole.OFFICE
    return next((role for role, titles in _TITLES if any(one in words for one in titles)), ContactRole.OFFICER)


def resolve_recipient(to: str, agency: str, registry: Registry, *, on: date) -> str:
    """Return the id of the agency, or the name of the list, that gets an alert of *agency* meant for *to*.

    *on* is the local day of the alert's instant, on which it is decided who is above the agency. Where nobody is, it
    resolves to `parent` itself, for which nobody is a contact, so that the gap is recorded.
    """
    match to:
        case "self":
            return agency
        case "parent":
            return registry.parent_on(agency, on) or PARENT
        case name:
            return name
