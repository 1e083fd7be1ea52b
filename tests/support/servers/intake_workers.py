"""An intake with workers: waiting until all of them serve, and posting as an upstream system does."""

import asyncio
import time
from collections import Counter

import httpx

from schemas.events.topics import FACTS
from tests.support.assertions.eventually import eventually
from tests.support.builders.plans import AGENCIES, Json, a_submission
from tests.support.servers.intake import encode_event
from tests.support.servers.kafka import Bus
from tests.support.servers.services import Service

WORKERS = 2
POSTS_AT_ONCE = 24
RETRY_SECONDS = 0.05
SECONDS = "seconds"


async def wait_until_workers_serve(service: Service) -> None:
    """Wait until as many workers serve as are wanted."""

    async def serve() -> bool:
        async with httpx.AsyncClient() as asking:
            return f"intake_workers {WORKERS}.0" in (await asking.get(f"{service.url}/metrics")).text

    await eventually(serve, f"{WORKERS} workers serving")


def reports(name: str, count: int) -> list[Json]:
    """Reports of every agency."""
    of = [AGENCIES[number % len(AGENCIES)] for number in range(count)]
    return [a_submission(f"{name}-{n}", data={"agency": agency}, subject=agency) for n, agency in enumerate(of)]


async def post(client: httpx.AsyncClient, content: bytes, **headers: str) -> httpx.Response:
    """Post until there is an answer: a connection that is reset is opened again, to whichever process takes it.

    The answer's extension `SECONDS` holds how long that took.
    """
    started = time.monotonic()
    while True:
        try:
            answer = await client.post("/v1/events", content=content, headers=headers)
        except httpx.TransportError:
            await asyncio.sleep(RETRY_SECONDS)
        else:
            answer.extensions[SECONDS] = time.monotonic() - started
            return answer


async def post_all(client: httpx.AsyncClient, events: list[Json]) -> list[httpx.Response]:
    """Post each event by itself, many at a time."""
    gate = asyncio.Semaphore(POSTS_AT_ONCE)

    async def post_one(event: Json) -> httpx.Response:
        async with gate:
            return await post(client, encode_event(event))

    return await asyncio.gather(*map(post_one, events))


async def assert_kept_once(bus: Bus, events: list[Json]) -> None:
    """Assert that each of *events* is in the log once."""
    kept = Counter(record.json["id"] for record in await bus.records(FACTS.name))
    assert {event["id"]: kept[event["id"]] for event in events} == dict.fromkeys((one["id"] for one in events), 1)
