"""Clerks are never needed: killed or frozen amid posts short and long, nothing is lost, refused or kept twice."""

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
from services.intake.cloudevents.http_binding import Mode
from services.intake.cloudevents.pipeline import Handed
from services.intake.core.scopes import Scope
from services.intake.workers.protocol import Papers
from services.intake.workers.shared_memory import TRAY_BYTES, TRAYS, Trays, new_memory
from services.intake.workers.worker_connection import Line
from tests.support.assertions.eventually import eventually
from tests.support.builders.plans import Json, a_submission
from tests.support.servers.intake import BATCH, encode_event
from tests.support.servers.intake_workers import AT_ONCE, CLERKS, all_at_work, assert_kept_once, post_all, reports
from tests.support.servers.kafka import Bus
from tests.support.servers.services import Service

SCOPE = Scope(agencies=frozenset("*"), groups=frozenset(), types=frozenset("*"), may_decide=False)
POSTS = 600
LONG_BATCH = 50  # events: longer than what goes through the socket
FROZEN_SECONDS = 4.0
"""A frozen clerk is given up after two seconds; whoever waits for it is then answered without."""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
async def test_nobody_is_refused_or_lost_when_clerks_fall_out(
    staffed: Service, staffed_client: httpx.AsyncClient, published: Bus, number: signal.Signals
) -> None:
    """All of them in the midst of posts: each post is answered, each event kept once, and the clerks are replaced."""
    events = reports("k", POSTS)
    posting = asyncio.create_task(post_all(staffed_client, events))
    await asyncio.sleep(0.1)
    fallen = staffed.children()
    assert len(fallen) == CLERKS
    for clerk in fallen:
        os.kill(clerk, number)
    answers = await posting
    assert Counter(answer.status_code for answer in answers) == {202: POSTS}
    assert max(answer.elapsed.total_seconds() for answer in answers) < FROZEN_SECONDS
    await assert_kept_once(published, events)
    await eventually(lambda: not set(fallen) & set(staffed.children()), "the fallen clerks gone")
    await all_at_work(staffed)


async def test_a_bus_that_is_away_makes_nobody_late_with_or_without_clerks(
    staffed: Service, staffed_client: httpx.AsyncClient, published: Bus, kafka: Kafka
) -> None:
    """What clerks issued is spooled; sent again without them it gets its first receipt; it is kept once, as told."""
    events = reports("z", 20)
    kafka.kill()
    first = await post_all(staffed_client, events)
    for clerk in staffed.children():
        os.kill(clerk, signal.SIGKILL)
    again = await post_all(staffed_client, events)
    assert {answer.status_code for answer in (*first, *again)} == {202}
    told = {one["id"]: one for answer in first for one in answer.json()["receipts"]}
    assert {one["id"]: one for answer in again for one in answer.json()["receipts"]} == told
    kafka.start()
    await eventually(staffed.is_ready, "intake ready again", timeout=60)
    await assert_kept_once(published, events)
    kept = {record.json["id"]: record.json for record in await published.records(FACTS.name)}
    assert {name: (one["receiptid"], one["receivedtime"]) for name, one in told.items()} == {
        name: (kept[name]["receiptid"], kept[name]["receivedtime"]) for name in told
    }


async def test_long_batches_are_kept_whole_and_apart(
    staffed_client: httpx.AsyncClient, staffed: Service, published: Bus
) -> None:
    """More at a time than there are trays, and one too long for any; a clerk that is killed amid them loses nothing."""
    batches = [reports(f"l-{number}", LONG_BATCH) for number in range(CLERKS * TRAYS + AT_ONCE)]
    content = {**a_submission()["data"]["content"], "sections": {"results": "x" * (TRAY_BYTES // LONG_BATCH)}}
    batches.append([a_submission(f"longest-{number}", data={"content": content}) for number in range(LONG_BATCH)])

    async def post(batch: list[Json]) -> httpx.Response:
        return await staffed_client.post("/v1/events", content=encode_event(batch), headers={"content-type": BATCH})

    posting = [asyncio.create_task(post(batch)) for batch in batches]
    await asyncio.wait(posting, return_when=asyncio.FIRST_COMPLETED)
    os.kill(staffed.children()[0], signal.SIGKILL)
    for batch, answer in zip(batches, await asyncio.gather(*posting), strict=True):
        assert answer.status_code == 202
        assert [one["id"] for one in answer.json()["receipts"]] == [event["id"] for event in batch]
    events = [event for batch in batches for event in batch]
    kept = {record.json["id"]: record for record in await published.records(FACTS.name)}
    assert all(kept[event["id"]].json["data"] == event["data"] for event in events)
    await assert_kept_once(published, events)


async def test_a_line_that_has_ended_keeps_nobody_waiting() -> None:
    """Who asks before the clerk is known to be gone is told at once to do without, and so is who asked before that."""
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    with new_memory() as memory:
        trays = Trays(memory.fileno())
    _, line = await loop.create_unix_connection(lambda: Line(loop, trays), sock=ours)
    papers = Papers((), b"{}", "intake")
    handed = Handed(Mode.STRUCTURED, (), b"{}", SCOPE, "2026-12-09T16:59:59.999Z")
    async with asyncio.timeout(10):
        before = line.ask(handed, papers)
        theirs.close()
        assert await before is None
        await line.has_ended
        assert await line.ask(handed, papers) is None


async def test_no_clerk_outlives_its_intake(staffed: Service) -> None:
    """Not even one whose intake was killed: it hears the end of its line."""
    clerks = staffed.children()
    os.kill(staffed.pid, signal.SIGKILL)
    await eventually(lambda: not any(Path(f"/proc/{clerk}").exists() for clerk in clerks), "the clerks gone")
