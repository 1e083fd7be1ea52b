"""Intake under hardship: many connections, replicas side by side, a disk without room, a clock set back, TLS."""

import asyncio
import ssl
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from deploy.local.servers.kafka import Kafka
from schemas.events.topics import FACTS
from services.runtime.clock import steer
from tests.support.assertions.eventually import eventually
from tests.support.builders.plans import a_submission
from tests.support.faults import fault_plan
from tests.support.servers.certificates import Authority, over_tls
from tests.support.servers.intake import IntakeFiles, encode_event, open_client
from tests.support.servers.kafka import Bus
from tests.support.servers.services import Service

CONNECTIONS = 1_000


@pytest.mark.chaos
async def test_a_thousand_connections_are_served(intake: Service, bearer: str, published: Bus) -> None:
    """All at once, each with its own event; every one is answered and recorded."""
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    headers = dict(open_client(intake, bearer).headers)
    async with httpx.AsyncClient(base_url=intake.url, headers=headers, limits=limits, timeout=120) as client:
        answers = await asyncio.gather(
            *(client.post("/v1/events", content=encode_event(a_submission(f"s-{n}"))) for n in range(CONNECTIONS))
        )
    assert Counter(answer.status_code for answer in answers) == {202: CONNECTIONS}
    assert len(await published.records(FACTS.name)) == CONNECTIONS


async def test_replicas_share_the_work(
    start_intake: Callable[..., Service], bearer: str, intake_files: IntakeFiles, published: Bus
) -> None:
    """Each answers for itself; together every event is in the log once."""
    replicas = [start_intake(DONDOC_INTAKE_SPOOL=str(intake_files.folder / f"spool-{name}")) for name in "ab"]
    async with open_client(replicas[0], bearer) as one, open_client(replicas[1], bearer) as other:
        await asyncio.gather(
            *((one, other)[n % 2].post("/v1/events", content=encode_event(a_submission(f"s-{n}"))) for n in range(200))
        )
    records = [record.json["id"] for record in await published.records(FACTS.name)]
    assert Counter(records) == Counter(f"s-{n}" for n in range(200))


@pytest.mark.chaos
async def test_a_disk_that_cannot_be_written_is_a_503(
    start_intake: Callable[..., Service], bearer: str, published: Bus, kafka: Kafka
) -> None:
    """Nothing is acknowledged that is not on disk, and the next attempt works when the disk does."""
    service = start_intake(
        faults=[fault_plan.raise_before("services.intake.spool.segment_files", "SegmentFiles.append")]
    )
    kafka.kill()
    async with open_client(service, bearer) as client:
        first = await client.post("/v1/events", content=encode_event(a_submission()))
        assert first.status_code == 503
        assert "retry-after" in first.headers
        assert (await client.post("/v1/events", content=encode_event(a_submission()))).status_code == 202
        kafka.start()
        await eventually(service.is_ready, "intake ready again", timeout=60)
    assert len(await published.records(FACTS.name)) == 1


async def test_a_clock_that_is_set_back_breaks_nothing(
    start_intake: Callable[..., Service], bearer: str, published: Bus, tmp_path: Path
) -> None:
    """Events are received at the instant the clock tells, and a repeated one keeps its first."""
    clock = tmp_path / "clock"
    noon = datetime.fromisoformat("2024-12-09T12:00:00+00:00")
    steer(clock, noon)
    service = start_intake(DONDOC_CLOCK=f"steered:{clock}")
    async with open_client(service, bearer) as client:
        first = (await client.post("/v1/events", content=encode_event(a_submission("s-1")))).json()["receipts"][0]
        steer(clock, noon - timedelta(days=2))
        second = (await client.post("/v1/events", content=encode_event(a_submission("s-2")))).json()["receipts"][0]
        again = (await client.post("/v1/events", content=encode_event(a_submission("s-1")))).json()["receipts"][0]
    assert (first["receivedtime"], second["receivedtime"]) == ("2024-12-09T12:00:00.000Z", "2024-12-07T12:00:00.000Z")
    assert again == first
    assert [record.json["id"] for record in await published.records(FACTS.name)] == ["s-1", "s-2"]


async def test_the_port_speaks_tls_when_it_is_given_a_certificate(
    start_intake: Callable[..., Service], bearer: str, tmp_path: Path
) -> None:
    """With the certificate trusted, and plain HTTP refused."""
    authority = Authority(tmp_path, "authority")
    service = start_intake(ready=False, **over_tls(authority))
    trust = ssl.create_default_context(cafile=str(authority.certificate))
    url = f"https://127.0.0.1:{service.port}"
    async with httpx.AsyncClient(
        base_url=url, verify=trust, headers=dict(open_client(service, bearer).headers)
    ) as client:

        async def is_ready() -> bool:
            try:
                return (await client.get("/readyz")).status_code == 200
            except httpx.TransportError:
                return False

        await eventually(is_ready, "intake ready over TLS")
        assert (await client.post("/v1/events", content=encode_event(a_submission()))).status_code == 202
    assert not service.is_ready()
