"""An event sent again gets its first receipt, from any replica, after a restart; other content gets 409."""

import asyncio
from collections.abc import Callable

import httpx

from schemas.events.topics import FACTS
from tests.support.builders.plans import AGENCIES, Json, a_submission
from tests.support.servers.intake import BATCH, IntakeFiles, encode_event, open_client
from tests.support.servers.kafka import Bus
from tests.support.servers.services import Service

ROUNDS = 20
ROUND_EVENTS = 60  # so many at once, twenty times: a few thousand a second


async def receipt_of(client: httpx.AsyncClient, event: Json) -> tuple[str, str]:
    """Post *event* and return its receipt id and when it was first received."""
    answer = await client.post("/v1/events", content=encode_event(event))
    assert answer.status_code == 202, answer.text
    (receipt,) = answer.json()["receipts"]
    return receipt["receiptid"], receipt["receivedtime"]


async def receipts_of(client: httpx.AsyncClient, batch: list[Json]) -> dict[str, tuple[str, str]]:
    """Post *batch* and return for each event its receipt id and when it was first received."""
    answer = await client.post("/v1/events", content=encode_event(batch), headers={"content-type": BATCH})
    assert answer.status_code == 202, answer.text
    return {one["id"]: (one["receiptid"], one["receivedtime"]) for one in answer.json()["receipts"]}


def of_any_agency(event: str, number: int) -> Json:
    """A report of one agency or another, so that every partition gets some."""
    agency = AGENCIES[number % len(AGENCIES)]
    return a_submission(event, data={"agency": agency}, subject=agency)


async def test_a_repeated_event_gets_its_first_receipt_and_is_not_written_again(
    client: httpx.AsyncClient, published: Bus
) -> None:
    """Alone, in a batch, twice within one batch, in another writing: always the same receipt."""
    event = a_submission()
    first = await receipt_of(client, event)
    assert await receipt_of(client, dict(reversed(event.items()))) == first
    answer = await client.post("/v1/events", content=encode_event([event, event]), headers={"content-type": BATCH})
    receipts = answer.json()["receipts"]
    assert {(one["receiptid"], one["receivedtime"]) for one in receipts} == {first}
    assert len(await published.records(FACTS.name)) == 1


async def test_concurrent_repeats_are_written_once(client: httpx.AsyncClient, published: Bus) -> None:
    """Fifty at once are one record and one receipt."""
    receipts = await asyncio.gather(*(receipt_of(client, a_submission()) for _ in range(50)))
    assert len(set(receipts)) == 1
    assert len(await published.records(FACTS.name)) == 1


async def test_the_first_receipt_is_given_by_any_replica_and_after_kill_9(
    start_intake: Callable[..., Service], bearer: str, intake_files: IntakeFiles, published: Bus
) -> None:
    """What is remembered is read back from the log."""
    spools = [str(intake_files.folder / name) for name in ("a", "b", "c")]
    one, other = start_intake(DONDOC_INTAKE_SPOOL=spools[0]), start_intake(DONDOC_INTAKE_SPOOL=spools[1])
    async with open_client(one, bearer) as first_client, open_client(other, bearer) as second_client:
        first = await receipt_of(first_client, a_submission())

        assert await receipt_of(second_client, a_submission()) == first
    one.kill()
    again = start_intake(DONDOC_INTAKE_SPOOL=spools[2])
    async with open_client(again, bearer) as client:
        assert await receipt_of(client, a_submission()) == first
    assert {record.json["receiptid"] for record in await published.records(FACTS.name)} == {first[0]}


async def test_two_replicas_that_get_one_event_at_once_give_one_receipt(
    start_intake: Callable[..., Service], bearer: str, intake_files: IntakeFiles
) -> None:
    """The log decides which was first, and both read it before they answer."""
    replicas = [start_intake(DONDOC_INTAKE_SPOOL=str(intake_files.folder / name)) for name in ("a", "b")]
    async with open_client(replicas[0], bearer) as one, open_client(replicas[1], bearer) as other:
        for number in range(20):
            event = a_submission(f"s-{number}")
            assert len(set(await asyncio.gather(receipt_of(one, event), receipt_of(other, event)))) == 1


async def test_two_busy_replicas_agree_on_who_was_first(
    start_intake: Callable[..., Service], bearer: str, intake_files: IntakeFiles, published: Bus
) -> None:
    """Under a load at which neither reads its own records back, the first in the log gives both their receipts."""
    replicas = [start_intake(DONDOC_INTAKE_SPOOL=str(intake_files.folder / name)) for name in ("a", "b")]
    given: dict[str, tuple[str, str]] = {}
    async with open_client(replicas[0], bearer) as one, open_client(replicas[1], bearer) as other:
        for number in range(ROUNDS):
            batch = [of_any_agency(f"s-{number}-{place}", place) for place in range(ROUND_EVENTS)]
            first, second = await asyncio.gather(receipts_of(one, batch), receipts_of(other, batch))
            assert first == second
            given |= first
    in_log: dict[str, tuple[str, str]] = {}
    for record in await published.records(FACTS.name):
        in_log.setdefault(record.json["id"], (record.json["receiptid"], record.json["receivedtime"]))
    assert in_log == given


async def test_two_replicas_that_get_two_contents_at_once_accept_one(
    start_intake: Callable[..., Service], bearer: str, intake_files: IntakeFiles
) -> None:
    """The other is a conflict, whichever came later in the log."""
    replicas = [start_intake(DONDOC_INTAKE_SPOOL=str(intake_files.folder / name)) for name in ("a", "b")]
    async with open_client(replicas[0], bearer) as one, open_client(replicas[1], bearer) as other:
        for number in range(20):
            contents = a_submission(f"s-{number}"), a_submission(f"s-{number}", data={"period": "2023"})
            posts = (
                client.post("/v1/events", content=encode_event(event))
                for client, event in zip((one, other), contents, strict=True)
            )
            answers = await asyncio.gather(*posts)
            assert sorted(answer.status_code for answer in answers) == [202, 409]


async def test_the_same_identity_with_other_content_is_a_conflict_on_record(
    client: httpx.AsyncClient, intake: Service, published: Bus
) -> None:
    """409, the pointer, an audit line, and nothing in the log; a batch with a conflict is refused whole."""
    first, _ = await receipt_of(client, a_submission())
    changed = a_submission(data={"period": "2023"})
    answer = await client.post("/v1/events", content=encode_event(changed))
    assert answer.status_code == 409
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/id"]
    batch = [a_submission("s-2"), changed]
    answer = await client.post("/v1/events", content=encode_event(batch), headers={"content-type": BATCH})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (409, "/1/id")
    lines = [line for line in intake.log_lines() if line.get("action") == "conflict"]
    assert [(line["event"], line["standing"]) for line in lines] == [("s-1", first)] * 2
    assert [record.json["id"] for record in await published.records(FACTS.name)] == ["s-1"]


async def test_two_contents_under_one_identity_in_a_batch_are_a_conflict(
    client: httpx.AsyncClient, published: Bus
) -> None:
    """Neither is recorded."""
    batch = [a_submission(), a_submission(data={"period": "2023"})]
    answer = await client.post("/v1/events", content=encode_event(batch), headers={"content-type": BATCH})
    assert answer.status_code == 409
    assert await published.records(FACTS.name) == []
