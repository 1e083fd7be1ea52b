"""Fixtures: reporting as a process on a real broker and database, with a plan and its registry published."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import httpx
import msgspec
import pytest
from aiokafka import AIOKafkaProducer

from schemas.events.topics import DELIVERIES, VERDICTS
from services.reporting.core.timeline import AssessmentRevision
from services.reporting.core.urging import AlertAttempt
from services.runtime.kafka.published_documents import PLAN, REGISTRY, publish_document
from tests.support.builders.annual_report import a_plan, a_registry, a_year
from tests.support.builders.annual_report_events import a_delivery_event, a_verdict_event
from tests.support.clients.readers import ReadersFile
from tests.support.servers.kafka import Bus
from tests.support.servers.mongo import Database
from tests.support.servers.services import Launch, Service

GROUP = "dondoc-reporting"

StartReporting = Callable[..., Service]
PublishEvents = Callable[[Sequence[AssessmentRevision | AlertAttempt]], Awaitable[None]]
Get = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
async def published(bus: Bus) -> Bus:
    """Publish the plan and its registry, and return the broker."""
    async with AIOKafkaProducer(bootstrap_servers=bus.bootstrap) as producer:
        await publish_document(producer, PLAN, a_plan())
        await publish_document(producer, REGISTRY, a_registry())
    return bus


@pytest.fixture
def reporting(launch: Launch, published: Bus, database: Database, readers: ReadersFile) -> StartReporting:
    """Return a function that starts reporting on this test's database."""
    settings = {
        "DONDOC_MONGO_URL": database.url,
        "DONDOC_REPORTING_MONGO_DATABASE": database.name,
        "DONDOC_REPORTING_SESSION_TIMEOUT_MS": "6000",
    }

    def start(**options: Any) -> Service:
        return launch("reporting", **{**settings, **options})

    assert published.bootstrap
    assert readers.bearer
    return start


@pytest.fixture
def publish_events(published: Bus) -> PublishEvents:
    """Return a function that publishes assessments and alert attempts as events, in their order."""

    async def publish(assessments_and_attempts: Sequence[AssessmentRevision | AlertAttempt]) -> None:
        async with AIOKafkaProducer(bootstrap_servers=published.bootstrap, acks="all") as producer:
            for one in assessments_and_attempts:
                is_assessment = isinstance(one, AssessmentRevision)
                topic = VERDICTS.name if is_assessment else DELIVERIES.name
                event = a_verdict_event(one) if isinstance(one, AssessmentRevision) else a_delivery_event(one)
                await producer.send(topic, msgspec.json.encode(event), key=one.key.agency.encode())
            await producer.flush()

    return publish


@pytest.fixture
def get(readers: ReadersFile) -> Get:
    """Return a function that sends a GET request to a running reporting, with the key for everything."""

    async def send(service: Service, path: str, **query: Any) -> httpx.Response:
        headers = {"accept-language": query.pop("accept_language", "vi"), **readers.headers}
        async with httpx.AsyncClient(base_url=service.url, timeout=30) as client:
            return await client.get(path, params=query, headers=headers)

    return send


@pytest.fixture
async def reporting_with_year(reporting: StartReporting, publish_events: PublishEvents, bus: Bus) -> Service:
    """Start reporting and wait until it has stored a whole year."""
    service = reporting()
    revisions, attempts = a_year()
    await publish_events([*revisions, *(one for several in attempts.values() for one in several)])
    for topic in (VERDICTS.name, DELIVERIES.name):
        await bus.wait_until_consumed("dondoc-reporting", topic)
    return service
