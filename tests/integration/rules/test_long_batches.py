"""A batch that takes long holds nobody up: probes answer, the group keeps its member, and parts are committed."""

import asyncio
import json
import time
from urllib.request import urlopen

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition
from prometheus_client import CollectorRegistry

from schemas.events.ids import partition_of
from schemas.events.topics import FACTS
from services.rules import partition
from services.rules.duty_catalogues import DutyCatalogues
from services.rules.metrics import RulesMetrics
from services.rules.partition import Partition
from services.rules.restore import PartitionDependencies
from services.runtime.clock import SystemClock, milliseconds
from services.runtime.kafka import partition_reader
from services.runtime.kafka.published_documents import PublishedDocuments
from tests.integration.rules.test_state_lost import has_logged, read_metric
from tests.support.builders import plans
from tests.support.builders.partition_log import NOON, InMemoryDocuments
from tests.support.servers.rules import GROUP, QUICK_SESSION, RulesClient
from tests.support.servers.services import Launch, Service

FIRST = plans.AGENCIES[0]
REPORTS = 420  # of one duty: the last of them has as many facts assessed
LONGEST_ANSWER_SECONDS = 1.0


@pytest.mark.chaos
async def test_probes_answer_and_parts_are_committed_while_a_costly_batch_is_processed(
    rules: RulesClient, launch: Launch
) -> None:
    """Hundreds of reports of one duty come in one batch: `/livez` answers within a second throughout."""
    healthy = launch("rules", ready=False, **QUICK_SESSION)
    await rules.publish_usual_plan()
    healthy.stop()
    last = await write_reports(rules)
    service = launch("rules", **QUICK_SESSION)
    slowest = 0.0
    commits: set[int] = set()
    while max(commits, default=0) <= last:
        slowest = max(slowest, await asyncio.to_thread(time_probe, service))
        commits.add(max((await rules.bus.committed_offsets(GROUP, FACTS.name)).values()))
    assert slowest < LONGEST_ANSWER_SECONDS
    assert len([offset for offset in commits if offset <= last]) > 1, "the batch was committed only as a whole"
    assert read_metric(service, "rules_partitions_reopened_total") == 0
    assert not has_logged(service, "fenced")


async def test_a_batch_that_takes_very_long_is_left_in_the_middle(
    rules: RulesClient, launch: Launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When its time is up a partition has committed a part, and says from which offset the rest is to be read."""
    healthy = launch("rules", ready=False, **QUICK_SESSION)
    await rules.publish_usual_plan()
    healthy.stop()
    last = await write_reports(rules)
    place = partition_of(FIRST, rules.bus.partitions)
    records = await _read_records(rules, place)
    monkeypatch.setattr(partition, "PART_SECONDS", 0.0)
    monkeypatch.setattr(partition, "BATCH_SECONDS", 0.0)
    owner = Partition(place, _dependencies(rules))
    await owner.open()
    try:
        first = owner.next_offset
        await owner.process_batch(records)
        await owner.process_batch(records)
        assert owner.next_offset < last
        assert len((await rules.assessments_of(FIRST))[1:]) == 2
        assert (await rules.bus.committed_offsets(GROUP, FACTS.name))[place] == owner.next_offset > first
    finally:
        await owner.close()


async def write_reports(rules: RulesClient) -> int:
    """Append all reports at once, each a document of its own; return the offset of the last."""
    async with AIOKafkaProducer(bootstrap_servers=rules.bus.bootstrap, acks="all", linger_ms=50) as producer:
        written = [
            await producer.send(
                FACTS.name, json.dumps(a_report(number)).encode(), key=FIRST.encode(), timestamp_ms=milliseconds(NOON)
            )
            for number in range(REPORTS)
        ]
        offsets: list[int] = [one.offset for one in await asyncio.gather(*written)]
    return offsets[-1]


def a_report(number: int) -> plans.Json:
    """Build one report of the duty, received in a second of its own."""
    document = {"number": f"{number}/BC", "issued_on": "2024-12-01", "signed_by": "A"}
    report = plans.a_submission(f"s-{number:04d}", data={"document": document})
    return {**report, "receivedtime": f"2024-12-01T08:{number // 60:02d}:{number % 60:02d}+07:00"}


def time_probe(service: Service) -> float:
    """Return the seconds in which `/livez` answers."""
    begun = time.perf_counter()
    with urlopen(f"{service.url}/livez", timeout=20.0) as answer:  # noqa: S310 # loopback
        answer.read()
    return time.perf_counter() - begun


async def _read_records(rules: RulesClient, place: int) -> list[ConsumerRecord]:
    facts = TopicPartition(FACTS.name, place)
    parts = [part async for part in partition_reader.read_partition(rules.bus.access, facts)]
    return [record for part in parts for record in part]


def _dependencies(rules: RulesClient) -> PartitionDependencies:
    async def ensure_topics() -> None:
        """Leave the topics as they are."""

    return PartitionDependencies(
        kafka=rules.bus.access,
        group=GROUP,
        catalogues=DutyCatalogues(InMemoryDocuments(plans.a_registry(), plans.a_plan()), rules.bus.partitions),
        references=PublishedDocuments(rules.bus.access),
        clock=SystemClock(),
        metrics=RulesMetrics(CollectorRegistry(), rules.bus.partitions),
        ensure_topics=ensure_topics,
    )
