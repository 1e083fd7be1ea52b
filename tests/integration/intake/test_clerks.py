"""Clerks are of use: what they issue is signed, kept and counted as without them, by what is published now."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from aiokafka import AIOKafkaProducer

from schemas.events.topics import FACTS
from services.intake.receipts import signing, verification
from services.runtime.published_documents import PLAN, publish_document
from tests.support.assertions.eventually import eventually
from tests.support.builders.plans import a_plan, a_submission, a_withdrawal
from tests.support.servers.intake import BATCH, STRUCTURED, IntakeFiles, encode_event, open_client
from tests.support.servers.intake_workers import assert_kept_once, post_all, reports
from tests.support.servers.kafka import Bus
from tests.support.servers.services import Service

BINARY = {"content-type": "application/json", "ce-specversion": "1.0", "ce-id": "b-1", "ce-source": "urn:b"}


async def test_what_clerks_issue_is_signed_kept_and_counted(
    staffed: Service, staffed_client: httpx.AsyncClient, published: Bus
) -> None:
    """In every mode: the usual report, what is not usual, and a batch of both; sent again it gets the same receipt."""
    ours = verification.keys_of((await staffed_client.get("/.well-known/jwks.json")).content)
    batch = [*reports("c", 3), a_withdrawal("w-1", "c-0"), a_submission("x-1", note="an extension")]
    binary = {**BINARY, "ce-type": "vn.dondoc.report.submitted.v1"}
    data = a_submission()["data"]
    posts: list[dict[str, Any]] = [
        {"content": encode_event(a_submission("s-1"))},
        {"content": encode_event(batch), "headers": {"content-type": BATCH}},
        {"content": encode_event(data), "headers": binary},
    ]
    first = [await staffed_client.post("/v1/events", **post) for post in posts]
    again = [await staffed_client.post("/v1/events", **post) for post in posts]
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
    staffed_client: httpx.AsyncClient, start_intake: Callable[..., Service], bearer: str, tmp_path: Path
) -> None:
    """A clerk passes on what it cannot issue; the answer is the same to the letter."""
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
            told = [await one.post("/v1/events", content=content, headers=headers) for one in (staffed_client, alone)]
            assert told[0].status_code in {400, 422}
            assert (told[0].status_code, told[0].json()) == (told[1].status_code, told[1].json())


async def test_other_content_under_one_identity_is_refused_whoever_issued_it(
    staffed_client: httpx.AsyncClient, published: Bus
) -> None:
    """Alone, beside good events and within a batch: 409 at its place, and nothing of that request is kept."""
    document = a_submission()["data"]["document"]
    other = a_submission("d-0", data={"document": {**document, "title": "khác"}})
    await post_all(staffed_client, [a_submission("d-0")])
    (refused,) = await post_all(staffed_client, [other])
    batches = ([*reports("e", 2), other], [a_submission("e-9"), {**other, "id": "e-9"}])
    told = [
        await staffed_client.post("/v1/events", content=encode_event(one), headers={"content-type": BATCH})
        for one in batches
    ]
    assert [answer.status_code for answer in (refused, *told)] == [409] * 3
    pointers = [answer.json()["errors"][0]["pointer"] for answer in (refused, *told)]
    assert pointers == ["/id", "/2/id", "/1/id"]
    kept = [record.json["id"] for record in await published.records(FACTS.name) if "receiptid" in record.json]
    assert kept == ["d-0"]


async def test_a_new_signing_key_signs_at_once(staffed_client: httpx.AsyncClient, intake_files: IntakeFiles) -> None:
    """From the moment that intake publishes it the clerks sign with it, and never with the former one again."""
    await post_all(staffed_client, reports("before", 4))
    fresh = signing.rotate(Path(intake_files.environment["DONDOC_INTAKE_SIGNING_KEYS"]))[0].thumbprint()

    async def is_published() -> bool:
        keys = (await staffed_client.get("/.well-known/jwks.json")).json()["keys"]
        return bool(keys[0]["kid"] == fresh)

    await eventually(is_published, "the new key published")
    for answer in await post_all(staffed_client, reports("after", 8)):
        header = answer.json()["jws"].partition(".")[0]
        assert fresh.encode() in base64.urlsafe_b64decode(header + "==")


async def test_a_plan_that_is_published_later_is_admitted_by(staffed_client: httpx.AsyncClient, published: Bus) -> None:
    """Clerks that have worked by the former plans are given the new ones."""
    (before,) = await post_all(staffed_client, [a_submission("p-1", data={"plan": "P-2"})])
    assert before.status_code == 422
    async with AIOKafkaProducer(bootstrap_servers=published.bootstrap) as producer:
        await publish_document(producer, PLAN, a_plan(plan="P-2"))

    async def is_admitted() -> bool:
        return (
            await staffed_client.post("/v1/events", content=encode_event(a_submission("p-2", data={"plan": "P-2"})))
        ).is_success

    await eventually(is_admitted, "a report on the new plan taken")
