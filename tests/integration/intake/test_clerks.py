"""Clerks are of use and never needed: killed, frozen or told something new, nothing is lost, refused or told wrong."""

import asyncio
import base64
import os
import signal
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from deploy.local.kafka import Kafka
from schemas.topics import FACTS
from services.intake import receipts, verification
from services.intake.clerks.line import Line
from services.intake.clerks.messages import Papers
from services.intake.core.scopes import Scope
from services.intake.issuing import Handed
from services.intake.modes import Mode
from services.runtime.references import PLAN, publish_reference
from tests.support.builders import AGENCIES, Json, a_plan, a_submission, a_withdrawal
from tests.support.eventually import eventually
from tests.support.intake import BATCH, STRUCTURED, Desk, sender, written
from tests.support.kafka import Bus
from tests.support.services import Service

CLERKS = 2
SCOPE = Scope(agencies=frozenset("*"), groups=frozenset(), types=frozenset("*"), may_decide=False)
POSTS = 600
AT_ONCE = 24
FROZEN_SECONDS = 4.0
"""A frozen clerk is given up after two seconds; whoever waits for it is then answered without."""

BINARY = {"content-type": "application/json", "ce-specversion": "1.0", "ce-id": "b-1", "ce-source": "urn:b"}


@pytest.fixture
async def staffed(start_intake: Callable[..., Service]) -> Service:
    """An intake whose clerks are all at work."""
    service = start_intake(DONDOC_INTAKE_CLERKS=str(CLERKS))
    await all_at_work(service)
    return service


@pytest.fixture
async def client(staffed: Service, bearer: str) -> AsyncIterator[httpx.AsyncClient]:
    """A sender with the key."""
    async with sender(staffed, bearer) as own:
        yield own


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
            return await client.post("/v1/events", content=written(event))

    return await asyncio.gather(*map(post, events))


async def assert_kept_once(bus: Bus, events: list[Json]) -> None:
    """Each of *events* lies in the log, once."""
    kept = Counter(record.json["id"] for record in await bus.records(FACTS.name))
    assert {event["id"]: kept[event["id"]] for event in events} == dict.fromkeys((one["id"] for one in events), 1)


async def test_what_clerks_issue_is_signed_kept_and_counted(
    staffed: Service, client: httpx.AsyncClient, published: Bus
) -> None:
    """In every mode: the usual report, what is not usual, and a batch of both; sent again it gets the same receipt."""
    ours = verification.keys_of((await client.get("/.well-known/jwks.json")).content)
    batch = [*reports("c", 3), a_withdrawal("w-1", "c-0"), a_submission("x-1", note="an extension")]
    binary = {**BINARY, "ce-type": "vn.dondoc.report.submitted.v1"}
    data = a_submission()["data"]
    posts: list[dict[str, Any]] = [
        {"content": written(a_submission("s-1"))},
        {"content": written(batch), "headers": {"content-type": BATCH}},
        {"content": written(data), "headers": binary},
    ]
    first = [await client.post("/v1/events", **post) for post in posts]
    again = [await client.post("/v1/events", **post) for post in posts]
    assert [answer.status_code for answer in (*first, *again)] == [202] * 6
    for answer, repeated in zip(first, again, strict=True):
        _, signed = verification.receipts_of(answer.json()["jws"], ours)
        assert signed == answer.json()["receipts"]
        assert repeated.json()["receipts"] == answer.json()["receipts"]
    await assert_kept_once(published, [a_submission("s-1"), *batch, {"id": "b-1"}])
    metrics = httpx.get(f"{staffed.url}/metrics").text
    assert 'intake_events_accepted_total{mode="batch"} 10.0' in metrics
    assert "intake_events_repeated_total 7.0" in metrics


