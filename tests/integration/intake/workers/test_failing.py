"""Workers killed or frozen amid posts short and long: nothing acknowledged is lost, and nothing is written twice."""

import asyncio
import os
import signal
import socket
from collections import Counter
from pathlib import Path

import httpx
import pytest

from deploy.local.servers.kafka import Kafka
from schemas.events.topics import FACTS
from services.intake.core.event_log import LogUnavailableError
from services.intake.core.fact_record import DedupEntries, PartitionBatch
from services.intake.workers import protocol
from services.intake.workers.log_client import LogClient, MainProcessLostError
from services.intake.workers.protocol import MainChecks, Plans
from tests.support.assertions.eventually import eventually
from tests.support.builders.plans import Json, a_submission
from tests.support.matrix import matrix
from tests.support.servers.intake import BATCH, encode_event
from tests.support.servers.intake_workers import (
    SECONDS,
    WORKERS,
    assert_kept_once,
    post,
    post_all,
    reports,
    wait_until_workers_serve,
)
from tests.support.servers.kafka import Bus
from tests.support.servers.services import Service

POSTS = 600
BATCH_EVENTS = 50
BATCHES = 88

# A frozen worker is killed after two seconds of silence; its clients then connect again, to another process. Ten times
# that, for a busy machine: a worker that is not killed answers nobody ever.
FROZEN_SECONDS = 20.0


@pytest.mark.parametrize("number", matrix([signal.SIGKILL, signal.SIGSTOP], in_every_run=1), ids=["killed", "frozen"])
async def test_nothing_is_lost_or_doubled_when_workers_fail(
    intake_with_workers: Service, worker_client: httpx.AsyncClient, published: Bus, number: signal.Signals
) -> None:
    """All of them amid posts: clients reconnect and are answered, each event is written once, workers are replaced."""
    events = reports("k", POSTS)
    posting = asyncio.create_task(post_all(worker_client, events))
    await asyncio.sleep(0.1)
    failed = intake_with_workers.children()
    assert len(failed) == WORKERS
    for worker in failed:
        os.kill(worker, number)
    answers = await posting
    assert Counter(answer.status_code for answer in answers) == {202: POSTS}
    assert max(answer.extensions[SECONDS] for answer in answers) < FROZEN_SECONDS
    await assert_kept_once(published, events)
    await eventually(lambda: not set(failed) & set(intake_with_workers.children()), "the failed workers gone")
    await wait_until_workers_serve(intake_with_workers)


@pytest.mark.chaos
async def test_a_broker_that_is_away_delays_nobody_with_workers_or_without(
    intake_with_workers: Service, worker_client: httpx.AsyncClient, published: Bus, kafka: Kafka
) -> None:
    """Events are spooled; sent again while workers are killed they get their first receipt; each is written once."""
    events = reports("z", 20)
    kafka.kill()
    first = await post_all(worker_client, events)
    for worker in intake_with_workers.children():
        os.kill(worker, signal.SIGKILL)
    again = await post_all(worker_client, events)
    assert {answer.status_code for answer in (*first, *again)} == {202}
    receipts = {one["id"]: one for answer in first for one in answer.json()["receipts"]}
    assert {one["id"]: one for answer in again for one in answer.json()["receipts"]} == receipts
    kafka.start()
    await eventually(intake_with_workers.is_ready, "intake ready again", timeout=60)
    await assert_kept_once(published, events)
    kept = {record.json["id"]: record.json for record in await published.records(FACTS.name)}
    assert {name: (one["receiptid"], one["receivedtime"]) for name, one in receipts.items()} == {
        name: (kept[name]["receiptid"], kept[name]["receivedtime"]) for name in receipts
    }


@pytest.mark.chaos
async def test_long_batches_are_written_whole_and_apart(
    worker_client: httpx.AsyncClient, intake_with_workers: Service, published: Bus
) -> None:
    """Batches up to a mebibyte pass from workers to the main process; a worker killed amid them loses nothing."""
    batches = [reports(f"l-{number}", BATCH_EVENTS) for number in range(BATCHES)]
    content = {**a_submission()["data"]["content"], "sections": {"results": "x" * (1024 * 1024 // BATCH_EVENTS)}}
    batches.append([a_submission(f"longest-{number}", data={"content": content}) for number in range(BATCH_EVENTS)])

    async def post_batch(batch: list[Json]) -> httpx.Response:
        return await post(worker_client, encode_event(batch), **{"content-type": BATCH})

    posting = [asyncio.create_task(post_batch(batch)) for batch in batches]
    await asyncio.wait(posting, return_when=asyncio.FIRST_COMPLETED)
    os.kill(intake_with_workers.children()[0], signal.SIGKILL)
    for batch, answer in zip(batches, await asyncio.gather(*posting), strict=True):
        assert answer.status_code == 202
        assert [one["id"] for one in answer.json()["receipts"]] == [event["id"] for event in batch]
    events = [event for batch in batches for event in batch]
    kept = {record.json["id"]: record for record in await published.records(FACTS.name)}
    assert all(kept[event["id"]].json["data"] == event["data"] for event in events)
    await assert_kept_once(published, events)


async def test_a_worker_whose_main_process_is_lost_keeps_nobody_waiting() -> None:
    """An append under way and one that comes later end as unavailable, and the worker ends."""
    ours, theirs = socket.socketpair()
    client = LogClient(on_plans=lambda _: None)
    outbox = bytearray()
    protocol.write_message(MainChecks({"kafka": True}), outbox)
    protocol.write_message(Plans(b"{}"), outbox)
    theirs.sendall(outbox)
    batch = PartitionBatch(0, [b"h-mot"], [b"{}"], DedupEntries([b"i"], [b"s"]))
    async with asyncio.timeout(10):
        await client.connect(ours)
        assert client.checks == {"kafka": True}
        running = asyncio.create_task(client.run(list))
        under_way = asyncio.create_task(client.append([batch]))
        await asyncio.sleep(0)
        theirs.close()
        for append in (under_way, client.append([batch])):
            with pytest.raises(LogUnavailableError):
                await append
        with pytest.raises(MainProcessLostError):
            await running


async def test_no_worker_outlives_its_main_process(intake_with_workers: Service) -> None:
    """Not even when the main process was killed: the end of the socket pair ends the worker."""
    workers = intake_with_workers.children()
    os.kill(intake_with_workers.pid, signal.SIGKILL)
    await eventually(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers), "the workers gone")
