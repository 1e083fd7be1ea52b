"""Look up an agency's name and group on a day in one version of a registry.

Denominators come from the registry on the day a duty is due: an agency is counted under one group only, the first of
the obligation's addressees that it belonged to.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from schemas.plan.plan import Obligation
from schemas.plan.registry import Agency, Registry

# The group of agencies that an obligation addresses by name and not through a group.
BY_NAME = "named"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryIndex:
    """One version of a registry, with its agencies indexed by id."""

    registry: Registry
    agencies: Mapping[str, Agency]

    @classmethod
    def of(cls, registry: Registry) -> "RegistryIndex":
        """Index *registry* once, so that a report of many duties looks each agency up in one step."""
        return cls(registry=registry, agencies={agency.id: agency for agency in registry.agencies})

    def name_on(self, agency_id: str, day: date, language: str = "vi") -> str:
        """Return the agency's name on *day*, or the id itself where the registry does not know it."""
        agency = self.agencies.get(agency_id)
        return agency.name_on(day, language) if agency else agency_id

    def group_of(self, agency_id: str, obligation: Obligation, day: date) -> str:
        """Return the first addressed group that the agency belonged to on *day*.

        An agency that belonged to none of them on *day* is counted under the first one it ever belonged to, and under
        `BY_NAME` where there is none or where the obligation addresses the agency itself.
        """
        agency = self.agencies.get(agency_id)
        if agency is None or agency_id in obligation.bearers:
            return BY_NAME
        groups_on_day = {membership.id for membership in agency.groups if membership.contains(day)}
        groups_ever = {membership.id for membership in agency.groups}
        addressed = [group for group in obligation.bearers if group in groups_on_day]
        return next(iter(addressed or [group for group in obligation.bearers if group in groups_ever]), BY_NAME)

    def groups_on(self, agency_id: str, day: date) -> frozenset[str]:
        """Return every group that the agency belonged to on *day*, addressed or not."""
        agency = self.agencies.get(agency_id)
        return frozenset(one.id for one in agency.groups if one.contains(day)) if agency else frozenset()

    def group_name(self, group_id: str, language: str = "vi") -> str:
        """Return a group's name; agencies addressed by name share a name of this service's own."""
        if group_id == BY_NAME:
            return "Đơn vị được giao đích danh" if language == "vi" else "Named agencies"
        group = next((candidate for candidate in self.registry.groups if candidate.id == group_id), None)
        return group.name.in_language(language) if group else group_id
