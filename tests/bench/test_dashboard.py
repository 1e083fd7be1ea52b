"""How long each page and question takes over many agencies, and how long a probe waits meanwhile.

The goal is 200 ms at 10,000 agencies and a million assessments (`BENCH_AGENCIES=10000 BENCH_YEARS=10`), and 50 ms for
a probe. The default is a tenth of the agencies and two years. It fails only where an answer is wrong.
"""

import asyncio
import os
import statistics
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest
from aiokafka import AIOKafkaProducer

from schemas.events.assessments import Status
from schemas.plan.registry import Registry
from services.reporting import event_decoder, stored_documents
from services.runtime.kafka.published_documents import PLAN, REGISTRY, publish_document
from tests.support.builders.annual_report import DUE, a_key, a_plan, a_registry, a_revision, a_timeline
from tests.support.builders.annual_report_events import a_verdict_event
from tests.support.clients.readers import ReadersFile
from tests.support.servers.kafka import Bus
from tests.support.servers.mongo import Database
from tests.support.servers.services import Launch, Service

AGENCIES = int(os.environ.get("BENCH_AGENCIES", "1000"))
YEARS = int(os.environ.get("BENCH_YEARS", "2"))
REVISIONS = 10
ASKED = 20  # times, after one to warm up
AT = (DUE + timedelta(days=12)).isoformat()
PERIOD = "/v1/plans/6766-KH-UBND/periods/2026"
QUESTIONS: tuple[tuple[str, str, Mapping[str, Any]], ...] = (
    ("season", "/", {}),
    ("list", "/duties", {}),
    ("list, one status, sorted", "/duties", {"status": "overdue", "sort": "-days_late"}),
    ("list, search", "/duties", {"q": "huyen 0042"}),
    ("results", "/results", {}),
    ("one agency", "/agencies/a-00042", {}),
    ("API, 100 duties", "/v1/duties", {"period": "2026"}),
    ("API, 10 overdue", "/v1/duties", {"period": "2026", "status": "overdue", "limit": "10"}),
    ("API, figures of a period", PERIOD, {}),
    ("API, one agency", "/v1/agencies/a-00042", {}),
)


@pytest.mark.timeout(1800)
async def test_pages_and_questions(bus: Bus, launch: Launch, database: Database, readers: ReadersFile) -> None:
    """Print the median and the 95th percentile of every question, and the longest wait of a probe meanwhile."""
    async with AIOKafkaProducer(bootstrap_servers=bus.bootstrap, max_request_size=1 << 20) as producer:
        await publish_document(producer, PLAN, a_plan())
        await publish_document(producer, REGISTRY, _build_registry())
    await asyncio.to_thread(_fill, database)
    settings = {"DONDOC_MONGO_URL": database.url, "DONDOC_REPORTING_MONGO_DATABASE": database.name}
    service = launch("reporting", **settings)
    print(f"\n{AGENCIES} agencies, {AGENCIES * YEARS * REVISIONS} assessments; milliseconds")
    print(f"  {'':<28}{'median':>8}{'p95':>8}{'probe':>8}{'kB':>8}")
    async with httpx.AsyncClient(base_url=service.url, headers=readers.headers, timeout=120) as client:
        for name, path, query in QUESTIONS:
            print(f"  {name:<28}" + "".join(f"{one:8.0f}" for one in await _ask(client, path, query)))
    print(f"  resident memory {_resident_megabytes(service)} MB")


async def _ask(client: httpx.AsyncClient, path: str, query: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """Return median and 95th percentile, the longest wait of a probe, and the size, in milliseconds and kilobytes."""
    waits: list[float] = []
    is_done = asyncio.Event()
    probing = asyncio.create_task(_probe(client, waits, is_done))
    times = []
    for _ in range(ASKED + 1):
        begun = time.perf_counter()
        answer = await client.get(path, params={**query, "as_of": AT})
        times.append((time.perf_counter() - begun) * 1000)
        assert answer.status_code == 200, (path, answer.text[:200])
    is_done.set()
    await probing
    measured = sorted(times[1:])
    return statistics.median(measured), measured[int(len(measured) * 0.95) - 1], max(waits), len(answer.content) / 1000


async def _probe(client: httpx.AsyncClient, waits: list[float], is_done: asyncio.Event) -> None:
    while not is_done.is_set():
        begun = time.perf_counter()
        await client.get("/livez")
        waits.append((time.perf_counter() - begun) * 1000)
        await asyncio.sleep(0.01)


def _build_registry() -> Registry:
    agencies = [
        {"id": f"a-{n:05d}", "names": [{"vi": f"UBND huyện {n:05d}"}], "groups": [{"id": "ubnd-huyen"}]}
        for n in range(AGENCIES)
    ]
    return a_registry(agencies=agencies)


def _fill(database: Database) -> None:
    """Store the assessments as reporting would: the newest of each duty is that of the highest revision."""
    batch = []
    for document in _list_documents():
        batch.append(document)
        if len(batch) == 5_000:
            database["assessments"].insert_many(batch, ordered=False)
            batch = []
    if batch:
        database["assessments"].insert_many(batch, ordered=False)


def _list_documents() -> Iterator[dict[str, Any]]:
    ends = (Status.ON_TIME, Status.ON_TIME, Status.LATE, Status.INCOMPLETE, Status.OVERDUE)
    for year in range(2027 - YEARS, 2027):
        for number in range(AGENCIES):
            key = a_key(f"a-{number:05d}", period=str(year))
            at = DUE - timedelta(days=number % 30)
            for revision in range(1, REVISIONS + 1):
                spans = a_timeline(ends[number % len(ends)], effective_at=at)
                found = a_revision(key, revision=revision, spans=spans)
                record = msgspec.json.encode(a_verdict_event(found))
                yield stored_documents.build_assessment(event_decoder.decode_verdict(record))


def _resident_megabytes(service: Service) -> int:
    with open(f"/proc/{service.pid}/statm", encoding="ascii") as numbers:  # noqa: PTH123 - of the system
        return int(numbers.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1_000_000
