"""Reporting as a process on the real broker and database, with a plan and a roster published."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import httpx
import msgspec
import pytest
from aiokafka import AIOKafkaProducer

from schemas.events.topics import DELIVERIES, VERDICTS
from services.reporting.core.projections import Assessed, Attempt
from services.runtime.published_documents import PLAN, REGISTRY, publish_document
from tests.support.builders.annual_report import a_plan, a_registry
from tests.support.builders.annual_report_events import a_delivery, a_verdict
from tests.support.servers.kafka import Bus
from tests.support.servers.mongo import Database
from tests.support.servers.services import Launch, Service

GROUP = "dondoc-reporting"

StartReporting = Callable[..., Service]
Tell = Callable[[Sequence[Assessed | Attempt]], Awaitable[None]]
Ask = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
async def published(bus: Bus) -> Bus:
    """The bus with the plan and its registry on it."""
    async with AIOKafkaProducer(bootstrap_servers=bus.bootstrap) as producer:
        await publish_document(producer, PLAN, a_plan())
        await publish_document(producer, REGISTRY, a_registry())
    return bus


@pytest.fixture
def reporting(launch: Launch, published: Bus, database: Database) -> StartReporting:
    """Start reporting on this test's database."""
    settings = {
        "DONDOC_MONGO_URL": database.url,
        "DONDOC_REPORTING_MONGO_DATABASE": database.name,
        "DONDOC_REPORTING_SESSION_TIMEOUT_MS": "6000",
    }

    def start(**options: Any) -> Service:
        return launch("reporting", **{**settings, **options})

    assert published.bootstrap
    return start


@pytest.fixture
def tell(published: Bus) -> Tell:
    """Put assessments and alerts on the bus, in this order."""

    async def put(told: Sequence[Assessed | Attempt]) -> None:
        async with AIOKafkaProducer(bootstrap_servers=published.bootstrap, acks="all") as producer:
            for one in told:
                topic = VERDICTS.name if isinstance(one, Assessed) else DELIVERIES.name
                event = a_verdict(one) if isinstance(one, Assessed) else a_delivery(one)
                await producer.send(topic, msgspec.json.encode(event), key=one.key.agency.encode())
            await producer.flush()

    return put


@pytest.fixture
def ask() -> Ask:
    """Ask a running reporting."""

    async def get(service: Service, path: str, **query: Any) -> httpx.Response:
        headers = {"accept-language": query.pop("accept_language", "vi")}
        async with httpx.AsyncClient(base_url=service.url, timeout=30) as client:
            return await client.get(path, params=query, headers=headers)

    return get
