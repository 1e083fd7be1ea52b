"""Intake with clerks beside it: whether all are at work, and posts by the hundred for them."""

import asyncio
from collections import Counter

import httpx

from schemas.events.topics import FACTS
from tests.support.assertions.eventually import eventually
from tests.support.builders.plans import AGENCIES, Json, a_submission
from tests.support.servers.intake import encode_event
from tests.support.servers.kafka import Bus
from tests.support.servers.services import Service

CLERKS = 2
AT_ONCE = 24


async def all_at_work(service: Service) -> None:
    """Wait until as many clerks share in the work as are wanted."""

    async def is_staffed() -> bool:
        async with httpx.AsyncClient() as asking:
            return f"intake_clerks {CLERKS}.0" in (await asking.get(f"{service.url}/metrics")).text

    await eventually(is_staffed, f"{CLERKS} clerks at work")


def reports(name: str, count: int) -> list[Json]:
    """Reports of every agency."""
    of = [AGENCIES[number % len(AGENCIES)] for number in range(count)]
    return [a_submission(f"{name}-{n}", data={"agency": agency}, subject=agency) for n, agency in enumerate(of)]


async def post_all(client: httpx.AsyncClient, events: list[Json]) -> list[httpx.Response]:
    """Post each by itself, many at a time."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def post(event: Json) -> httpx.Response:
        async with gate:
            return await client.post("/v1/events", content=encode_event(event))

    return await asyncio.gather(*map(post, events))


async def assert_kept_once(bus: Bus, events: list[Json]) -> None:
    """Each of *events* lies in the log, once."""
    kept = Counter(record.json["id"] for record in await bus.records(FACTS.name))
    assert {event["id"]: kept[event["id"]] for event in events} == dict.fromkeys((one["id"] for one in events), 1)
