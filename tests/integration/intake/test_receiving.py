"""`POST /v1/events` on the real broker: what is accepted is in the log, once, as the contract says."""

import hashlib
import json
from urllib.parse import quote

import httpx
from joserfc import jws
from joserfc.jwk import KeySet

from schemas.events.ids import partition_of
from schemas.events.topics import FACTS
from tests.support.builders.plans import a_submission
from tests.support.servers.intake import ALIAS, BATCH, encode_event
from tests.support.servers.kafka import PARTITIONS, Bus


async def test_an_accepted_event_is_in_the_log_with_what_intake_adds(client: httpx.AsyncClient, published: Bus) -> None:
    """The record is the event in structured mode, its key the agency, its time the clock's."""
    event = a_submission()
    answer = await client.post("/v1/events", content=encode_event(event))
    assert answer.status_code == 202
    (receipt,) = answer.json()["receipts"]
    (record,) = await published.records(FACTS.name)
    assert record.key == b"h-mot"
    assert record.partition == partition_of("h-mot", PARTITIONS)
    assert record.headers["content-type"].startswith(b"application/cloudevents+json")
    added = {"receivedtime": receipt["receivedtime"], "receiptid": receipt["receiptid"]}
    assert record.json == event | added
    assert receipt["sha256"] == hashlib.sha256(encode_event(event)).hexdigest()


async def test_the_receipt_is_signed_with_a_published_key(client: httpx.AsyncClient) -> None:
    """Anyone can check it with the key set alone."""
    answer = (await client.post("/v1/events", content=encode_event(a_submission()))).json()
    keys = KeySet.import_key_set((await client.get("/.well-known/jwks.json")).json())
    signed = jws.deserialize_compact(answer["jws"], keys, algorithms=["Ed25519"])
    assert json.loads(signed.payload) == {"iss": "dondoc-intake", "receipts": answer["receipts"]}


async def test_a_binary_event_is_recorded_in_structured_mode(client: httpx.AsyncClient, published: Bus) -> None:
    """The headers become attributes, percent-decoded; an absent subject is filled in."""
    event = a_submission()
    headers = {f"ce-{name}": event[name] for name in ("specversion", "id", "source", "type", "time")}
    answer = await client.post(
        "/v1/events",
        content=encode_event(event["data"]),
        headers={**headers, "ce-note": quote("Sở A"), "content-type": "application/json"},
    )
    assert answer.status_code == 202, answer.text
    (record,) = await published.records(FACTS.name)
    assert record.json["note"] == "Sở A"
    assert record.json["subject"] == "h-mot"
    assert record.json["data"] == event["data"]


async def test_the_same_event_in_another_writing_gets_the_same_receipt(
    client: httpx.AsyncClient, published: Bus
) -> None:
    """A whole number with a point, and an extension that a header can only write as text, make no other content."""
    event = a_submission(count=5, flag=True, data={"note": [1]})
    first = await client.post("/v1/events", content=encode_event(event))
    pointed = await client.post("/v1/events", content=encode_event(event | {"data": event["data"] | {"note": [1.0]}}))
    headers = {f"ce-{name}": event[name] for name in ("specversion", "id", "source", "type", "time", "subject")}
    headers |= {"ce-count": "5", "ce-flag": "true", "content-type": "application/json"}
    binary = await client.post("/v1/events", content=encode_event(event["data"]), headers=headers)
    answers = [first, pointed, binary]
    assert [answer.status_code for answer in answers] == [202, 202, 202]
    assert len({answer.json()["receipts"][0]["receiptid"] for answer in answers}) == 1
    (record,) = await published.records(FACTS.name)
    assert (record.json["count"], record.json["flag"]) == (5, True)


async def test_an_alias_is_resolved_in_subject_and_key_but_not_in_the_data(
    client: httpx.AsyncClient, published: Bus
) -> None:
    """What the sender wrote stays as the sender wrote it."""
    await client.post("/v1/events", content=encode_event(a_submission(data={"agency": ALIAS}, subject=ALIAS)))
    (record,) = await published.records(FACTS.name)
    assert (record.key, record.json["subject"], record.json["data"]["agency"]) == (b"h-mot", "h-mot", ALIAS)


async def test_a_report_on_behalf_of_a_predecessor_is_keyed_by_the_predecessor(
    client: httpx.AsyncClient, published: Bus
) -> None:
    """The key is the agency whose duty it is."""
    event = a_submission(data={"agency": "h-hai", "on_behalf_of": "h-ba"}, subject="h-hai")
    assert (await client.post("/v1/events", content=encode_event(event))).status_code == 202
    (record,) = await published.records(FACTS.name)
    assert record.key == b"h-ba"


async def test_a_batch_gets_a_receipt_an_event_in_order(client: httpx.AsyncClient, published: Bus) -> None:
    """Across partitions, each event once."""
    agencies = ["h-mot", "h-hai", "h-ba"]
    events = [a_submission(f"s-{n}", data={"agency": agencies[n % 3]}, subject=agencies[n % 3]) for n in range(300)]
    answer = await client.post("/v1/events", content=encode_event(events), headers={"content-type": BATCH})
    assert answer.status_code == 202
    assert [receipt["id"] for receipt in answer.json()["receipts"]] == [event["id"] for event in events]
    records = await published.records(FACTS.name)
    assert sorted(record.json["id"] for record in records) == sorted(event["id"] for event in events)


async def test_a_batch_with_one_bad_event_is_refused_whole(client: httpx.AsyncClient, published: Bus) -> None:
    """The fault is told by its place in the batch, and nothing is recorded."""
    events = [a_submission("s-1"), a_submission("s-2", data={"period": "2024-13"})]
    answer = await client.post("/v1/events", content=encode_event(events), headers={"content-type": BATCH})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/1/data/period"]
    assert await published.records(FACTS.name) == []


async def test_an_event_of_the_largest_size_gets_through(client: httpx.AsyncClient, published: Bus) -> None:
    """One mebibyte and not a byte more; the broker takes it with what intake adds."""
    event = a_submission(data={"note": ""})
    event["data"]["note"] = "x" * (1024 * 1024 - len(encode_event(event)))
    assert (await client.post("/v1/events", content=encode_event(event))).status_code == 202
    assert len(await published.records(FACTS.name)) == 1
    event["data"]["note"] += "x"
    assert (await client.post("/v1/events", content=encode_event(event))).status_code == 413


async def test_an_empty_batch_has_no_receipts(client: httpx.AsyncClient) -> None:
    """There is nothing to keep and nothing wrong."""
    answer = await client.post("/v1/events", content=b"[]", headers={"content-type": BATCH})
    assert (answer.status_code, answer.json()["receipts"]) == (202, [])
