"""Workers serve connections of their own: what they answer is signed, written and counted as by the main process."""

import asyncio
import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from aiokafka import AIOKafkaProducer

from schemas.events.topics import FACTS
from services.intake.receipts import signing, verification
from services.runtime.kafka.published_documents import PLAN, publish_document
from tests.support.assertions.eventually import eventually
from tests.support.builders.plans import a_plan, a_submission, a_withdrawal
from tests.support.servers.intake import BATCH, STRUCTURED, IntakeFiles, encode_event, open_client
from tests.support.servers.intake_workers import (
    POSTS_AT_ONCE,
    WORKERS,
    assert_kept_once,
    post_all,
    reports,
    wait_until_workers_serve,
)
from tests.support.servers.kafka import Bus
from tests.support.servers.services import Service

BINARY = {"content-type": "application/json", "ce-specversion": "1.0", "ce-id": "b-1", "ce-source": "urn:b"}


async def test_events_posted_to_workers_are_signed_written_and_counted(
    worker_client: httpx.AsyncClient, published: Bus
) -> None:
    """In every content mode, by the fast path and the full one; an event sent again gets its first receipt."""
    ours = verification.parse_key_set((await worker_client.get("/.well-known/jwks.json")).content)
    batch = [*reports("c", 3), a_withdrawal("w-1", "c-0"), a_submission("x-1", note="an extension")]
    binary = {**BINARY, "ce-type": "vn.dondoc.report.submitted.v1"}
    data = a_submission()["data"]
    posts: list[dict[str, Any]] = [
        {"content": encode_event(a_submission("s-1"))},
        {"content": encode_event(batch), "headers": {"content-type": BATCH}},
        {"content": encode_event(data), "headers": binary},
    ]
    first = [await worker_client.post("/v1/events", **post) for post in posts]
    again = [await worker_client.post("/v1/events", **post) for post in posts]
    assert [answer.status_code for answer in (*first, *again)] == [202] * 6
    for answer, repeated in zip(first, again, strict=True):
        _, signed = verification.verify_receipts(answer.json()["jws"], ours)
        assert signed == answer.json()["receipts"]
        assert repeated.json()["receipts"] == answer.json()["receipts"]
    await assert_kept_once(published, [a_submission("s-1"), *batch, {"id": "b-1"}])

    async def are_counted() -> bool:  # workers report twice a second
        metrics = (await worker_client.get("/metrics")).text
        return (
            'intake_events_accepted_total{mode="batch"} 10.0' in metrics
            and "intake_events_repeated_total 7.0" in metrics
        )

    await eventually(are_counted, "the events of all processes counted")


async def test_faults_are_answered_as_without_workers(
    worker_client: httpx.AsyncClient, start_intake: Callable[..., Service], bearer: str, tmp_path: Path
) -> None:
    """Each process validates by itself; the problem document is the same to the letter."""
    faulty = a_submission("f-1", data={"agency": "nobody", "period": "2024-13"})
    posts = (
        (encode_event(faulty), STRUCTURED),
        (encode_event([*reports("f", 2), faulty, faulty]), BATCH),
        (b"[{}, 1", BATCH),
        (b"{", STRUCTURED),
    )
    async with open_client(start_intake(DONDOC_INTAKE_SPOOL=str(tmp_path / "another")), bearer) as alone:
        for content, media_type in posts:
            headers = {"content-type": media_type, "accept-language": "vi"}
            answers = [await one.post("/v1/events", content=content, headers=headers) for one in (worker_client, alone)]
            assert answers[0].status_code in {400, 422}
            assert (answers[0].status_code, answers[0].json()) == (answers[1].status_code, answers[1].json())


async def test_other_content_under_one_identity_is_refused_by_whichever_process(
    worker_client: httpx.AsyncClient, published: Bus
) -> None:
    """Alone, beside good events and within a batch: 409 at its place, and nothing of that request is kept."""
    document = a_submission()["data"]["document"]
    other = a_submission("d-0", data={"document": {**document, "title": "khác"}})
    await post_all(worker_client, [a_submission("d-0")])
    (refused,) = await post_all(worker_client, [other])
    batches = ([*reports("e", 2), other], [a_submission("e-9"), {**other, "id": "e-9"}])
    answers = [
        await worker_client.post("/v1/events", content=encode_event(one), headers={"content-type": BATCH})
        for one in batches
    ]
    assert [answer.status_code for answer in (refused, *answers)] == [409] * 3
    pointers = [answer.json()["errors"][0]["pointer"] for answer in (refused, *answers)]
    assert pointers == ["/id", "/2/id", "/1/id"]
    kept = [record.json["id"] for record in await published.records(FACTS.name) if "receiptid" in record.json]
    assert kept == ["d-0"]