async def test_faults_are_told_as_without_clerks(
    client: httpx.AsyncClient, start_intake: Callable[..., Service], bearer: str, tmp_path: Path
) -> None:
    """A clerk passes on what it cannot issue; the answer is the same to the letter."""
    faulty = a_submission("f-1", data={"agency": "nobody", "period": "2024-13"})
    posts = (
        (written(faulty), STRUCTURED),
        (written([*reports("f", 2), faulty, faulty]), BATCH),
        (b"[{}, 1", BATCH),
        (b"{", STRUCTURED),
    )
    async with sender(start_intake(DONDOC_INTAKE_SPOOL=str(tmp_path / "another")), bearer) as alone:
        for content, media_type in posts:
            headers = {"content-type": media_type, "accept-language": "vi"}
            told = [await one.post("/v1/events", content=content, headers=headers) for one in (client, alone)]
            assert told[0].status_code in {400, 422}
            assert (told[0].status_code, told[0].json()) == (told[1].status_code, told[1].json())


async def test_other_content_under_one_identity_is_refused_whoever_issued_it(
    client: httpx.AsyncClient, published: Bus
) -> None:
    """Alone, beside good events and within a batch: 409 at its place, and nothing of that request is kept."""
    document = a_submission()["data"]["document"]
    other = a_submission("d-0", data={"document": {**document, "title": "khác"}})
    await post_all(client, [a_submission("d-0")])
    (refused,) = await post_all(client, [other])
    batches = ([*reports("e", 2), other], [a_submission("e-9"), {**other, "id": "e-9"}])
    told = [await client.post("/v1/events", content=written(one), headers={"content-type": BATCH}) for one in batches]
    assert [answer.status_code for answer in (refused, *told)] == [409] * 3
    pointers = [answer.json()["errors"][0]["pointer"] for answer in (refused, *told)]
    assert pointers == ["/id", "/2/id", "/1/id"]
    kept = [record.json["id"] for record in await published.records(FACTS.name) if "receiptid" in record.json]
    assert kept == ["d-0"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
async def test_nobody_is_refused_or_lost_when_clerks_fall_out(
    staffed: Service, client: httpx.AsyncClient, published: Bus, number: signal.Signals
) -> None:
    """All of them in the midst of posts: each post is answered, each event kept once, and the clerks are replaced."""
    events = reports("k", POSTS)
    posting = asyncio.create_task(post_all(client, events))
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
    staffed: Service, client: httpx.AsyncClient, published: Bus, kafka: Kafka
) -> None:
    """What clerks issued is spooled; sent again without them it gets its first receipt; it is kept once, as told."""
    events = reports("z", 20)
    kafka.kill()
    first = await post_all(client, events)
    for clerk in staffed.children():
        os.kill(clerk, signal.SIGKILL)
    again = await post_all(client, events)
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


async def test_a_new_signing_key_signs_at_once(client: httpx.AsyncClient, desk: Desk) -> None:
    """From the moment that intake publishes it the clerks sign with it, and never with the former one again."""
    await post_all(client, reports("before", 4))
    fresh = receipts.rotate(Path(desk.environment["DONDOC_INTAKE_SIGNING_KEYS"]))[0].thumbprint()

    async def is_published() -> bool:
        keys = (await client.get("/.well-known/jwks.json")).json()["keys"]
        return bool(keys[0]["kid"] == fresh)

    await eventually(is_published, "the new key published")
    for answer in await post_all(client, reports("after", 8)):
        header = answer.json()["jws"].partition(".")[0]
        assert fresh.encode() in base64.urlsafe_b64decode(header + "==")


async def test_a_plan_that_is_published_later_is_admitted_by(client: httpx.AsyncClient, published: Bus) -> None:
    """Clerks that have worked by the former plans are given the new ones."""
    (before,) = await post_all(client, [a_submission("p-1", data={"plan": "P-2"})])
    assert before.status_code == 422
    async with AIOKafkaProducer(bootstrap_servers=published.bootstrap) as producer:
        await publish_reference(producer, PLAN, a_plan(plan="P-2"))

    async def is_admitted() -> bool:
        return (await client.post("/v1/events", content=written(a_submission("p-2", data={"plan": "P-2"})))).is_success

    await eventually(is_admitted, "a report on the new plan taken")


async def test_a_line_that_has_ended_keeps_nobody_waiting() -> None:
    """Who asks before the clerk is known to be gone is told at once to do without, and so is who asked before that."""
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    _, line = await loop.create_unix_connection(lambda: Line(loop), sock=ours)
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
