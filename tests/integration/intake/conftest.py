"""Intake as a process on the real broker, with a published plan and a key that may do everything."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.runtime import clock
from tests.support.form import NOW, SECRET, Site, publish_form_plan
from tests.support.intake import Desk, publish_plan, sender
from tests.support.kafka import Bus
from tests.support.services import Launch, Service


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """An empty desk."""
    return Desk(folder=tmp_path)


@pytest.fixture
def bearer(desk: Desk) -> str:
    """A key that may do everything, there before intake starts."""
    return desk.key()


@pytest.fixture
async def published(bus: Bus) -> Bus:
    """The bus with a plan and a registry on it."""
    await publish_plan(bus)
    return bus


@pytest.fixture
def start_intake(published: Bus, desk: Desk, bearer: str, launch: Launch) -> Callable[..., Service]:
    """Start an intake, or another replica, once the plan is published and the first key made."""
    assert published.bootstrap
    assert bearer

    def start(**settings: Any) -> Service:
        return launch("intake", **{**desk.environment, **settings})

    return start


@pytest.fixture
def intake(start_intake: Callable[..., Service]) -> Service:
    """One intake, ready."""
    return start_intake()


@pytest.fixture
async def client(intake: Service, bearer: str) -> AsyncIterator[httpx.AsyncClient]:
    """A sender with the key."""
    async with sender(intake, bearer) as own:
        yield own


@pytest.fixture
async def site(bus: Bus, desk: Desk, launch: Launch, tmp_path: Path) -> Site:
    """The form, with rules to ask, on 1 December 2026."""
    await publish_form_plan(bus)
    steered = tmp_path / "clock"
    clock.steer(steered, NOW)
    shared = {"DONDOC_CLOCK": f"steered:{steered}", "DONDOC_FORM_KEY": SECRET}
    rules = launch("rules", **shared)
    intake = launch(
        "intake",
        **desk.environment,
        **shared,
        DONDOC_INTAKE_RULES_URL=rules.url,
        DONDOC_INTAKE_ATTACHMENTS=str(tmp_path / "attachments"),
        DONDOC_INTAKE_FORM_MAX_BYTES=str(2 * 1024 * 1024),
    )
    return Site(intake=intake, bus=bus, clock=steered, attachments=tmp_path / "attachments")
