"""Intake killed again and again while ten thousand events are posted: every 202 is found in the log exactly once."""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import httpx
import pytest

from schemas.events.topics import FACTS
from tests.support.assertions.eventually import eventually
from tests.support.builders.plans import AGENCIES, Json, a_submission
from tests.support.servers.intake import BATCH, STRUCTURED, IntakeFiles, encode_event, open_client, publish_plan
from tests.support.servers.kafka import Bus
from tests.support.servers.services import Launch, Service

POSTS = int(os.environ.get("CHAOS_POSTS", "10000"))
LONG_BATCH = 50  # events: their records pass from worker to main process in many pieces
BATCHES_SHARE = 20  # times the events posted one by one: the kills fall amid them
SENDERS = 32
KILLS = 5
PAUSE_SECONDS = (0.5, 3.0)


def events(count: int) -> Iterator[Json]:
    """Different reports of every agency."""
    for number in range(count):
        agency = AGENCIES[number % len(AGENCIES)]
        yield a_submission(f"k-{number}", data={"agency": agency}, subject=agency)


async def post(client: httpx.AsyncClient, batch: list[Json]) -> list[Json]:
    """Post until the answer is 202, as an upstream system does, and return the receipts."""
    alone = len(batch) == 1
    headers = {"content-type": STRUCTURED if alone else BATCH}
    while True:
        try:
            answer = await client.post(
                "/v1/events", content=encode_event(batch[0] if alone else batch), headers=headers
            )
        except httpx.TransportError:
            await asyncio.sleep(0.05)
            continue
        if answer.status_code == 202:
            return list(answer.json()["receipts"])
        assert answer.status_code == 503, answer.text
        await asyncio.sleep(0.05)


async def kill_often(service: Service) -> None:
    """Kill -9 at moments nobody chose, and start again on the same port, keys and spool."""
    moments = random.Random(6766)  # noqa: S311 - moments, not secrets
    for _ in range(KILLS):
        await asyncio.sleep(moments.uniform(*PAUSE_SECONDS))
        service.kill()
        await asyncio.to_thread(service.start)


@pytest.mark.parametrize(
    ("workers", "at_once"),
    [(0, 1), (1, 1), (1, LONG_BATCH)],
    ids=["alone", "with a worker", "long batches with a worker"],
)
async def test_every_202_is_in_the_log_once_after_kill_9(
    bus: Bus, launch: Launch, tmp_path: Path, workers: int, at_once: int
) -> None:
    """What was acknowledged is there, once, with the receipt that was given."""
    intake_files = IntakeFiles(folder=tmp_path)
    bearer = intake_files.add_key()
    await publish_plan(bus)
    service = launch("intake", **intake_files.environment, DONDOC_INTAKE_WORKERS=str(workers))
    receipts: dict[str, Json] = {}
    count = POSTS if at_once == 1 else POSTS * BATCHES_SHARE
    ahead = events(count)

    async def send_on() -> None:
        async with open_client(service, bearer) as client:
            while batch := list(islice(ahead, at_once)):
                receipts.update((one["id"], one) for one in await post(client, batch))

    await asyncio.gather(kill_often(service), *(send_on() for _ in range(SENDERS)))
    await eventually(service.is_ready, "intake ready after the last kill", timeout=60)
    records = [record.json for record in await bus.records(FACTS.name)]
    assert len(receipts) == count
    assert Counter(record["id"] for record in records) == Counter(dict.fromkeys(receipts, 1))
    recorded = {record["id"]: (record["receiptid"], record["receivedtime"]) for record in records}
    assert recorded == {event: (one["receiptid"], one["receivedtime"]) for event, one in receipts.items()}
