"""The log has lost records that it had acknowledged: intake says so, goes on, and nobody is told that all is well."""

import asyncio
from collections.abc import Callable

import httpx
import pytest

from deploy.local.servers.kafka import Kafka
from schemas.events.topics import FACTS
from tests.support.assertions.eventually import eventually
from tests.support.builders.plans import AGENCIES, Json, a_submission
from tests.support.faults import broker_files
from tests.support.matrix import matrix
from tests.support.servers.intake import encode_event, open_client
from tests.support.servers.intake_workers import WORKERS, wait_until_workers_serve
from tests.support.servers.kafka import Bus
from tests.support.servers.services import Service

EVENTS = 6


def a_report(number: int) -> Json:
    """A report of one agency or another."""
    agency = AGENCIES[number % len(AGENCIES)]
    return a_submission(f"s-{number}", data={"agency": agency}, subject=agency)


async def post(client: httpx.AsyncClient, event: Json) -> Json:
    """Post *event* and return its receipt; it must be accepted."""
    answer = await client.post("/v1/events", content=encode_event(event))
    assert answer.status_code == 202, answer.text
    (receipt,) = answer.json()["receipts"]
    return dict(receipt)


async def receipts_in(bus: Bus) -> dict[str, tuple[str, str]]:
    """The receipt of each event in the log, which must be there once."""
    records = [record.json for record in await bus.records(FACTS.name)]
    found = {one["id"]: (one["receiptid"], one["receivedtime"]) for one in records}
    assert len(found) == len(records)
    return found


def given(receipts: list[Json]) -> dict[str, tuple[str, str]]:
    """The receipts that were given, by event."""
    return {one["id"]: (one["receiptid"], one["receivedtime"]) for one in receipts}


def checks_of(service: Service) -> Json:
    """What `/readyz` says."""
    return dict(httpx.get(f"{service.url}/readyz").json())


def losses_of(service: Service) -> list[Json]:
    """The log lines that tell of a loss."""
    return [line for line in service.log_lines() if line.get("action") == "log_lost"]


def metric(service: Service, name: str) -> float:
    """One sample of the metrics."""
    lines = httpx.get(f"{service.url}/metrics").text.splitlines()
    (value,) = [line.split()[1] for line in lines if line.startswith(f"{name} ")]
    return float(value)


async def test_a_repeated_event_that_the_log_has_lost_is_written_again(
    client: httpx.AsyncClient, intake: Service, published: Bus
) -> None:
    """With its first receipt; until every lost event is back, readiness and metric tell of it."""
    first = [await post(client, a_report(number)) for number in range(EVENTS)]
    await published.recreate_topics(FACTS.name)
    await eventually(lambda: losses_of(intake), "the loss noticed")
    await eventually(lambda: checks_of(intake)["kafka"], "the broker in use again")
    assert checks_of(intake)["log"] is False
    assert metric(intake, "intake_events_missing") == EVENTS
    again = [await post(client, a_report(number)) for number in range(EVENTS)]
    assert given(again) == given(first)
    await eventually(intake.is_ready, "intake ready")
    assert await receipts_in(published) == given(first)
    assert losses_of(intake)[0]["level"] == "critical"


async def test_events_posted_while_the_loss_is_not_noticed_yet_are_in_the_log(
    client: httpx.AsyncClient, intake: Service, published: Bus
) -> None:
    """Old events sent again and new ones, at once and in any order: each is there with the receipt that was given."""
    first = [await post(client, a_report(number)) for number in range(EVENTS)]
    await published.recreate_topics(FACTS.name)
    posts = (post(client, a_report(number)) for number in reversed(range(2 * EVENTS)))
    receipts = await asyncio.gather(*posts)
    await eventually(lambda: losses_of(intake), "the loss noticed")
    await eventually(lambda: checks_of(intake)["kafka"], "the broker in use again")
    receipts = await asyncio.gather(*(post(client, a_report(number)) for number in range(2 * EVENTS)))
    assert given(receipts).items() >= given(first).items()
    await eventually(intake.is_ready, "intake ready")
    assert await receipts_in(published) == given(receipts)


@pytest.mark.chaos
async def test_a_log_that_was_made_anew_and_has_grown_is_noticed(
    client: httpx.AsyncClient, intake: Service, published: Bus
) -> None:
    """By the last event that was known of it, although it ends behind that offset again."""
    await post(client, a_report(0))
    (record,) = await published.records(FACTS.name)
    await published.recreate_topics(FACTS.name)
    for number in range(50):
        await published.publish(FACTS.name, {"other": number}, key="h-mot", partition=record.partition)
    await eventually(lambda: losses_of(intake), "the loss noticed", timeout=30)
    assert metric(intake, "intake_events_missing") == 1


