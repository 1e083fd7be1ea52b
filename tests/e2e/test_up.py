"""`make up`: everything starts on its own ports, and however the command ends, no process is left behind."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urljoin

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


class UpCommand:
    """One run of `dondoc up` with its own home and ports."""

    def __init__(self, home: Path, ports: Mapping[str, int], **settings: str) -> None:
        self.ports = ports
        self._stack = home / "stack"
        self._output = home / "output"
        numbers = {f"DONDOC_{name}_PORT": str(port) for name, port in ports.items()}
        with self._output.open("ab") as output:
            self.child = subprocess.Popen(
                COMMAND,
                cwd=ROOT,
                env={**os.environ, **settings, **numbers, "DONDOC_HOME": str(home)},
                stdout=output,
                stderr=output,
            )

    def output(self) -> str:
        """Return the output of this run and of earlier ones in the same home."""
        return self._output.read_text(encoding="utf-8")

    def is_ready(self, name: str) -> bool:
        """Return whether the `/readyz` of a service answers 200."""
        return httpx.get(f"http://{LOOPBACK}:{self.ports[name]}/readyz").status_code == httpx.codes.OK

    def running_programs(self) -> list[str]:
        """Return the names of the programs that run."""
        return [path.stem for path in self._stack.glob("*.pid") if pidfile.read(path) is not None]

    def environment_of(self, name: str) -> dict[str, str]:
        """Return the environment of a running program."""
        pid = pidfile.read(self._stack / f"{name}.pid")
        pairs = Path(f"/proc/{pid}/environ").read_text(encoding="utf-8").split("\0")
        return dict(pair.split("=", 1) for pair in pairs if "=" in pair)

    async def wait_until_up(self) -> None:
        """Wait until the command says that everything is up."""
        await eventually(self._is_up, "everything is up", timeout=START_SECONDS)

    async def wait_for_exit(self) -> int:
        """Wait for the end of the command and return its exit code."""
        await eventually(lambda: self.child.poll() is not None, "the command ended", timeout=60.0)
        return self.child.returncode

    def _is_up(self) -> bool:
        assert self.child.poll() is None, self.output()
        return self.output().count("everything is up") > self.output().count("stopped")


@pytest.fixture
def ports() -> dict[str, int]:
    """Free ports for every program, by the name of their variable."""
    return dict(zip(PORTS, free_ports(len(PORTS)), strict=True))


@pytest.fixture
def home(tmp_path: Path, jars: Path) -> Path:
    """A home that has the broker's jars already."""
    (tmp_path / "kafka").mkdir()
    (tmp_path / "kafka" / "jars").symlink_to(jars)
    return tmp_path


@pytest.fixture
def runs(home: Path, ports: dict[str, int]) -> Iterator[list[UpCommand]]:
    """The runs of one test; a command that still runs at its end is killed."""
    started = [UpCommand(home, ports)]
    yield started
    for one in started:
        one.child.kill()
        one.child.wait()


async def test_it_comes_up_says_where_and_leaves_nothing_behind_on_term(runs: list[UpCommand]) -> None:
    """Every service is ready at the address that the command prints, and TERM stops every process with exit code 0."""
    (up,) = runs
    await up.wait_until_up()
    for name in ("INTAKE", "RULES", "NOTIFIER", "REPORTING"):
        assert up.is_ready(name)
    (link,) = re.findall(rf"dashboard +(http://{LOOPBACK}:{up.ports['REPORTING']}/open\S+)", up.output())
    with httpx.Client() as browser:
        assert browser.get(link).status_code == httpx.codes.OK
        assert browser.get(urljoin(link, "/agencies/so-tc")).status_code == httpx.codes.OK
    assert len(up.running_programs()) == PROCESSES
    up.child.send_signal(signal.SIGTERM)
    assert await up.wait_for_exit() == 0
    assert up.running_programs() == []


async def test_secrets_and_mails_are_nobody_else_s(home: Path, ports: dict[str, int]) -> None:
    """No file of the stack can be read by others, and a service holds no secret that it has no use for."""
    shell = {
        "DONDOC_FORM_KEY": "f" * 40,
        "DONDOC_NOTIFIER_SMTP_PASSWORD": "s" * 40,
        "DONDOC_NOTIFIER_SMPP_PASSWORD": "dondoc",
        "DONDOC_KEY": "k" * 40,
        "AWS_SECRET_ACCESS_KEY": "a" * 40,
    }
    (home / "stack").mkdir(mode=0o755)
    up = UpCommand(home, ports, **shell)
    try:
        await up.wait_until_up()
        files = [path for path in (home / "stack").rglob("*") if not path.is_symlink()]
        assert len(files) > 100
        assert [path for path in (home / "stack", *files) if path.stat().st_mode & 0o077] == []
        held = {name: up.environment_of(name) for name in ("intake", "rules", "notifier", "reporting", "smtp", "kafka")}
        form_key = (home / "stack" / "form.key").read_text()
        for name, environment in held.items():
            assert form_key not in environment.values(), name
            given = {variable for variable in shell if environment.get(variable)}
            allowed = {"notifier": {"DONDOC_NOTIFIER_SMTP_PASSWORD", "DONDOC_NOTIFIER_SMPP_PASSWORD"}}
            assert given <= allowed.get(name, {"AWS_SECRET_ACCESS_KEY"} if name == "intake" else set()), name
        assert {name for name, one in held.items() if one.get("DONDOC_FORM_KEY_FILE")} == {"intake", "notifier"}
        assert {name for name, one in held.items() if one.get("DONDOC_DASHBOARD_KEY_FILE")} == {"notifier", "reporting"}
        assert {name for name, one in held.items() if one.get("DONDOC_INTAKE_SIGNING_KEYS")} == {"intake"}
    finally:
        up.child.send_signal(signal.SIGTERM)
        assert await up.wait_for_exit() == 0


@pytest.mark.chaos
async def test_killed_it_leaves_nothing_behind_and_starts_again(runs: list[UpCommand], home: Path) -> None:
    """After kill -9 of the command every process ends by itself, and the next run starts without help."""
    up = runs[0]
    await up.wait_until_up()
    up.child.kill()
    await eventually(lambda: not up.running_programs(), "every process is gone", timeout=20.0)
    up.child.wait()
    (home / "output").unlink()
    again = UpCommand(home, up.ports)
    runs.append(again)
    await again.wait_until_up()
    assert len(again.running_programs()) == PROCESSES


async def test_a_taken_port_is_named_with_its_variable(home: Path, ports: dict[str, int]) -> None:
    """A port that is in use exits 2 and names the port and its variable, and no process is left."""
    with socket.create_server((LOOPBACK, ports["INTAKE"])):
        up = UpCommand(home, ports)
        assert await up.wait_for_exit() == 2
    assert f"port {ports['INTAKE']} of intake is taken" in up.output()
    assert "DONDOC_INTAKE_PORT" in up.output()
    assert up.running_programs() == []
