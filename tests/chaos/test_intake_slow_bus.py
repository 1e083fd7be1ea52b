"""Intake while the broker answers slowly or its connections break: Toxiproxy stands between the two, under load."""

import asyncio
import time
from collections.abc import Callable
from statistics import median

import pytest

from deploy.local.servers.kafka import Kafka
from tests.support.assertions.eventually import eventually
from tests.support.builders.plans import AGENCIES
from tests.support.clients.upstream import PostResult, more, posting, read_log, receipts_of, reports
from tests.support.faults import toxiproxy
from tests.support.faults.toxiproxy import DISCONNECTIONS, NetworkFault, Proxy
from tests.support.servers.intake import IntakeFiles, count_spooled, encode_event, open_client, publish_plan
from tests.support.servers.kafka import Bus
from tests.support.servers.services import Launch, Service

TIMEOUT_SECONDS = 1.0
# What an answer may take at worst on a busy machine; one that waits for the broker takes longer.
LATE_SECONDS = TIMEOUT_SECONDS + 8.0
USUAL_SECONDS = 0.5  # what half of the answers take at most on a busy machine that shares two cores with forty senders
TOLERABLE_MS = 300
UNBEARABLE_MS = 12_000
LONG_TIMEOUT_SECONDS = 4.0  # longer than it takes to close a producer whose broker does not answer
BRIEF_SECONDS = 0.4  # well within the timeout
ROUNDS = 2


@pytest.fixture
async def start_intake(
    bus: Bus, intake_files: IntakeFiles, bearer: str, proxy: Proxy, launch: Launch
) -> Callable[..., Service]:
    """Start an intake that goes to the broker by the proxy alone, once a plan is published and the first key made."""
    assert bearer
    await publish_plan(bus)

    def start(**settings: str) -> Service:
        return launch("intake", **intake_files.environment, **settings, DONDOC_KAFKA_BOOTSTRAP=proxy.bootstrap)

    return start


@pytest.fixture
def intake(start_intake: Callable[..., Service]) -> Service:
    """One intake that waits only a second for the broker."""
    return start_intake(DONDOC_INTAKE_BROKER_TIMEOUT_SECONDS=str(TIMEOUT_SECONDS))


async def test_a_slow_broker_is_waited_for(
    bus: Bus, start_intake: Callable[..., Service], bearer: str, proxy: Proxy
) -> None:
    """Within the default timeout nothing goes to the spool, and no answer precedes the acknowledgement."""
    intake = start_intake()
    async with proxy.with_toxic(toxiproxy.slow(TOLERABLE_MS)), posting(intake, bearer) as answers:
        await more(answers, 300)
    assert min(answer.seconds for answer in answers) >= TOLERABLE_MS / 1000
    assert count_spooled(intake) == 0
    assert await read_log(bus) == receipts_of(answers)


async def test_a_broker_slower_than_the_timeout_delays_nobody(
    bus: Bus, intake: Service, bearer: str, proxy: Proxy
) -> None:
    """Requests under way wait for the timeout, later ones are answered as usual; all events reach the log in order."""
    async with posting(intake, bearer) as answers:
        await more(answers, 200)
        async with proxy.with_toxic(toxiproxy.slow(UNBEARABLE_MS)):
            harmed_at = time.monotonic()
            await more(answers, 1_000)
            lifted_at = time.monotonic()
        await eventually(intake.is_ready, "intake ready again", timeout=60)
        await more(answers, 200)
    assert max(answer.seconds for answer in answers) < LATE_SECONDS
    assert median(seconds(answers, after=harmed_at + TIMEOUT_SECONDS, before=lifted_at)) < USUAL_SECONDS
    assert count_spooled(intake) > 500
    assert await read_log(bus) == receipts_of(answers)


async def test_who_came_last_is_answered_when_the_broker_is_given_up(
    bus: Bus, start_intake: Callable[..., Service], bearer: str, proxy: Proxy
) -> None:
    """The first request that times out takes the broker for down for all: no request goes on waiting for it."""
    intake = start_intake(DONDOC_INTAKE_BROKER_TIMEOUT_SECONDS=str(LONG_TIMEOUT_SECONDS))
    async with proxy.with_toxic(toxiproxy.slow(UNBEARABLE_MS)), open_client(intake, bearer) as client:
        answers = []
        for system, _ in enumerate(AGENCIES):  # they lie in more than one partition
            event = next(iter(reports(system)))
            answers.append(asyncio.create_task(client.post("/v1/events", content=encode_event(event))))
            await asyncio.sleep(LONG_TIMEOUT_SECONDS * 0.45)
        async with asyncio.timeout(LONG_TIMEOUT_SECONDS):
            statuses = [answer.status_code for answer in await asyncio.gather(*answers)]
    assert statuses == [202] * len(AGENCIES)
    await eventually(intake.is_ready, "intake ready again", timeout=60)
    assert [one.event for one in await read_log(bus)] == ["u-0-0", "u-1-0", "u-2-0"]


@pytest.mark.parametrize("harm", DISCONNECTIONS.values(), ids=DISCONNECTIONS.keys())
async def test_connections_that_break_under_load_lose_and_double_nothing(
    bus: Bus, intake: Service, bearer: str, proxy: Proxy, harm: NetworkFault
) -> None:
    """However a request ends, its event is in the log once, in order, with the receipt that was given."""
    async with posting(intake, bearer) as answers:
        for _ in range(ROUNDS):
            await more(answers, 100)
            async with harm(proxy):  # for a moment: the producer comes back and repeats what was not answered
                await asyncio.sleep(BRIEF_SECONDS)  # its length is what the moment is
            await more(answers, 100)
            async with harm(proxy):  # for good: the producer is given up
                await eventually(lambda: not intake.is_ready(), "the bus given up")
                await more(answers, 100)
            await eventually(intake.is_ready, "intake ready again", timeout=60)
    await eventually(intake.is_ready, "intake ready at the end", timeout=60)
    assert count_spooled(intake) > 0
    assert await read_log(bus) == receipts_of(answers)


async def test_a_broker_killed_under_load_loses_and_doubles_nothing(
    bus: Bus, intake: Service, bearer: str, kafka: Kafka
) -> None:
    """What it had written without a word of it is found when it is back, and not written again."""
    async with posting(intake, bearer) as answers:
        await more(answers, 200)
        kafka.kill()
        await more(answers, 500)
        kafka.launch()  # not from another thread: it would end with that thread
        await eventually(intake.is_ready, "intake ready again", timeout=60)
        await more(answers, 100)
    assert count_spooled(intake) > 0
    assert await read_log(bus) == receipts_of(answers)


async def test_requests_that_arrive_late_lose_and_double_nothing(
    bus: Bus, intake: Service, bearer: str, proxy: Proxy
) -> None:
    """What was held up past the timeout reaches the log after all; it is known there and not written again."""
    async with posting(intake, bearer) as answers:
        await more(answers, 100)
        async with proxy.with_toxic(toxiproxy.slow(UNBEARABLE_MS, stream="upstream")):
            await more(answers, 500)
        await eventually(intake.is_ready, "intake ready again", timeout=60)
        await more(answers, 100)
    assert count_spooled(intake) > 0
    assert await read_log(bus) == receipts_of(answers)


def seconds(answers: list[PostResult], *, after: float, before: float) -> list[float]:
    """How long the posts took that began within a span."""
    return [answer.seconds for answer in answers if after <= answer.began_at < before]
