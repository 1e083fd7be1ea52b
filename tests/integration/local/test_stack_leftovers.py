"""However the stack ends, it leaves no process behind and the next start works."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from deploy.local.process.pidfile import read
from deploy.local.process.ports import Ports, port_variable
from tests.support.assertions.eventually import eventually
from tests.support.matrix import matrix

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[3]


@pytest.fixture
def environment(tmp_path: Path, jars: Path) -> Mapping[str, str]:
    """A home folder and ports for this test alone."""
    home = tmp_path / "home"
    (home / "kafka").mkdir(parents=True)
    (home / "kafka" / "jars").symlink_to(jars)
    ports = Ports.free()
    own = {port_variable(name): str(getattr(ports, name)) for name in Ports.__dataclass_fields__}
    return {**os.environ, **own, "DONDOC_HOME": str(home)}


@pytest.fixture
def up(environment: Mapping[str, str]) -> Iterator["subprocess.Popen[str]"]:
    """`python -m deploy.local up`, ready."""
    with start_stack(environment) as process:
        yield process
        process.kill()


def start_stack(environment: Mapping[str, str]) -> "subprocess.Popen[str]":
    """Start the stack and read the lines that it prints when all programs are ready."""
    command = [sys.executable, "-m", "deploy.local", "up"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=dict(environment), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("export DONDOC_KAFKA_BOOTSTRAP=")
    return process


def alive(environment: Mapping[str, str]) -> list[str]:
    """Return the programs of the stack that still run."""
    folder = Path(environment["DONDOC_HOME"]) / "stack"
    return [path.stem for path in folder.glob("*.pid") if read(path) is not None]


@pytest.mark.parametrize("number", matrix([signal.SIGKILL, signal.SIGTERM, signal.SIGINT], in_every_run=1))
async def test_no_signal_leaves_a_process_and_the_next_start_works(
    up: "subprocess.Popen[str]", environment: Mapping[str, str], number: signal.Signals
) -> None:
    """SIGTERM, Ctrl-C and kill -9 of the parent all end broker, database, mail server and SMS centre."""
    assert sorted(alive(environment)) == ["kafka", "mongod", "smsc", "smtp"]
    up.send_signal(number)
    up.wait(30)
    await eventually(lambda: not alive(environment), "all programs ended")
    with start_stack(environment) as again:
        again.terminate()
        assert again.wait(30) == 0


def test_a_second_start_in_the_same_folder_is_refused(
    up: "subprocess.Popen[str]", environment: Mapping[str, str]
) -> None:
    """Two stacks never share their data; the running one continues."""
    second = subprocess.run(
        [sys.executable, "-m", "deploy.local", "up"],
        cwd=ROOT, env=dict(environment), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert second.returncode == 2
    assert "runs in" in second.stderr
    assert up.poll() is None
