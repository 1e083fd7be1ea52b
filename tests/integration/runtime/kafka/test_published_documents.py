"""The published documents are all read at start, and followed from then on."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaProducer

from schemas.events.topics import REFERENCES
from services.runtime.kafka.published_documents import PublishedDocuments, publish_document
from services.runtime.kafka.topics import TopicsError, ensure_topics
from tests.support.builders import plans
from tests.support.servers.kafka import Bus
from tests.support.servers.rules import RulesClient


@pytest.fixture
async def references(bus: Bus) -> AsyncIterator[PublishedDocuments]:
    """The documents of the empty topic; not started."""
    documents = PublishedDocuments(bus.access)
    yield documents
    await documents.stop()


async def test_what_was_published_before_is_there_at_start(bus: Bus, references: PublishedDocuments) -> None:
    """The latest version is found by id, every version by its number."""
    await RulesClient(bus).publish(plans.a_registry(), plans.a_plan(), plans.a_plan(version=2))
    await references.start()
    assert references.is_complete
    assert references.plan("P-1") == plans.a_plan(version=2)
    assert references.version("plan", "P-1", 1) == plans.a_plan()
    assert references.registry("th") == plans.a_registry()


async def test_what_is_published_later_is_told(bus: Bus, references: PublishedDocuments) -> None:
    """A callback runs once a document has arrived; a plan without its registry is not complete."""
    await references.start()
    changed = asyncio.Event()
    references.on_change.append(changed.set)
    await RulesClient(bus).publish(plans.a_plan())
    await references.catch_up()
    assert (changed.is_set(), references.is_complete) == (True, False)
    await RulesClient(bus).publish(plans.a_registry())
    await references.catch_up()
    assert references.is_complete


async def test_an_unreadable_document_is_passed_over(bus: Bus, references: PublishedDocuments) -> None:
    """One bad record in the topic does not keep a service from working."""
    await bus.publish(REFERENCES.name, b"{", key="plan:P-0@1", partition=0)
    await bus.publish(REFERENCES.name, {}, key="nonsense", partition=0)
    await RulesClient(bus).publish(plans.a_registry(), plans.a_plan())
    await references.start()
    assert [plan.plan for plan in references.plans()] == ["P-1"]


async def test_a_removed_version_is_forgotten(bus: Bus, references: PublishedDocuments) -> None:
    """A record without a value (a tombstone) removes its version."""
    await RulesClient(bus).publish(plans.a_registry(), plans.a_plan(), plans.a_plan(version=2))
    await bus.publish(REFERENCES.name, None, key="plan:P-1@2", partition=0)
    await references.start()
    assert references.plan("P-1") == plans.a_plan()


async def test_a_document_larger_than_a_record_travels_in_parts(bus: Bus, references: PublishedDocuments) -> None:
    """Ten thousand agencies are read back equal, at once and at a start; a writing that is cut off changes nothing."""
    agencies = [plans.an_agency(f"x-{number:05d}", names=[{"vi": "UBND xã " * 12}]) for number in range(10_000)]
    registry = plans.a_registry(*agencies)
    await references.start()
    async with AIOKafkaProducer(bootstrap_servers=bus.bootstrap) as producer:
        await publish_document(producer, "plan", plans.a_plan())
        await publish_document(producer, "registry", registry)
    keys = [(one.key or b"").decode() for one in await bus.records(REFERENCES.name)]
    assert keys == ["plan:P-1@1", "registry:th@1#1/3", "registry:th@1#2/3", "registry:th@1#3/3"]
    await bus.publish(REFERENCES.name, b"{", key="registry:th@1#2/3", partition=0)
    await references.catch_up()
    assert (references.is_complete, references.registry("th")) == (True, registry)
    assert "not of one document" in references.unreadable["b'registry:th@1'"]


async def test_topics_with_other_partitions_are_refused(bus: Bus) -> None:
    """The number of partitions is fixed for the life of the log; the message names the setting."""
    with pytest.raises(TopicsError, match=f"set DONDOC_PARTITIONS={bus.partitions}"):
        await ensure_topics(bus.access, bus.partitions + 1)
    await ensure_topics(bus.access, bus.partitions)


async def test_a_published_document_is_read_back_equal(bus: Bus, references: PublishedDocuments) -> None:
    """What `publish_document` writes loses nothing."""
    await references.start()
    async with AIOKafkaProducer(bootstrap_servers=bus.bootstrap) as producer:
        await publish_document(producer, "plan", plans.a_plan())
    await references.catch_up()
    assert references.plan("P-1") == plans.a_plan()
