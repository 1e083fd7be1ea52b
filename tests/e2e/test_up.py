"""`make up`: everything comes up on its own ports, and however the command ends, no process is left behind."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from deploy.local.process import pidfile
from deploy.local.process.ports import LOOPBACK, free_ports
from tests.support.assertions.eventually import eventually

ROOT = Path(__file__).parents[2]
COMMAND = (str(Path(sys.executable).parent / "dondoc"), "up")
PORTS = (
    *("KAFKA", "KAFKA_CONTROLLER", "MONGO", "SMTP", "MAILBOX", "SMPP"),
    *("INTAKE", "RULES", "NOTIFIER", "REPORTING"),
)
PROCESSES = 8
START_SECONDS = 120.0  # with both cores shared
pytestmark = pytest.mark.timeout(300)


class Up:
    """One run of the command, with its own home and ports."""

    def __init__(self, home: Path, ports: Mapping[str, int]) -> None:
        self.ports = ports
        self._stack = home / "stack"
        self._said = home / "said"
        numbers = {f"DONDOC_{name}_PORT": str(port) for name, port in ports.items()}
        with self._said.open("ab") as said:
            self.child = subprocess.Popen(
                COMMAND, cwd=ROOT, env={**os.environ, **numbers, "DONDOC_HOME": str(home)}, stdout=said, stderr=said
            )

    def said(self) -> str:
        """Return all that it and earlier runs said."""
        return self._said.read_text(encoding="utf-8")

    def is_ready(self, name: str) -> bool:
        """Ask a service itself."""
        return httpx.get(f"http://{LOOPBACK}:{self.ports[name]}/readyz").status_code == httpx.codes.OK

    def running(self) -> list[str]:
        """Name the programs that run."""
        return [path.stem for path in self._stack.glob("*.pid") if pidfile.read(path) is not None]

    async def is_up(self) -> None:
        """Wait until it says so."""
        await eventually(self._is_up, "everything is up", timeout=START_SECONDS)

    async def ended(self) -> int:
        """Wait for its end and return its exit code."""
        await eventually(lambda: self.child.poll() is not None, "the command ended", timeout=60.0)
        return self.child.returncode

    def _is_up(self) -> bool:
        assert self.child.poll() is None, self.said()
        return self.said().count("everything is up") > self.said().count("stopped")


@pytest.fixture
def ports() -> dict[str, int]:
    """Free ports for everything."""
    return dict(zip(PORTS, free_ports(len(PORTS)), strict=True))


@pytest.fixture
def home(tmp_path: Path, jars: Path) -> Path:
    """A home with the broker's jars in it."""
    (tmp_path / "kafka").mkdir()
    (tmp_path / "kafka" / "jars").symlink_to(jars)
    return tmp_path


@pytest.fixture
def runs(home: Path, ports: dict[str, int]) -> Iterator[list[Up]]:
    """The runs of one test; whatever is left of them ends with it."""
    started = [Up(home, ports)]
    yield started
    for one in started:
        one.child.kill()
        one.child.wait()


async def test_it_comes_up_says_where_and_leaves_nothing_behind_on_term(runs: list[Up]) -> None:
    """Every service is ready at the address it names; TERM stops all of it, in good order."""
    (up,) = runs
    await up.is_up()
    for name in ("INTAKE", "RULES", "NOTIFIER", "REPORTING"):
        assert up.is_ready(name)
    assert f"http://{LOOPBACK}:{up.ports['REPORTING']}/" in up.said()
    assert len(up.running()) == PROCESSES
    up.child.send_signal(signal.SIGTERM)
    assert await up.ended() == 0
    assert up.running() == []


async def test_killed_it_leaves_nothing_behind_and_starts_again(runs: list[Up], home: Path) -> None:
    """Not even kill -9 of the command leaves a process or a state that the next start trips over."""
    up = runs[0]
    await up.is_up()
    up.child.kill()
    await eventually(lambda: not up.running(), "every process is gone", timeout=20.0)
    up.child.wait()
    (home / "said").unlink()
    again = Up(home, up.ports)
    runs.append(again)
    await again.is_up()
    assert len(again.running()) == PROCESSES


async def test_a_taken_port_is_named_with_its_variable(home: Path, ports: dict[str, int]) -> None:
    """The message says which port and what to set; nothing stays."""
    with socket.create_server((LOOPBACK, ports["INTAKE"])):
        up = Up(home, ports)
        assert await up.ended() == 2
    assert f"port {ports['INTAKE']} of intake is taken" in up.said()
    assert "DONDOC_INTAKE_PORT" in up.said()
    assert up.running() == []
