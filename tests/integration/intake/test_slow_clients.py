"""Slow and stalled clients cost nothing to others: they are cut off, and an honest post is answered as ever."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from services.intake.core.problems import CONNECTION_PROBLEMS, RequestProblem
from services.intake.form.concurrency_limit import FORMS_OF_DUTY_MAX
from services.runtime.http.connection import HEAD_SECONDS, HEAD_TOO_LARGE, NOT_HTTP, TOO_SLOW, ConnectionFault
from tests.support.assertions.eventually import eventually
from tests.support.builders.plans import a_submission
from tests.support.clients.form import AGENCIES_OF_FORM, Site, post_form
from tests.support.servers.intake import encode_event
from tests.support.servers.services import Service

DRIPPING = 400
SILENT = 100
POSTS = 100
GROWTH_MAX_KILOBYTES = 64 * 1024

# A lone post takes some milliseconds; the slowest of many may meet another process of this machine.
USUAL_SECONDS = 0.25


@pytest.mark.chaos
async def test_hundreds_of_dripping_connections_hold_up_nobody(intake: Service, client: httpx.AsyncClient) -> None:
    """Each is ended in time, those that began with 408; posts meanwhile take their usual time, memory stays."""
    before = resident_kilobytes(intake)
    drips = [asyncio.create_task(drip_head(intake.port)) for _ in range(DRIPPING)]
    silences = [asyncio.create_task(silent(intake.port)) for _ in range(SILENT)]
    await asyncio.sleep(1)
    seconds = []
    for number in range(POSTS):
        begun_at = time.monotonic()
        answer = await client.post("/v1/events", content=encode_event(a_submission(f"s-{number}")))
        seconds.append(time.monotonic() - begun_at)
        assert answer.status_code == 202
    assert sorted(seconds)[-2] < USUAL_SECONDS
    assert resident_kilobytes(intake) - before < GROWTH_MAX_KILOBYTES
    async with asyncio.timeout(2 * HEAD_SECONDS):
        assert {answer[:12] for answer in await asyncio.gather(*drips)} == {b"HTTP/1.1 408"}
        assert set(await asyncio.gather(*silences)) == {b""}


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        (NOT_HTTP, RequestProblem.NOT_HTTP),
        (TOO_SLOW, RequestProblem.TOO_SLOW),
        (HEAD_TOO_LARGE, RequestProblem.HEAD_TOO_LARGE),
    ],
)
async def test_what_a_connection_answers_is_among_the_problems(
    client: httpx.AsyncClient, fault: ConnectionFault, problem: RequestProblem
) -> None:
    """Same type, status and title, and its address tells its meaning."""
    kind = problem.value
    assert (fault.slug, fault.status, fault.title) == (kind.slug, kind.status, kind.title.en)
    assert problem in {*CONNECTION_PROBLEMS, RequestProblem.TOO_SLOW}
    assert (await client.get(f"/problems/{fault.slug}")).text == f"{fault.status.value} {fault.title}\n"


async def test_a_head_too_large_is_refused_with_a_problem_document(client: httpx.AsyncClient) -> None:
    """Through the port, as a client meets it; what is within the bound is taken."""
    answer = await client.post("/v1/events", content=encode_event(a_submission()), headers={"x-long": "x" * 40_000})
    assert (answer.status_code, answer.json()["type"]) == (431, "/problems/head-too-large")
    assert answer.headers["content-type"] == "application/problem+json"
    taken = await client.post("/v1/events", content=encode_event(a_submission()), headers={"x-long": "x" * 20_000})
    assert taken.status_code == 202


async def test_whoever_stalls_with_forms_holds_up_only_its_own_link(site: Site, browser: httpx.Client) -> None:
    """The fifth form of a duty is refused in words; another duty's is taken meanwhile, its own when one ends."""
    stalled = [await begin_form(site) for _ in range(FORMS_OF_DUTY_MAX)]
    await eventually(lambda: post_form(browser, site.address(), action="check").status_code == 429, "no place left")
    page = post_form(browser, site.address(), action="check")
    assert "đang được gửi từ nhiều nơi" in page.text
    assert page.headers["retry-after"] == "60"
    other = replace(site, agency=AGENCIES_OF_FORM[-1])
    assert post_form(browser, other.address(), action="check").status_code == 200
    for writer in stalled:
        writer.close()
    await eventually(lambda: post_form(browser, site.address(), action="check").status_code == 200, "a place free")


async def begin_form(site: Site) -> asyncio.StreamWriter:
    """A form of which the head and a little more is here, and no more comes."""
    _, writer = await asyncio.open_connection("127.0.0.1", site.intake.port)
    head = f"POST /form?t={site.token()} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n"
    writer.write(f"{head}content-type: multipart/form-data; boundary=b\r\n\r\n--b\r\n".encode())
    await writer.drain()
    return writer


async def drip_head(port: int) -> bytes:
    """The status line of the answer to a head of which a line comes now and then, and never the last."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def drip() -> None:
        writer.write(b"POST /v1/events HTTP/1.1\r\n")
        while True:
            writer.write(b"a: b\r\n")
            await asyncio.sleep(0.5)

    dripping = asyncio.create_task(drip())
    # Not up to the end: a line that is on its way when the server closes makes the kernel reset the connection.
    answer = await reader.readline()
    dripping.cancel()
    writer.close()
    return answer


async def silent(port: int) -> bytes:
    """The answer to nothing."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = await reader.read()
    writer.close()
    return answer


def resident_kilobytes(service: Service) -> int:
    """Memory of the process."""
    status = Path(f"/proc/{service.pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1])
