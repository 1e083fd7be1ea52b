"""The facts topic made anew, and its end cut off, while forty systems post: what is sent again is there again, once."""

from collections import Counter

import httpx
import pytest

from deploy.local.servers.kafka import Kafka
from schemas.events.topics import FACTS
from tests.support.assertions.eventually import eventually
from tests.support.builders.plans import AGENCIES, Json, a_submission
from tests.support.clients.upstream import PostResult, more, posting, read_log, receipts_of
from tests.support.faults import broker_files
from tests.support.servers.intake import BATCH, IntakeFiles, encode_event, open_client, publish_plan
from tests.support.servers.intake_workers import WORKERS, wait_until_workers_serve
from tests.support.servers.kafka import Bus
from tests.support.servers.services import Launch, Service

ROUNDS = 2
BATCH_EVENTS = 100
BATCHES = 5  # cut off a partition, of some hundreds


@pytest.fixture(params=[0, WORKERS], ids=["alone", "with workers"])
async def intake(
    bus: Bus, intake_files: IntakeFiles, bearer: str, launch: Launch, request: pytest.FixtureRequest
) -> Service:
    """One intake, with and without workers."""
    assert bearer
    await publish_plan(bus)
    service = launch("intake", **intake_files.environment, DONDOC_INTAKE_WORKERS=str(request.param))
    if request.param:
        await wait_until_workers_serve(service)
    return service


async def send_again(service: Service, bearer: str, answers: list[PostResult]) -> list[tuple[str, str, str]]:
    """Post every event once more, in batches, as senders do that were told of the loss, and return the receipts."""
    events: list[Json] = []
    for answer in answers:
        agency = AGENCIES[answer.system % len(AGENCIES)]
        events.append(a_submission(answer.receipt.event, data={"agency": agency}, subject=agency))
    receipts: list[tuple[str, str, str]] = []
    async with open_client(service, bearer) as client:
        for start in range(0, len(events), BATCH_EVENTS):
            content = encode_event(events[start : start + BATCH_EVENTS])
            response = await client.post("/v1/events", content=content, headers={"content-type": BATCH})
            assert response.status_code == 202, response.text
            given = response.json()["receipts"]
            receipts += [(one["id"], one["receiptid"], one["receivedtime"]) for one in given]
    return receipts


async def check_conservation(bus: Bus, service: Service, bearer: str, answers: list[PostResult]) -> None:
    """Nothing is doubled; sent again, every event has its first receipt and is in the log, and intake is ready."""
    found = Counter(one.event for one in await read_log(bus))
    assert set(found.values()) == {1}
    given = {(one.receipt.event, one.receipt.receiptid, one.receipt.receivedtime) for one in answers}
    assert set(await send_again(service, bearer, answers)) == given
    await eventually(service.is_ready, "intake ready", timeout=60)
    recorded = await read_log(bus)
    assert {(one.event, one.receiptid, one.receivedtime) for one in recorded} == given
    assert len(recorded) == len(given)
    print(f"acknowledged {len(given)}, lost by the log {len(given) - len(found)}, lost by intake 0, doubled 0")


async def test_a_topic_made_anew_under_load(bus: Bus, intake: Service, bearer: str) -> None:
    """Every request is answered, and the loss is noticed each time."""
    async with posting(intake, bearer) as answers:
        for number in range(ROUNDS):
            await more(answers, 300)
            await bus.recreate_topics(FACTS.name)
            await eventually(lambda: count_losses(intake) > number, "the loss noticed", timeout=60)  # noqa: B023 - awaited in place
            await eventually(lambda: is_kafka_up(intake), "the broker in use again", timeout=60)
        await more(answers, 300)
    assert len(receipts_of(answers)) == len({one.receipt.event for one in answers})
    await check_conservation(bus, intake, bearer, answers)


async def test_the_end_of_every_partition_cut_off_under_load(
    bus: Bus, intake: Service, bearer: str, kafka: Kafka
) -> None:
    """The broker comes back without what it had acknowledged, and refuses the producer for good."""
    async with posting(intake, bearer) as answers:
        for number in range(ROUNDS):
            await more(answers, 300)
            kafka.kill()
            for partition in range(bus.partitions):
                if len(list(broker_files.read_batches(kafka, FACTS.name, partition))) > BATCHES:
                    broker_files.cut_tail(kafka, FACTS.name, partition, batches=BATCHES)
            await more(answers, 100)
            kafka.launch()  # not from another thread: it would end with that thread
            await eventually(lambda: count_losses(intake) > number, "the loss noticed", timeout=90)  # noqa: B023 - awaited in place
            await eventually(lambda: is_kafka_up(intake), "the broker in use again", timeout=90)
        await more(answers, 300)
    await check_conservation(bus, intake, bearer, answers)


def count_losses(service: Service) -> int:
    """How often the log lines tell of a loss."""
    return sum(line.get("action") == "log_lost" for line in service.log_lines())


def is_kafka_up(service: Service) -> bool:
    """Whether the main process appends to the broker."""
    return bool(httpx.get(f"{service.url}/readyz").json()["kafka"])
