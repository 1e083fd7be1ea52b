"""Published documents as they were known at an instant: by the versions that the assessments known then cite."""

from datetime import datetime, timedelta

import pytest

from services.reporting.cited_documents import NotFoundError
from services.reporting.core.access.readers import EVERYTHING
from services.reporting.evidence.document_queries import DocumentQueries
from tests.support.builders import plans
from tests.support.builders.partition_log import NOON, PartitionLog
from tests.support.clients.reporting_archive import InMemoryArchive, PublishedInMemory

LATER = NOON + timedelta(minutes=1)
PUBLISHED = {version: (plans.a_registry(version=version), plans.a_plan(version=version)) for version in (1, 2, 3)}


@pytest.fixture
def documents() -> DocumentQueries:
    """Publish three versions of a plan and of its registry, of which rules has adopted two, a second apart."""
    log, archive = PartitionLog(*PUBLISHED[1]), InMemoryArchive()
    for verdict in log.adopt_raw():
        archive.store_verdict(verdict)
    for document in PUBLISHED[2]:
        log.documents.publish(document)
    for verdict in log.adopt_raw():
        archive.store_verdict(verdict)
    published = [document for several in PUBLISHED.values() for document in several]
    return DocumentQueries(PublishedInMemory(*published), archive.ask(*published))


@pytest.mark.parametrize(("known_at", "versions"), [(NOON, (1,)), (LATER, (1, 2)), (None, (1, 2, 3))])
async def test_a_document_has_the_versions_that_were_known(
    documents: DocumentQueries, known_at: datetime | None, versions: tuple[int, ...]
) -> None:
    """A version that nothing cited yet was not in force, even where nothing but its number is new."""
    plan = await documents.find_plan(plans.PLAN, None, known_at)
    registry = await documents.find_registry(plans.REGISTRY, None, EVERYTHING, known_at=known_at)
    assert (plan.plan.version, plan.versions, len(plan.changes)) == (versions[-1], versions, len(versions))
    assert (registry.registry.version, registry.versions) == (versions[-1], versions)
    assert plan.registry is not None
    assert plan.registry.version == versions[-1]


@pytest.mark.parametrize(("version", "known_at"), [(2, NOON), (3, LATER), (None, NOON - timedelta(days=1)), (4, None)])
async def test_what_was_not_known_is_not_found(
    documents: DocumentQueries, version: int | None, known_at: datetime | None
) -> None:
    """A later version by its number, and everything before the first was adopted."""
    with pytest.raises(NotFoundError):
        await documents.find_plan(plans.PLAN, version, known_at)
    with pytest.raises(NotFoundError):
        await documents.find_registry(plans.REGISTRY, version, EVERYTHING, known_at=known_at)