@pytest.mark.parametrize("workers", matrix([WORKERS, 0], in_every_run=1))
async def test_the_lost_tail_of_a_partition_is_noticed_and_the_producer_replaced(
    start_intake: Callable[..., Service], bearer: str, published: Bus, kafka: Kafka, workers: int
) -> None:
    """The broker refuses the next sequence number for good; what is posted then is in the log all the same."""
    service = start_intake(DONDOC_INTAKE_WORKERS=str(workers))
    if workers:
        await wait_until_workers_serve(service)
    async with open_client(service, bearer) as client:
        first = [await post(client, a_submission(f"s-{number}")) for number in range(EVENTS)]
        partition = (await published.records(FACTS.name))[0].partition
        kafka.kill()
        broker_files.cut_tail(kafka, FACTS.name, partition, batches=2)
        kafka.start()
        after = [await post(client, a_submission(f"t-{number}")) for number in range(3)]
        await eventually(lambda: losses_of(service), "the loss noticed", timeout=60)
        await eventually(lambda: checks_of(service)["kafka"], "the broker in use again", timeout=60)
        after += [await post(client, a_submission(f"u-{number}")) for number in range(3)]
        kept = given(first[:-2] + after)

        async def is_drained() -> bool:
            return await receipts_in(published) == kept

        await eventually(is_drained, "what was spooled meanwhile in the log")
        assert metric(service, "intake_events_missing") == 2
        assert given([await post(client, a_submission(f"s-{number}")) for number in range(EVENTS)]) == given(first)
        await eventually(service.is_ready, "intake ready", timeout=60)
    assert await receipts_in(published) == given(first + after)


@pytest.mark.chaos
async def test_a_topic_that_was_deleted_is_made_again(
    client: httpx.AsyncClient, intake: Service, published: Bus
) -> None:
    """A batch that is under way for it holds nothing up."""
    first = await post(client, a_report(0))
    await published.delete_topics(FACTS.name)
    second = await post(client, a_report(1))
    await eventually(lambda: losses_of(intake), "the loss noticed", timeout=60)
    await eventually(lambda: checks_of(intake)["kafka"], "the broker in use again", timeout=60)
    assert await receipts_in(published) == given([second])
    assert given([await post(client, a_report(0))]) == given([first])
    await eventually(intake.is_ready, "intake ready", timeout=60)


@pytest.mark.chaos
async def test_what_the_spool_had_replayed_before_the_log_lost_it_is_replayed_again(
    start_intake: Callable[..., Service], bearer: str, published: Bus, kafka: Kafka
) -> None:
    """Killed between the replay and the removal of a segment: the log is asked, and not what was true before."""
    fault = ["kill:before:1:services.intake.spool.segment_files:SegmentFiles.remove"]
    service = start_intake(faults=fault)
    kafka.kill()
    async with open_client(service, bearer) as client:
        receipts = [await post(client, a_report(number)) for number in range(EVENTS)]
    kafka.start()
    await service.wait_until_ended(timeout=60)
    assert await receipts_in(published) == given(receipts)
    await published.recreate_topics(FACTS.name)
    again = start_intake()
    await eventually(again.is_ready, "intake ready", timeout=60)
    assert await receipts_in(published) == given(receipts)


@pytest.mark.chaos
async def test_a_damaged_batch_of_the_log_is_passed_over_and_its_event_written_again(
    start_intake: Callable[..., Service], bearer: str, published: Bus, kafka: Kafka
) -> None:
    """Around it everything is remembered; nobody can read what is in it, so it does not count as received."""
    service = start_intake()
    async with open_client(service, bearer) as client:
        first = [await post(client, a_submission(f"s-{number}")) for number in range(EVENTS)]
    partition = (await published.records(FACTS.name))[0].partition
    service.stop()
    kafka.stop()  # after a kill it would check the end of the log itself, and cut off what is damaged
    broker_files.flip_bit(kafka, FACTS.name, partition, batch=2)
    kafka.start()
    again = start_intake()
    (line,) = [line for line in again.log_lines() if line.get("action") == "damaged_batch"]
    assert (line["level"], line["partition"], line["offset"], line["next_offset"]) == ("critical", partition, 2, 3)
    async with open_client(again, bearer) as client:
        repeated = [await post(client, a_submission(f"s-{number}")) for number in range(EVENTS)]
    known = [receipt for receipt in first if receipt["id"] != "s-2"]
    assert given(repeated).items() >= given(known).items()
    assert repeated[2]["receiptid"] == first[2]["receiptid"]
    assert metric(again, "intake_log_damaged_batches_total") == 1
    kafka.kill()
    written = [batch.base_offset for batch in broker_files.read_batches(kafka, FACTS.name, partition)]
    kafka.start()
    assert written == list(range(EVENTS + 1))
