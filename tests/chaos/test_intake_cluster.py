"""Intake on three brokers of which one leaves or is killed under load: others lead then, and nothing is lost."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.builders.plans import AGENCIES
from tests.support.clients.upstream import more, posting, read_log, receipts_of
from tests.support.servers.intake import IntakeFiles, count_spooled, publish_plan
from tests.support.servers.kafka_cluster import NODES, Cluster
from tests.support.servers.services import Launch, Service

TIMEOUT_SECONDS = 20.0  # longer than it takes the others to miss a broker that was killed


@pytest.fixture
async def cluster(tmp_path: Path, jars: Path) -> AsyncIterator[Cluster]:
    """Three brokers at work."""
    made = Cluster(tmp_path / "cluster", jars=jars)
    try:
        await made.start()
        yield made
    finally:
        made.kill()


@pytest.fixture
async def intake(cluster: Cluster, intake_files: IntakeFiles, bearer: str, launch: Launch) -> Service:
    """One intake that knows all three."""
    assert bearer
    await publish_plan(cluster.bus)
    brokers = {"DONDOC_KAFKA_BOOTSTRAP": cluster.bus.bootstrap, "DONDOC_KAFKA_REPLICATION": str(NODES)}
    return launch(
        "intake", **intake_files.environment, **brokers, DONDOC_INTAKE_BROKER_TIMEOUT_SECONDS=str(TIMEOUT_SECONDS)
    )


async def test_a_broker_that_leaves_is_not_missed(cluster: Cluster, intake: Service, bearer: str) -> None:
    """What it led is sent to who leads it now; then it comes back."""
    leader = await cluster.leader(AGENCIES)
    async with posting(intake, bearer) as answers:
        await more(answers, 300)
        # In a thread: a client that stands still for longer than a connection may be idle is cut off.
        await asyncio.to_thread(leader.stop)
        await more(answers, 300)
        await asyncio.to_thread(leader.start)
        await more(answers, 300)
    assert count_spooled(intake) == 0
    assert await read_log(cluster.bus) == receipts_of(answers)


async def test_what_a_killed_broker_had_not_answered_is_sent_again(
    cluster: Cluster, intake: Service, bearer: str
) -> None:
    """Its partitions wait until others lead them: who has the batch already knows it again."""
    leader = await cluster.leader(AGENCIES)
    async with posting(intake, bearer) as answers:
        await more(answers, 300)
        leader.kill()
        await more(answers, 1_000)
    assert count_spooled(intake) == 0
    assert await read_log(cluster.bus) == receipts_of(answers)
    assert any("Got error produce response" in line["message"] for line in intake.log_lines())
