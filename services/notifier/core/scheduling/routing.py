"""Routing: who hears of a call. `self` is the agency, `parent` the one above it, any other name a contact list."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from schemas.events.deliveries import Channel
from schemas.plan.registry import Registry

Language = Literal["vi", "en"]
SELF = "self"
PARENT = "parent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """How one person at an agency (or on a list) is reached on the local dates [from_, to)."""

    agency: str
    channel: Channel
    address: str
    role: str = ""
    language: Language = "vi"
    from_: date | None = None
    to: date | None = None

    def is_valid_on(self, day: date) -> bool:
        """Whether the contact holds on the local date *day*."""
        return (self.from_ is None or self.from_ <= day) and (self.to is None or day < self.to)


class ContactBook:
    """All contacts, by agency or list. The order of the file is the order in which people are named."""

    def __init__(self, contacts: Iterable[Contact] = ()) -> None:
        self._by_agency: dict[str, list[Contact]] = {}
        for contact in contacts:
            self._by_agency.setdefault(contact.agency, []).append(contact)

    def reaching(self, agency: str, day: date) -> dict[Channel, tuple[Contact, ...]]:
        """Return who is reached at *agency* (an id or a list's name) on *day*, by channel; no address twice."""
        reached: dict[Channel, dict[str, Contact]] = {}
        for contact in self._by_agency.get(agency, ()):
            if contact.is_valid_on(day):
                reached.setdefault(contact.channel, {}).setdefault(contact.address, contact)
        return {channel: tuple(people.values()) for channel, people in reached.items()}


def destination(to: str, agency: str, registry: Registry) -> str:
    """Return the agency or list that hears of a call of *agency* meant for *to*."""
    match to:
        case "self":
            return agency
        case "parent":
            found = registry.agency(agency)
            return found.parent if found and found.parent else PARENT
        case name:
            return name
