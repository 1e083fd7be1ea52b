"""Who an agency was on a day: its name, and the addressed group by which an obligation reached it.

Denominators come from the roster on the due instant: an agency is counted under one group only, the first
addressee it belonged to.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from schemas.plan.plan import Obligation
from schemas.plan.registry import Agency, Registry

BY_NAME = "named"
"""The group of agencies that an obligation addresses by name and not through a group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """A registry version, with its agencies at hand by id."""

    registry: Registry
    agencies: Mapping[str, Agency]

    @classmethod
    def of(cls, registry: Registry) -> "Roster":
        """Index *registry* once, so that a report of many duties looks each agency up in one step."""
        return cls(registry=registry, agencies={agency.id: agency for agency in registry.agencies})

    def name_on(self, agency_id: str, day: date, language: str = "vi") -> str:
        """Return the agency's name on *day*; an id the registry does not know stands for itself."""
        agency = self.agencies.get(agency_id)
        return agency.name_on(day, language) if agency else agency_id

    def group_of(self, agency_id: str, obligation: Obligation, day: date) -> str:
        """Return the first addressed group the agency belonged to on *day*."""
        agency = self.agencies.get(agency_id)
        if agency is None or agency_id in obligation.addressees:
            return BY_NAME
        belonged = {membership.id for membership in agency.groups if membership.contains(day)}
        ever = {membership.id for membership in agency.groups}
        addressed = [group for group in obligation.addressees if group in belonged]
        return next(iter(addressed or [group for group in obligation.addressees if group in ever]), BY_NAME)

    def group_name(self, group_id: str, language: str = "vi") -> str:
        """Return a group's name; agencies addressed one by one come under words of our own."""
        if group_id == BY_NAME:
            return "Đơn vị được giao đích danh" if language == "vi" else "Named agencies"
        group = next((one for one in self.registry.groups if one.id == group_id), None)
        return group.name.in_language(language) if group else group_id
