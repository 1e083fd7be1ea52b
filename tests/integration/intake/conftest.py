"""Intake as a process on the real broker, with a published plan and a key that may do everything."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.servers.kafka import Kafka
from services.runtime import clock
from tests.support.clients.form import AGENCIES_OF_FORM, NOW, SECRET, Site, publish_form_plan
from tests.support.servers.intake import IntakeFiles, open_client, publish_plan
from tests.support.servers.intake_workers import WORKERS, wait_until_workers_serve
from tests.support.servers.kafka import Bus
from tests.support.servers.services import Launch, Launcher, Service

USED_AGENCIES = pytest.StashKey[list[str]]()


@pytest.fixture
async def published(bus: Bus) -> Bus:
    """The bus with a plan and a registry on it."""
    await publish_plan(bus)
    return bus


@pytest.fixture
def start_intake(published: Bus, intake_files: IntakeFiles, bearer: str, launch: Launch) -> Callable[..., Service]:
    """Start an intake, or another replica, once the plan is published and the first key made."""
    assert published.bootstrap
    assert bearer

    def start(**settings: Any) -> Service:
        return launch("intake", **{**intake_files.environment, **settings})

    return start


@pytest.fixture
def intake(start_intake: Callable[..., Service]) -> Service:
    """One intake, ready."""
    return start_intake()


@pytest.fixture
async def client(intake: Service, bearer: str) -> AsyncIterator[httpx.AsyncClient]:
    """A sender with the key."""
    async with open_client(intake, bearer) as own:
        yield own


@pytest.fixture
async def intake_with_workers(start_intake: Callable[..., Service]) -> Service:
    """An intake whose workers all serve."""
    service = start_intake(DONDOC_INTAKE_WORKERS=str(WORKERS))
    await wait_until_workers_serve(service)
    return service


@pytest.fixture
async def worker_client(intake_with_workers: Service, bearer: str) -> AsyncIterator[httpx.AsyncClient]:
    """A sender whose connections go to the main process and its workers."""
    async with open_client(intake_with_workers, bearer) as own:
        yield own


@pytest.fixture(scope="module")
def standing_site(session_kafka: Kafka, tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[Site]:
    """The form, with rules to ask; one for the tests of a file, each of which has an agency of its own."""
    folder = tmp_path_factory.mktemp("site")
    bus = Bus(session_kafka.bootstrap)
    asyncio.run(bus.recreate_topics())
    asyncio.run(publish_form_plan(bus))
    steered = folder / "clock"
    clock.steer(steered, NOW)
    shared = {
        "DONDOC_KAFKA_BOOTSTRAP": bus.bootstrap,
        "DONDOC_PARTITIONS": str(bus.partitions),
        "DONDOC_CLOCK": f"steered:{steered}",
        "DONDOC_FORM_KEY": SECRET,
        "DONDOC_INTAKE_ATTACHMENTS": str(folder / "attachments"),
        "DONDOC_INTAKE_FORM_MAX_BYTES": str(2 * 1024 * 1024),
        **IntakeFiles(folder=folder).environment,
    }
    launcher = Launcher(folder, shared, template=template)
    try:
        rules = launcher("rules")
        intake = launcher("intake", DONDOC_INTAKE_RULES_URL=rules.url)
        yield Site(intake=intake, bus=bus, clock=steered, attachments=folder / "attachments", agency="")
    finally:
        launcher.end()


@pytest.fixture
def site(standing_site: Site, request: pytest.FixtureRequest) -> Site:
    """The form on 1 December 2026, for an agency that has sent nothing yet."""
    standing_site.steer(NOW)
    used = request.session.stash.setdefault(USED_AGENCIES, [])
    used.append(AGENCIES_OF_FORM[len(used)])
    return replace(standing_site, agency=used[-1])


@pytest.fixture
def browser() -> Iterator[httpx.Client]:
    """A client that follows no redirect by itself."""
    with httpx.Client(timeout=30) as client:
        yield client
