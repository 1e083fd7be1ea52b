"""Names and groups of agencies, looked up in one version of a registry."""

from datetime import date, timedelta

from schemas.plan.registry import Membership
from services.reporting.core.registry_index import BY_NAME, RegistryIndex
from tests.support.builders.annual_report import DUE, a_plan, a_registry


def test_an_agency_addressed_by_name_has_a_group_of_its_own() -> None:
    """Agencies that the plan addresses by name are counted in a group apart from the groups of the registry."""
    obligation = a_plan().obligations[0].model_copy(update={"addressees": ("h-00",)})
    index = RegistryIndex.of(a_registry())
    assert index.group_of("h-00", obligation, DUE.date()) == BY_NAME
    assert index.group_name(BY_NAME, "en") == "Named agencies"
    assert index.name_on("unheard-of", DUE.date()) == "unheard-of"


def test_a_group_has_the_members_of_the_day() -> None:
    """An agency that has left a group is none of its members from that day on, and was one before."""
    registry, left_on = a_registry(), date(2025, 7, 1)
    membership = Membership.model_validate({"id": "ubnd-huyen", "to": left_on})
    agency = registry.agencies[0].model_copy(update={"groups": (membership,)})
    index = RegistryIndex.of(registry.model_copy(update={"agencies": (agency,)}))
    assert index.groups_on(agency.id, left_on - timedelta(days=1)) == {"ubnd-huyen"}
    assert index.groups_on(agency.id, left_on) == set()
    assert index.groups_on("unheard-of", left_on) == set()
