"""`dondoc publish` against a real broker: a version is checked, published once and never changes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.process.ports import LOOPBACK, free_ports
from schemas.events.topics import REFERENCES
from services.console.support import publishing
from services.console.support.publishing import HELD, PUBLISHED, REFUSED, UNCHANGED, PublishOutcome
from services.runtime.settings import ServiceSettings
from tests.support.servers.kafka import PARTITIONS, Bus

SOURCE = Path(__file__).parents[3] / "deploy" / "plans" / "6766-kh-ubnd"
DONDOC = str(Path(sys.executable).parent / "dondoc")
REGISTRY_2, PLAN_3 = "registry:thanh-hoa@2", "plan:6766-KH-UBND@3"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Plan 6766 in a folder of this test's own."""
    return Path(shutil.copytree(SOURCE, tmp_path / "plan"))


async def publish(directory: Path, bus: Bus) -> dict[str, str]:
    """Publish what is in *directory* and return what became of each document."""
    return {one.document.key: one.done for one in await outcomes(directory, bus)}


async def outcomes(directory: Path, bus: Bus) -> list[PublishOutcome]:
    """Publish what is in *directory* and return every outcome."""
    versions = publishing.read_versions([directory])
    return await publishing.publish_versions(versions, bus.access, settings=ServiceSettings(partitions=bus.partitions))


async def on_the_bus(bus: Bus) -> list[str]:
    """Return the record keys of what is published, in order."""
    return [(record.key or b"").decode() for record in await bus.records(REFERENCES.name)]


def run(directory: Path, bus: Bus) -> subprocess.CompletedProcess[str]:
    """Run the command itself."""
    environment = {**os.environ, "DONDOC_KAFKA_BOOTSTRAP": bus.bootstrap, "DONDOC_PARTITIONS": str(PARTITIONS)}
    return subprocess.run(
        [DONDOC, "publish", str(directory)], capture_output=True, text=True, env=environment, check=False
    )


def change(file: Path, old: str, new: str) -> None:
    """Write *new* in place of the first *old*."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


async def test_registry_and_plan_go_onto_the_bus_once_under_their_versions(bus: Bus, directory: Path) -> None:
    """The registry is written before the plan that needs its agencies, and publishing again writes nothing."""
    assert await publish(directory, bus) == {REGISTRY_2: PUBLISHED, PLAN_3: PUBLISHED}
    assert await publish(directory, bus) == {REGISTRY_2: UNCHANGED, PLAN_3: UNCHANGED}
    assert await on_the_bus(bus) == [REGISTRY_2, PLAN_3]


async def test_a_published_version_with_other_content_is_refused(bus: Bus, directory: Path) -> None:
    """Neither the changed document nor the one beside it is written."""
    await publish(directory, bus)
    change(directory / "plan.yaml", "recipient: nhcsxh-tinh", "recipient: ubnd-tinh")
    change(directory / "registry.yaml", "version: 2", "version: 3")
    assert await publish(directory, bus) == {"registry:thanh-hoa@3": HELD, PLAN_3: REFUSED}
    assert await on_the_bus(bus) == [REGISTRY_2, PLAN_3]


async def test_the_next_version_stands_beside_the_first_and_no_older_one_follows(bus: Bus, directory: Path) -> None:
    """Old versions stay, because old assessments cite them, and a lower version than the latest is refused."""
    await publish(directory, bus)
    change(directory / "plan.yaml", "version: 3", "version: 5")
    assert (await publish(directory, bus))["plan:6766-KH-UBND@5"] == PUBLISHED
    assert await on_the_bus(bus) == [REGISTRY_2, PLAN_3, "plan:6766-KH-UBND@5"]
    change(directory / "plan.yaml", "version: 5", "version: 4")
    older = (await outcomes(directory, bus))[-1]
    assert older.done == REFUSED
    assert older.reason == "version 5 is published already; versions grow"


async def test_the_command_says_what_it_did_and_refuses_a_faulty_plan(bus: Bus, directory: Path) -> None:
    """Success prints JSON lines and exits 0; a faulty plan is named at its line, exits 1 and writes nothing."""
    change(directory / "plan.yaml", "addressees: [so-ban-nganh, ubnd-huyen]", "addressees: [so-ban-ngan]")
    faulty = run(directory, bus)
    assert faulty.returncode == 1
    assert "unknown group" in faulty.stderr
    assert await on_the_bus(bus) == []
    change(directory / "plan.yaml", "addressees: [so-ban-ngan]", "addressees: [so-ban-nganh, ubnd-huyen]")
    done = run(directory, bus)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f'{{"document": "{REGISTRY_2}", "done": "published"}}',
        f'{{"document": "{PLAN_3}", "done": "published"}}',
    ]


def test_without_a_broker_the_setting_is_named_at_once(directory: Path) -> None:
    """Without a broker the command exits 2 and names the variable to set."""
    lost = run(directory, Bus(f"{LOOPBACK}:{free_ports(1)[0]}"))
    assert lost.returncode == 2
    assert "DONDOC_KAFKA_BOOTSTRAP" in lost.stderr
