"""One engine and one run of the compose file for all tests of this folder, in the middle of a season."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.containers.engine import ROOT, ComposedSystem, Engine
from tests.support.clients.installed_system import NOW

# Where `prepare.sh` has left the images; `make containers` names the folder.
PREPARED = os.environ.get("DONDOC_TEST_CONTAINERS", "")
ONE_SHOTS = {"mongo-init", "publish", "reporting-key"}


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """The running engine."""
    assert PREPARED, "run `make containers`, which makes the images"
    found = Engine(Path(PREPARED))
    found.start()
    yield found
    found.stop()


@pytest.fixture(scope="session")
def settings(engine: Engine) -> Path:
    """A folder like deploy/docker/settings, in which it is always the same morning."""
    folder = engine.folder / "settings"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "deploy/docker/settings", folder)
    for service in (one for one in folder.iterdir() if one.is_dir()):
        (service / "clock").write_text(NOW, encoding="utf-8")
    with (folder / "every-service.env").open("a", encoding="utf-8") as shared:
        shared.write("DONDOC_CLOCK=steered:/etc/dondoc/clock\n")
    return folder


@pytest.fixture(scope="session")
def system(engine: Engine, settings: Path) -> Iterator[ComposedSystem]:
    """All containers, each of them healthy."""
    found = ComposedSystem(engine, settings)
    found.compose("up", "--detach", "--no-build")
    for service in set(found.services()) - ONE_SHOTS:
        found.wait_until_healthy(service)
    yield found
    found.compose("down", "--volumes")
