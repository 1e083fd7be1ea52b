"""Upstream systems that post to intake in parallel, the receipts that they got, and the events in the log."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from schemas.events.topics import FACTS
from tests.support.assertions.eventually import eventually
from tests.support.builders.plans import AGENCIES, Json, a_submission
from tests.support.servers.intake import encode_event, open_client
from tests.support.servers.kafka import Bus
from tests.support.servers.services import Service

SYSTEMS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEvent:
    """The receipt of one event, as a system got it or as the log has it."""

    event: str
    receiptid: str
    receivedtime: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PostResult:
    """One 202 response: when its request was sent and how long it took, on the monotonic clock."""

    system: int
    receipt: RecordedEvent
    began_at: float
    seconds: float


@asynccontextmanager
async def posting(service: Service, bearer: str) -> AsyncIterator[list[PostResult]]:
    """Post from all systems until the block ends, one report after the other each; anything but 202 fails the test.

    The answers so far can be looked at at any time. At the end each system still gets the answer it waits for.
    """
    answers: list[PostResult] = []
    is_over = asyncio.Event()

    async def post_on(system: int) -> None:
        async with open_client(service, bearer) as client:
            for event in reports(system):
                if is_over.is_set():
                    return
                answers.append(await _post(client, event, system))

    async with asyncio.TaskGroup() as systems:
        for system in range(SYSTEMS):
            systems.create_task(post_on(system))
        try:
            yield answers
        finally:
            is_over.set()


def reports(system: int) -> Iterable[Json]:
    """Yield different reports of one agency without end; the log keeps the order of one agency."""
    agency = AGENCIES[system % len(AGENCIES)]
    for number in itertools.count():
        yield a_submission(f"u-{system}-{number}", data={"agency": agency}, subject=agency)


async def more(answers: list[PostResult], count: int) -> None:
    """Wait until *count* more posts are answered."""
    enough = len(answers) + count
    await eventually(lambda: len(answers) >= enough, f"{enough} posts answered", timeout=60)


def receipts_of(answers: Iterable[PostResult]) -> list[RecordedEvent]:
    """Return the receipts system by system, in the order in which each got them."""
    return [answer.receipt for answer in sorted(answers, key=lambda answer: answer.system)]


async def read_log(bus: Bus) -> list[RecordedEvent]:
    """Return the receipts in the log system by system, in the log's order."""
    records = [_receipt_of(record.json) for record in await bus.records(FACTS.name)]
    return sorted(records, key=lambda one: _system(one.event))


async def _post(client: httpx.AsyncClient, event: Json, system: int) -> PostResult:
    began_at = time.monotonic()
    answer = await client.post("/v1/events", content=encode_event(event))
    seconds = time.monotonic() - began_at
    assert answer.status_code == 202, answer.text
    (receipt,) = answer.json()["receipts"]
    return PostResult(system=system, receipt=_receipt_of(receipt), began_at=began_at, seconds=seconds)


def _receipt_of(receipt: Json) -> RecordedEvent:
    return RecordedEvent(event=receipt["id"], receiptid=receipt["receiptid"], receivedtime=receipt["receivedtime"])


def _system(event: str) -> int:
    return int(event.split("-")[1])
