"""Who the agencies are over time: aliases, lifetimes, memberships, and who takes whose place (ruling 7).

Every duty of every period asks the same of its agency, so the answers are kept: one for each agency, and one for each
agency and list of addressees of the plan.
"""

from collections.abc import Iterator
from datetime import date

import msgspec

from schemas.plan.registry import HEIRS_BY_LAW, Agency, Registry, Succession


class Stay(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Half-open local dates during which an agency was addressed."""

    from_: date
    to: date

    def contains(self, day: date) -> bool:
        """Whether *day* lies in the stay."""
        return self.from_ <= day < self.to


class Agencies:
    """One registry, indexed."""

    def __init__(self, registry: Registry) -> None:
        self._agencies = {agency.id: agency for agency in registry.agencies}
        self._ids = {alias: agency.id for agency in registry.agencies for alias in agency.aliases} | {
            one: one for one in self._agencies
        }
        self._successions = registry.successions
        self._heirs: dict[str, tuple[str, ...]] = {}
        self._lives: dict[str, Stay] = {}
        self._lines: dict[str, frozenset[str]] = {}
        self._stays: dict[tuple[str, tuple[str, ...]], tuple[Stay, ...]] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._agencies)

    def __contains__(self, agency_id: object) -> bool:
        return agency_id in self._agencies

    def resolve(self, name_or_id: str) -> str | None:
        """Return the permanent id behind an id or alias, or nothing."""
        return self._ids.get(name_or_id)

    def parent(self, agency_id: str) -> str | None:
        """Return the agency above, where the registry names one."""
        return self._agencies[agency_id].parent

    def life(self, agency_id: str) -> Stay:
        """Return the dates on which the agency exists; a succession ends it where its own entry does not say."""
        if agency_id not in self._lives:
            valid = self._agencies[agency_id].valid
            to = valid.to or min((act.on for act in self._acts_ending(agency_id)), default=date.max)
            self._lives[agency_id] = Stay(from_=valid.from_ or date.min, to=to)
        return self._lives[agency_id]

    def stays(self, agency_id: str, addressees: tuple[str, ...]) -> tuple[Stay, ...]:
        """Return when the agency was addressed, by name or as member of a group, in order and without overlap."""
        name = (agency_id, addressees)
        if name not in self._stays:
            life = self.life(agency_id)
            spans = [life] if agency_id in addressees else _memberships(self._agencies[agency_id], addressees)
            clipped = [Stay(from_=max(span.from_, life.from_), to=min(span.to, life.to)) for span in spans]
            self._stays[name] = _joined([span for span in clipped if span.from_ < span.to])
        return self._stays[name]

    def heirs(self, agency_id: str) -> tuple[str, ...]:
        """Return the agencies that directly took the place of one that ended; none for an abolition."""
        if agency_id not in self._heirs:
            acts = [act for act in self._acts_ending(agency_id) if act.type in HEIRS_BY_LAW]
            on_end = [act for act in acts if act.on == self.life(agency_id).to] or acts
            self._heirs[agency_id] = tuple(
                dict.fromkeys(heir for act in on_end for heir in act.to if heir in self._agencies)
            )
        return self._heirs[agency_id]

    def line(self, agency_id: str) -> frozenset[str]:
        """Return all successors, near and far."""
        if agency_id not in self._lines:
            found: set[str] = set()
            waiting = list(self.heirs(agency_id))
            while waiting:
                heir = waiting.pop()
                if heir not in found:
                    found.add(heir)
                    waiting.extend(self.heirs(heir))
            self._lines[agency_id] = frozenset(found - {agency_id})
        return self._lines[agency_id]

    def _acts_ending(self, agency_id: str) -> list[Succession]:
        return [act for act in self._successions if agency_id in act.from_ and agency_id not in act.to]


def _memberships(agency: Agency, addressees: tuple[str, ...]) -> Iterator[Stay]:
    for membership in agency.groups:
        if membership.id in addressees:
            yield Stay(from_=membership.from_ or date.min, to=membership.to or date.max)


def _joined(stays: list[Stay]) -> tuple[Stay, ...]:
    joined: list[Stay] = []
    for stay in sorted(stays, key=lambda one: one.from_):
        if joined and stay.from_ <= joined[-1].to:
            joined[-1] = Stay(from_=joined[-1].from_, to=max(joined[-1].to, stay.to))
        else:
            joined.append(stay)
    return tuple(joined)