async def test_a_new_signing_key_is_taken_by_every_process(
    worker_client: httpx.AsyncClient, intake_files: IntakeFiles
) -> None:
    """Soon all sign with it; meanwhile every receipt verifies with the keys that any process publishes."""
    path = Path(intake_files.environment["DONDOC_INTAKE_SIGNING_KEYS"])
    await post_all(worker_client, reports("before", 4))
    fresh = signing.rotate_keys(path)[0].thumbprint().encode()
    number = 0

    async def is_signed_by_all() -> bool:
        nonlocal number
        number += 1
        answers = await post_all(worker_client, reports(f"after-{number}", 3 * POSTS_AT_ONCE))
        published = [(await worker_client.get("/.well-known/jwks.json")).content for _ in answers]
        for answer, keys in zip(answers, published, strict=True):
            verification.verify_receipts(answer.json()["jws"], verification.parse_key_set(keys))
        heads = [base64.urlsafe_b64decode(one.json()["jws"].partition(".")[0] + "==") for one in answers]
        return all(fresh in head for head in heads)

    await eventually(is_signed_by_all, "every process signing with the new key")


async def test_a_rate_holds_for_all_processes_together(
    start_intake: Callable[..., Service], intake_files: IntakeFiles
) -> None:
    """Of many batches at once as many are taken as the rate pays for, wherever they arrive, and not one more."""
    service = start_intake(DONDOC_INTAKE_WORKERS=str(WORKERS))
    await wait_until_workers_serve(service)
    bearer = intake_files.add_key(events_per_second=1.0)
    await eventually(lambda: is_known(service, bearer), "the key known to every process")

    async def post_batch(number: int) -> httpx.Response:
        async with open_client(service, bearer) as client:  # a connection each: they go to all processes
            batch = encode_event(reports(f"r-{number}", 4))
            return await client.post("/v1/events", content=batch, headers={"content-type": BATCH})

    answers = await asyncio.gather(*map(post_batch, range(4 * (1 + WORKERS))))
    refused = [answer for answer in answers if answer.status_code != 202]
    assert len(refused) == len(answers) - 1
    assert {(answer.status_code, int(answer.headers["retry-after"]) <= 3) for answer in refused} == {(429, True)}


async def test_probes_and_metrics_are_answered_by_every_process(intake_with_workers: Service) -> None:
    """Whichever process takes the connection of a scrape tells the figures of all; readiness is the same everywhere."""
    for _ in range(4 * (1 + WORKERS)):
        async with httpx.AsyncClient(base_url=intake_with_workers.url) as client:
            checks = (await client.get("/readyz")).json()
            assert checks == {"kafka": True, "spool": True, "log": True, "references": True}
            assert f"intake_workers {WORKERS}.0" in (await client.get("/metrics")).text


async def is_known(service: Service, bearer: str) -> bool:
    """Whether every process takes the key: each looks at the file of keys by itself."""
    for _ in range(4 * (1 + WORKERS)):
        async with open_client(service, bearer) as client:
            if (await client.post("/v1/events?dry_run=maybe", content=b"")).status_code == 401:
                return False
    return True


async def test_a_plan_that_is_published_later_is_admitted_by(worker_client: httpx.AsyncClient, published: Bus) -> None:
    """Workers that have validated by the former plans are sent the new ones."""
    (before,) = await post_all(worker_client, [a_submission("p-1", data={"plan": "P-2"})])
    assert before.status_code == 422
    async with AIOKafkaProducer(bootstrap_servers=published.bootstrap) as producer:
        await publish_document(producer, PLAN, a_plan(plan="P-2"))

    async def is_admitted() -> bool:
        return (
            await worker_client.post("/v1/events", content=encode_event(a_submission("p-2", data={"plan": "P-2"})))
        ).is_success

    await eventually(is_admitted, "a report on the new plan taken")
