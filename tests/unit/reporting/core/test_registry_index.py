"""Names and groups of agencies, looked up in one version of a registry."""

from services.reporting.core.registry_index import BY_NAME, RegistryIndex
from tests.support.builders.annual_report import DUE, a_plan, a_registry


def test_an_agency_addressed_by_name_has_a_group_of_its_own() -> None:
    """Agencies that the plan addresses by name are counted in a group apart from the groups of the registry."""
    obligation = a_plan().obligations[0].model_copy(update={"addressees": ("h-00",)})
    index = RegistryIndex.of(a_registry())
    assert index.group_of("h-00", obligation, DUE.date()) == BY_NAME
    assert index.group_name(BY_NAME, "en") == "Named agencies"
    assert index.name_on("unheard-of", DUE.date()) == "unheard-of"
