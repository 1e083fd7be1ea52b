"""The demo of 2024 on four real services: documents, contacts and keys are there, nothing is posted yet."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.process.ports import Ports
from deploy.local.stack import Stack
from schemas.plan.registry import Registry
from services.console.demo import contacts, story
from services.console.demo.client import Keys
from services.console.demo.story import BEGINS_AT, Story
from services.console.support import inputs, seeding
from services.console.support.local_system import ServicePorts, System
from services.runtime.clock import STEERED, steer

DIRECTORY = Path(__file__).parents[3] / "deploy" / "plans" / "6766-kh-ubnd"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningDemo:
    """A running system on ports of its own, the story to play on it, and the keys and clock to do so."""

    system: System
    story: Story
    registry: Registry
    keys: Keys
    clock: Path


@contextmanager
def a_running_demo(folder: Path, jars: Path) -> Iterator[RunningDemo]:
    """Start the system below *folder* with its clock at the beginning of the story; stop it at the end."""
    clock = folder / "clock"
    steer(clock, BEGINS_AT)
    registry = inputs.read_book(DIRECTORY).registry
    stack = Stack(folder, Ports.free(), jars=jars)
    with System(stack, ServicePorts.free(), clock=f"{STEERED}{clock}", say=print) as system:
        system.start_stack()
        seeding.publish_documents(DIRECTORY, stack.kafka.bootstrap)
        seeding.load_contacts(contacts.contacts(story.addressed(registry)), stack.mongod.url)
        keys = Keys(
            reports=seeding.bearer_for("reports", system.keys_file, now=BEGINS_AT),
            decisions=seeding.bearer_for("decisions", system.keys_file, now=BEGINS_AT, may_decide=True),
        )
        system.start_services()
        yield RunningDemo(system=system, story=story.told(registry), registry=registry, keys=keys, clock=clock)
