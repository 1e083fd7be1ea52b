"""Which agencies are tallied together: those whose figures are compared with each other."""

import pytest

from schemas.plan.registry import Registry
from services.reporting.core.consolidation import agency_blocks
from services.reporting.core.consolidation.agency_blocks import AgencyPartition
from tests.support.builders import plans


@pytest.fixture(autouse=True)
def _one_agency_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agency_blocks, "BLOCK_AGENCIES", 1)


def a_registry(*successions: tuple[str, str]) -> Registry:
    """Return five agencies, of which the first of each of *successions* was merged into the second."""
    return plans.a_registry(
        *(plans.an_agency(f"h-{number}") for number in range(5)),
        successions=[
            {"type": "merge_into", "from": [merged], "to": [heir], "on": "2024-06-01", "act": "NQ"}
            for merged, heir in successions
        ],
    )


def list_blocks(registry: Registry) -> list[int]:
    """Return the block of each agency."""
    partition = AgencyPartition(plans.a_plan(), registry)
    return [partition[f"h-{number}"] for number in range(5)]


def test_every_agency_has_its_place_in_the_order_of_ids() -> None:
    """So what stands in that order stays so when blocks are put together."""
    blocks = list_blocks(a_registry())
    assert blocks == sorted(set(blocks))


def test_all_parties_to_a_succession_share_a_block() -> None:
    """Also over several mergers, in whatever order the registry has them: figures of last year count under the heir."""
    for successions in ((("h-4", "h-2"), ("h-2", "h-0")), (("h-2", "h-0"), ("h-4", "h-2"))):
        blocks = list_blocks(a_registry(*successions))
        assert blocks[0] == blocks[2] == blocks[4]
        assert len(set(blocks)) == 3
