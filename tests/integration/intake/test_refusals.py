"""The table of refusals: each wrong request, its status, its stable type, its pointer; in English and Vietnamese."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from schemas.events.topics import FACTS
from services.intake.core.scopes import SourceScope
from tests.support.assertions.eventually import eventually
from tests.support.builders.plans import a_submission, an_event, an_extension
from tests.support.servers.intake import BATCH, STRUCTURED, IntakeFiles, encode_event, open_client
from tests.support.servers.kafka import Bus
from tests.support.servers.services import Service


def an_attachment(**changes: Any) -> dict[str, Any]:
    """Build the attachment of an event with *changes*."""
    return {"name": "a.pdf", "media_type": "application/pdf", "size": 1, "sha256": "a" * 64, "url": None} | changes


MEBIBYTE = 1024 * 1024
JSON_TYPE = {"content-type": "application/json"}
BATCH_TYPE = {"content-type": BATCH}
GOOD = encode_event(a_submission())
REFUSED: dict[str, tuple[dict[str, Any], int, str, list[str]]] = {
    "malformed JSON": ({"content": b"{"}, 400, "unreadable", []),
    "an array in structured mode": ({"content": b"[]"}, 400, "unreadable", []),
    "no CloudEvents type": ({"content": b"{}", "headers": JSON_TYPE}, 415, "unsupported-media-type", []),
    "binary mode without a version": (
        {"content": b"{}", "headers": JSON_TYPE | {"ce-id": "1", "ce-source": "urn:x", "ce-type": "t"}},
        422,
        "invalid-event",
        ["/specversion"],
    ),
    "no source": ({"content": encode_event(a_submission(source="a b"))}, 422, "invalid-event", ["/source"]),
    "missing attributes": ({"content": b'{"id": "1"}'}, 422, "invalid-event", ["/specversion", "/source", "/type"]),
    "unknown type": ({"content": encode_event(a_submission(type="vn.other"))}, 422, "invalid-event", ["/type"]),
    "time without offset": (
        {"content": encode_event(a_submission(time="2024-12-01T08:00:00"))},
        422,
        "invalid-event",
        ["/time"],
    ),
    "wrong subject": ({"content": encode_event(a_submission(subject="h-hai"))}, 422, "invalid-event", ["/subject"]),
    "unknown plan": (
        {"content": encode_event(a_submission(data={"plan": "P-9"}))},
        422,
        "invalid-event",
        ["/data/plan"],
    ),
    "unknown obligation": (
        {"content": encode_event(a_submission(data={"obligation": "x"}))},
        422,
        "invalid-event",
        ["/data/obligation"],
    ),
    "unknown agency": (
        {"content": encode_event(a_submission(data={"agency": "x"}))},
        422,
        "invalid-event",
        ["/data/agency"],
    ),
    "misfit period": (
        {"content": encode_event(a_submission(data={"period": "2024-Q1"}))},
        422,
        "invalid-event",
        ["/data/period"],
    ),
    "wrong type inside": (
        {"content": encode_event(a_submission(data={"attachments": {}}))},
        422,
        "invalid-event",
        ["/data/attachments"],
    ),
    "attachments that are not what they say": (
        {
            "content": encode_event(
                a_submission(
                    data={
                        "attachments": [
                            an_attachment(name="../../etc/passwd", url="javascript:alert(1)", size=2**70),
                            an_attachment(media_type="a/" + "b" * 300),
                        ]
                    }
                )
            )
        },
        422,
        "invalid-event",
        [f"/data/attachments/{field}" for field in ("0/name", "0/size", "0/url", "1/media_type")],
    ),
    "wrong outside and inside": (
        {"content": encode_event(a_submission(time="2024-12-01T08:00:00", data={"attachments": {}}))},
        422,
        "invalid-event",
        ["/time", "/data/attachments"],
    ),
    "over one mebibyte": ({"content": b"x" * (MEBIBYTE + 1)}, 413, "too-large", []),
    "batch over eight mebibytes": ({"content": b"x" * (8 * MEBIBYTE + 1), "headers": BATCH_TYPE}, 413, "too-large", []),
    "batch over a thousand": ({"content": b"[" + b"{}," * 1000 + b"{}]", "headers": BATCH_TYPE}, 413, "too-large", []),
    "a misspelt dry run": ({"content": GOOD, "params": {"dryrun": "true"}}, 400, "unreadable", []),
    "no answer to dry_run": ({"content": GOOD, "params": {"dry_run": "maybe"}}, 400, "unreadable", []),
    "dry_run both ways": ({"content": GOOD, "params": {"dry_run": ["true", "false"]}}, 400, "unreadable", []),
    "bad key": ({"content": b"{}", "headers": {"authorization": "Bearer ddk_0_0"}}, 401, "unauthenticated", []),
}


@pytest.mark.parametrize("language", ["en", "vi"])
async def test_each_wrong_request_gets_its_problem(client: httpx.AsyncClient, published: Bus, language: str) -> None:
    """The status and type do not depend on the language; the words do; nothing is recorded."""
    expected = {case: (status, f"/problems/{slug}", pointers) for case, (_, status, slug, pointers) in REFUSED.items()}
    found = {}
    for case, (request, *_) in REFUSED.items():
        headers = request.get("headers", {}) | {"accept-language": language}
        params = request.get("params", {})
        answer = await client.post("/v1/events", content=request["content"], headers=headers, params=params)
        problem = answer.json()
        pointers = [error["pointer"] for error in problem.get("errors", [])]
        found[case] = (problem["status"], problem["type"], pointers)
        assert answer.status_code == problem["status"]
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["content-language"] == language
    assert found == expected
    assert await published.records(FACTS.name) == []


async def test_the_lines_of_a_header_are_one_list(client: httpx.AsyncClient) -> None:
    """A coding is not undone by another line, nor a language; 415 says which codings or types would do."""
    structured = ("content-type", "application/cloudevents+json")
    spoken = [("accept-language", "fr"), ("accept-language", "vi;q=0.9"), ("accept-language", "en;q=0.5")]
    lines = [structured, ("content-encoding", "gzip"), ("content-encoding", "identity"), *spoken]
    answer = await client.post("/v1/events", content=b"{}", headers=lines)
    assert (answer.status_code, answer.headers["content-language"]) == (415, "vi")
    assert answer.headers["accept-encoding"] == "identity"
    assert "accept" not in answer.headers
    answer = await client.post("/v1/events", content=b"{}", headers={"content-type": "text/plain"})
    assert answer.status_code == 415
    assert answer.headers["accept"].split(", ") == [STRUCTURED, BATCH, "application/json"]
    assert "accept-encoding" not in answer.headers


async def test_chunked_bodies_are_held_to_the_limit_too(client: httpx.AsyncClient) -> None:
    """A sender that does not announce the length is cut off at the same size."""

    async def endless() -> Any:
        for _ in range(40):
            yield b"x" * (MEBIBYTE // 16)

    assert (await client.post("/v1/events", content=endless())).status_code == 413


async def test_a_wrong_address_is_a_problem_too(client: httpx.AsyncClient) -> None:
    """404 and 405 look like every other refusal; 405 says what is allowed."""
    wrong = {("GET", "/v1/nothing"): 404, ("GET", "/v1/events"): 405, ("POST", "/docs"): 405, ("PUT", "/livez"): 405}
    for (method, path), status in wrong.items():
        answer = await client.request(method, path)
        assert (answer.status_code, answer.json()["status"]) == (status, status)
        assert ("allow" in answer.headers) == (status == 405)


async def test_without_a_good_key_the_answer_is_401(intake: Service) -> None:
    """And it says which scheme is wanted. Each is counted, and the first of an address is the only line at once."""
    for authorization in (None, "", "Basic eDp5", "Bearer", "Bearer x", "Bearer ddk_unknown_secret"):
        headers = {} if authorization is None else {"authorization": authorization}
        async with httpx.AsyncClient(base_url=intake.url, headers=headers) as stranger:
            answer = await stranger.post("/v1/events", content=b"{}")
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
    metrics = httpx.get(f"{intake.url}/metrics").text
    assert 'intake_authentication_failures_total{reason="no_key"} 4.0' in metrics
    assert 'intake_authentication_failures_total{reason="unknown_key"} 2.0' in metrics
    told = [line for line in intake.log_lines() if line.get("action") == "unauthenticated"]
    assert [line["origin"] for line in told] == ["127.0.0.1"]


async def test_a_key_goes_no_further_than_its_scope(
    start_intake: Callable[..., Service], intake_files: IntakeFiles
) -> None:
    """403 names what the key does not cover; the audit line names the key, not its secret."""
    beyond: list[tuple[dict[str, Any], dict[str, Any], str]] = [
        ({"agencies": frozenset({"h-hai"})}, a_submission(), "/data/agency"),
        ({"types": frozenset({"vn.dondoc.report.withdrawn.v1"})}, a_submission(), "/type"),
        ({"may_decide": False}, an_extension("e-1", "2024-12-20T00:00:00+07:00"), "/type"),
        ({"may_review": False}, an_event("vn.dondoc.report.returned.v1", "v-1", {"agency": "h-mot"}), "/type"),
        ({"sources": SourceScope(names=frozenset({"urn:b"}))}, a_submission(source="urn:a"), "/source"),
        ({}, a_submission(source="urn:b"), "/source"),
        ({}, a_submission(source="urn:dondoc:form"), "/source"),
        ({}, a_submission(source="urn:dondoc:sheet"), "/source"),
    ]
    bearers = [intake_files.add_key(**scope) for scope, _, _ in beyond]
    service = start_intake()
    for bearer, (_, event, pointer) in zip(bearers, beyond, strict=True):
        async with open_client(service, bearer) as client:
            answer = await client.post("/v1/events", content=encode_event(event))
        assert answer.status_code == 403
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    lines = [line for line in service.log_lines() if line.get("problem") == "forbidden"]
    assert [line["key"] for line in lines] == [bearer.split("_")[1] for bearer in bearers]
    assert not any(bearer.split("_", 2)[2] in service.program.log.read_text() for bearer in bearers)


async def test_an_operator_sees_which_keys_end_and_which_share_their_sources(
    intake: Service, intake_files: IntakeFiles
) -> None:
    """The end of the first system's access, and the number of systems without a source, are metrics."""
    ends_at = datetime(2100, 1, 1, tzinfo=UTC)
    intake_files.add_key(expires_at=ends_at, system="a", sources=SourceScope(names=frozenset({"urn:a"})))

    async def is_measured() -> bool:
        metrics = (await asyncio.to_thread(httpx.get, f"{intake.url}/metrics")).text
        end = next(line for line in metrics.splitlines() if line.startswith("intake_access_ends_timestamp_seconds "))
        return float(end.split()[1]) == ends_at.timestamp() and "intake_systems_without_source 1.0" in metrics

    await eventually(is_measured, "the keys measured")


