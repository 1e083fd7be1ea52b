"""What a key may claim, on the real broker: proofs of dispatch are marked, and sources have their owners."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from schemas.events.ids import SHEET_SOURCE, sheet_event_id
from schemas.events.topics import FACTS
from services.intake.core.scopes import SourceScope
from tests.support.assertions.eventually import eventually
from tests.support.builders.plans import Json, a_submission
from tests.support.servers.intake import BATCH, IntakeFiles, encode_event, open_client
from tests.support.servers.kafka import Bus
from tests.support.servers.services import Service

DISPATCH = {"sent_at": "2024-12-01T08:00:00+07:00", "proof": "postmark", "reference": "RR 1 VN"}


def a_dispatched_report(event: str, proof: str = "postmark", **attributes: Any) -> Json:
    """Build a report that states a proof of its dispatch."""
    return a_submission(event, data={"dispatch": {**DISPATCH, "proof": proof}}, **attributes)


@pytest.fixture
async def postal(intake: Service, intake_files: IntakeFiles) -> AsyncIterator[httpx.AsyncClient]:
    """A client whose key may state postmarks and no other proof."""
    bearer = intake_files.add_key(proofs=frozenset({"postmark"}))
    async with open_client(intake, bearer) as client:

        async def is_known() -> bool:
            return (await client.post("/v1/events?dry_run=maybe", content=b"")).status_code != httpx.codes.UNAUTHORIZED

        await eventually(is_known, "the key known")
        yield client


async def marks_of(bus: Bus) -> dict[str, str | None]:
    """Return the attribute `dispatchproof` of each event on the log."""
    return {record.json["id"]: record.json.get("dispatchproof") for record in await bus.records(FACTS.name)}


async def post(client: httpx.AsyncClient, event: Json, mode: str) -> httpx.Response:
    """Post *event* in a content mode."""
    if mode == "structured":
        return await client.post("/v1/events", content=encode_event(event))
    if mode == "batch":
        return await client.post("/v1/events", content=encode_event([event]), headers={"content-type": BATCH})
    named = {name: str(value) for name, value in event.items() if name not in {"data", "datacontenttype"}}
    headers = {"content-type": "application/json"} | {f"ce-{name}": value for name, value in named.items()}
    return await client.post("/v1/events", content=encode_event(event["data"]), headers=headers)


async def test_a_proof_that_the_key_may_not_state_is_marked_in_every_content_mode(
    postal: httpx.AsyncClient, published: Bus
) -> None:
    """Whatever the sender writes into the attribute is dropped, on the fast path and on the full path."""
    expected: dict[str, str | None] = {}
    for mode in ("structured", "batch", "binary"):
        for proof, mark in (("postmark", None), ("exchange-log", "unproven"), ("none", None)):
            for written in (None, "proven", "unproven", ""):
                event = a_dispatched_report(f"{mode}-{proof}-{written}", proof)
                answer = await post(postal, event if written is None else event | {"dispatchproof": written}, mode)
                assert answer.status_code == 202, answer.text
                expected[event["id"]] = mark
    assert await marks_of(published) == expected


async def test_the_mark_changes_neither_receipt_nor_identity(
    postal: httpx.AsyncClient, client: httpx.AsyncClient, published: Bus
) -> None:
    """The same event by a key that may state the proof is the same event, and stays as it was recorded first."""
    event = a_dispatched_report("s-1", "mail-gateway")
    first = await post(postal, event, "structured")
    again = await post(client, event | {"dispatchproof": "proven"}, "structured")
    assert (first.status_code, again.status_code) == (202, 202)
    (one,), (other,) = first.json()["receipts"], again.json()["receipts"]
    assert {**one, "sha256": ""} == {**other, "sha256": ""}
    assert await marks_of(published) == {"s-1": "unproven"}


async def test_nobody_takes_the_ids_of_a_source_that_another_key_names(
    start_intake: Callable[..., Service], intake_files: IntakeFiles, published: Bus
) -> None:
    """Not by a key with a source of its own, nor by one without; its owner's event is taken afterwards."""
    named = SourceScope(names=frozenset({"urn:b"}))
    owner = intake_files.add_key(sources=named)
    others = [intake_files.add_key(sources=SourceScope(names=frozenset({"urn:a"}))), intake_files.add_key()]
    service = start_intake()
    for mode in ("structured", "batch", "binary"):
        event = a_submission(f"{mode}-1", source="urn:b")
        for bearer in others:
            async with open_client(service, bearer) as client:
                squatter = event | {"data": event["data"] | {"agency": "h-hai"}, "subject": "h-hai"}
                answer = await post(client, squatter, mode)
                assert answer.status_code == 403
                assert answer.json()["errors"][0]["pointer"].endswith("/source")
        async with open_client(service, owner) as client:
            assert (await post(client, event, mode)).status_code == 202
    assert sorted(await marks_of(published)) == ["batch-1", "binary-1", "structured-1"]


async def test_a_sheet_goes_with_every_key_under_the_id_of_its_content_alone(
    client: httpx.AsyncClient, published: Bus
) -> None:
    """An id under the source of sheets cannot be taken for other content than it derives from."""
    data = a_submission("x")["data"]
    own = a_submission(sheet_event_id(data), source=SHEET_SOURCE, data=data)
    forged = a_submission(sheet_event_id(data), source=SHEET_SOURCE, data=data | {"period": "2023"})
    assert (await post(client, forged, "structured")).status_code == 403
    assert (await post(client, own, "structured")).status_code == 202
    assert list(await marks_of(published)) == [own["id"]]
