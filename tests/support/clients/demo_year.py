"""Starts the four real services for the demo's scenario: documents, contacts and keys are there, nothing is posted."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from deploy.local.process.ports import Ports
from deploy.local.stack import Stack
from schemas.plan.registry import Registry
from services.console.demo import run, upstream_keys
from services.console.demo.plan_6766 import scenario
from services.console.demo.plan_6766.scenario import BEGINS_AT, Plan6766Scenario
from services.console.support import inputs, seeding
from services.console.support.local_system import LocalSystem, ServicePorts
from services.reporting.core.access.readers import EVERYTHING, Reader
from services.runtime.clock import STEERED, steer

READER = Reader(id="test", name="test", scope=EVERYTHING)
DIRECTORY = Path(__file__).parents[3] / "deploy" / "plans" / "6766-kh-ubnd"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSystem:
    """A running system on ports of its own, with the scenario and what a run of it needs."""

    system: LocalSystem
    scenario: Plan6766Scenario
    registry: Registry
    keys: Mapping[str, str]
    reporting_http: httpx.Client
    clock: Path


@contextmanager
def start_demo_system(folder: Path, jars: Path) -> Iterator[DemoSystem]:
    """Start the system below *folder* with its clock at the beginning of the scenario; stop it in the end."""
    clock = folder / "clock"
    steer(clock, BEGINS_AT)
    registry = inputs.read_plan_folder(DIRECTORY).registry
    # The tests need no stop of the clock on days without events.
    chosen = replace(scenario.build_scenario(registry), max_step=None)
    stack = Stack(folder, Ports.free(), jars=jars)
    with LocalSystem(stack, ServicePorts.free(), clock=f"{STEERED}{clock}", say=print) as system:
        system.start_stack()
        seeding.publish_documents([DIRECTORY], stack.kafka.bootstrap)
        seeding.load_contacts(chosen.contacts, stack.mongod.url)
        keys = upstream_keys.create_keys(chosen.upstream_systems, system.keys_file, BEGINS_AT)
        system.create_reporting_key(BEGINS_AT)
        reader_key = seeding.load_or_create_reader(READER, system.readers_file, now=BEGINS_AT)
        system.start_services()
        with run.open_reporting(system.reporting.url, reader_key) as reporting_http:
            yield DemoSystem(
                system=system,
                scenario=chosen,
                registry=registry,
                keys=keys,
                reporting_http=reporting_http,
                clock=clock,
            )