async def test_keys_come_and_go_without_a_restart(intake: Service, intake_files: IntakeFiles) -> None:
    """A key made later works, and one that has expired does not."""
    late = intake_files.add_key()
    expired = intake_files.add_key(expires_at=datetime.now(UTC))  # noqa: TID251 - just now

    async def status(bearer: str) -> int:
        async with open_client(intake, bearer) as own:
            return (await own.post("/v1/events", content=encode_event(a_submission()))).status_code

    async def is_taken() -> bool:
        return await status(late) == 202

    await eventually(is_taken, "the new key taken")
    assert await status(expired) == 401


async def test_a_batch_is_charged_before_it_is_taken(
    start_intake: Callable[..., Service], intake_files: IntakeFiles, published: Bus
) -> None:
    """A batch that the rate does not pay gets 429, leaves nothing on the log, and is taken after the wait it was told.

    What is left of the rate serves smaller requests meanwhile.
    """
    slow = intake_files.add_key(events_per_second=10.0)
    service = start_intake()
    events = [a_submission(f"paid-{number}") for number in range(60)]
    async with open_client(service, slow) as client:
        refused = await client.post("/v1/events", content=encode_event(events), headers=BATCH_TYPE)
        assert (refused.status_code, int(refused.headers["retry-after"])) == (429, 1)
        assert (await client.post("/v1/events", content=encode_event(events[0]))).status_code == 202
        await asyncio.sleep(int(refused.headers["retry-after"]) + 0.1)  # the one of before is paid in the tenth
        assert [record.json["id"] for record in await published.records(FACTS.name)].count("paid-1") == 0
        taken = await client.post("/v1/events", content=encode_event(events), headers=BATCH_TYPE)
        assert taken.status_code == 202
        exhausted = await client.post("/v1/events", content=encode_event(events), headers=BATCH_TYPE)
        assert (exhausted.status_code, 5 <= int(exhausted.headers["retry-after"]) <= 6) == (429, True)


async def test_a_stalled_body_holds_up_nobody(start_intake: Callable[..., Service], bearer: str) -> None:
    """Others are answered meanwhile, and the stalled one gets 408."""
    service = start_intake(DONDOC_INTAKE_BODY_TIMEOUT_SECONDS="1")
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    head = f"POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {bearer}\r\n"
    writer.write(f"{head}content-type: application/cloudevents+json\r\ncontent-length: 100\r\n\r\n{{".encode())
    await writer.drain()
    async with open_client(service, bearer) as client:
        assert (await client.post("/v1/events", content=encode_event(a_submission()))).status_code == 202
    assert b" 408 " in await asyncio.wait_for(reader.readline(), 10)
    writer.close()
