"""With the bus away intake goes on: what it accepts survives on disk and reaches the log in order, once."""

import time
from collections.abc import Callable, Iterable

import httpx
import pytest

from deploy.local.servers.kafka import Kafka
from schemas.events.topics import FACTS
from tests.support.assertions.eventually import eventually
from tests.support.builders.plans import Json, a_submission
from tests.support.faults import fault_plan
from tests.support.servers.intake import BATCH, encode_event, open_client
from tests.support.servers.kafka import Bus
from tests.support.servers.services import Service

USUAL_SECONDS = 0.25


def reports(first: int, count: int) -> list[Json]:
    """Different reports of one agency."""
    return [a_submission(f"s-{number}") for number in range(first, first + count)]


async def post_in_order(client: httpx.AsyncClient, events: Iterable[Json]) -> list[Json]:
    """Post one after the other and return the receipts; each must be accepted."""
    receipts = []
    for event in events:
        answer = await client.post("/v1/events", content=encode_event(event))
        assert answer.status_code == 202, answer.text
        receipts.extend(answer.json()["receipts"])
    return receipts


async def wait_for_facts(bus: Bus, count: int) -> list[Json]:
    """The records of the facts topic, once there are *count*."""

    async def enough() -> list[Json]:
        found = [record.json for record in await bus.records(FACTS.name)]
        return found if len(found) >= count else []

    return await eventually(enough, f"{count} facts in the log", timeout=60)


async def test_a_bus_that_is_away_makes_nobody_late(
    client: httpx.AsyncClient, intake: Service, published: Bus, kafka: Kafka
) -> None:
    """Accepted within the usual time, drained in order with the true receivedtime, recorded when the bus had it."""
    before = await post_in_order(client, reports(0, 5))
    kafka.kill()
    first = await post_in_order(client, reports(5, 1))
    started = time.monotonic()
    away = first + await post_in_order(client, reports(6, 20))
    assert time.monotonic() - started < 20 * USUAL_SECONDS
    kafka.start()
    await eventually(intake.is_ready, "intake ready again", timeout=60)
    after = await post_in_order(client, reports(26, 5))
    receipts = before + away + after
    found = await wait_for_facts(published, len(receipts))
    assert [one["id"] for one in found] == [receipt["id"] for receipt in receipts]
    assert [one["receivedtime"] for one in found] == [receipt["receivedtime"] for receipt in receipts]


async def test_a_paused_bus_leaves_nothing_twice(
    client: httpx.AsyncClient, intake: Service, published: Bus, kafka: Kafka
) -> None:
    """An append that was given up may have arrived all the same; draining sees it in the log and leaves it out."""
    await post_in_order(client, reports(0, 1))
    kafka.pause()
    receipts = await post_in_order(client, reports(1, 3))
    assert not intake.is_ready()
    kafka.resume()
    await eventually(intake.is_ready, "intake ready again", timeout=60)
    await post_in_order(client, reports(4, 1))
    found = await wait_for_facts(published, 5)
    assert sorted(one["id"] for one in found) == [f"s-{number}" for number in range(5)]
    times = {one["id"]: one["receivedtime"] for one in found}
    assert all(times[receipt["id"]] == receipt["receivedtime"] for receipt in receipts)


@pytest.mark.chaos
async def test_the_spool_survives_kill_9_and_a_restart_without_the_bus(
    start_intake: Callable[..., Service], bearer: str, published: Bus, kafka: Kafka
) -> None:
    """Killed with a full spool, started again while the bus is still away, it accepts, remembers and drains."""
    service = start_intake()
    kafka.kill()
    async with open_client(service, bearer) as client:
        receipts = await post_in_order(client, reports(0, 5))
    service.kill()
    again = start_intake_blind(start_intake)
    async with open_client(again, bearer) as client:
        repeated = await post_in_order(client, reports(0, 5))
        more = await post_in_order(client, reports(5, 2))
        assert [one["receivedtime"] for one in repeated] == [one["receivedtime"] for one in receipts]
        kafka.start()
        await eventually(again.is_ready, "intake ready", timeout=60)
    found = await wait_for_facts(published, 7)
    assert [one["id"] for one in found] == [receipt["id"] for receipt in receipts + more]


def start_intake_blind(start_intake: Callable[..., Service]) -> Service:
    """Start an intake that cannot become ready because the bus is away, and wait until it answers."""
    service = start_intake(ready=False)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            httpx.get(f"{service.url}/livez", timeout=1)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return service
    raise AssertionError("intake never answered")


@pytest.mark.chaos
async def test_a_full_spool_says_when_to_come_back(
    start_intake: Callable[..., Service], bearer: str, published: Bus, kafka: Kafka
) -> None:
    """Beyond the bound the answer is 503 with Retry-After, and what was accepted is kept."""
    service = start_intake(DONDOC_INTAKE_SPOOL_MAX_BYTES=str(1024 * 1024))
    kafka.kill()
    large = [a_submission(f"l-{n}", data={"note": "x" * 200_000}) for n in range(8)]
    async with open_client(service, bearer) as client:
        answers = [await client.post("/v1/events", content=encode_event(event)) for event in large]
        statuses = [answer.status_code for answer in answers]
        assert statuses == sorted(statuses)
        assert set(statuses) == {202, 503}
        assert all(int(answer.headers["retry-after"]) > 0 for answer in answers if answer.status_code == 503)
        kafka.start()
        await eventually(service.is_ready, "intake ready again", timeout=60)
    found = await wait_for_facts(published, statuses.count(202))
    assert len(found) == statuses.count(202)


@pytest.mark.chaos
async def test_kill_9_in_the_middle_of_draining_loses_and_repeats_nothing(
    start_intake: Callable[..., Service], bearer: str, published: Bus, kafka: Kafka
) -> None:
    """A segment that reached the log before the crash is found there and not written again."""
    fault = fault_plan.kill_before("services.intake.spool.segment_files", "SegmentFiles.remove")
    service = start_intake(faults=[fault])
    kafka.kill()
    async with open_client(service, bearer) as client:
        answer = await client.post("/v1/events", content=encode_event(reports(0, 300)), headers={"content-type": BATCH})
        assert answer.status_code == 202
    kafka.start()
    await service.wait_until_ended(timeout=60)
    again = start_intake()
    await eventually(again.is_ready, "intake ready", timeout=60)
    found = await wait_for_facts(published, 300)
    assert [one["id"] for one in found] == [f"s-{number}" for number in range(300)]
