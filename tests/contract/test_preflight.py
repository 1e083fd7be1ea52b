"""The messages of the preflight check when the machine lacks something."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PREFLIGHT = ROOT / "deploy/local/preflight.sh"
TOOLS = ("bash", "env", "sed", "head", "id")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A search path with a shell, a package manager and Python, and nothing else."""
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found, tool
        (tmp_path / tool).symlink_to(found)
    add(tmp_path, "apt-get", "exit 0")
    (tmp_path / "python3").symlink_to(sys.executable)
    return tmp_path


def add(machine: Path, name: str, script: str) -> None:
    """Put a program of that name on the machine."""
    path = machine / name
    path.write_text(f"#!/usr/bin/env bash\n{script}\n")
    path.chmod(0o755)


def preflight(machine: Path, *besides: str) -> subprocess.CompletedProcess[str]:
    """Run the check as `make` does."""
    return subprocess.run(
        [machine / "bash", PREFLIGHT, *besides], env={"PATH": str(machine)}, capture_output=True, text=True, check=False
    )


def test_all_that_is_missing_is_named_at_once_with_the_command_that_brings_it(machine: Path) -> None:
    """A newcomer copies one line."""
    done = preflight(machine)
    assert done.returncode == 2
    assert "a Java 17 or newer runtime" in done.stderr
    assert "apt-get install -y openjdk-17-jre-headless maven" in done.stderr


def test_an_old_java_is_not_enough(machine: Path) -> None:
    """The version found is named."""
    add(machine, "java", """echo 'openjdk version "11.0.2" 2019-01-15' >&2""")
    add(machine, "mvn", "exit 0")
    done = preflight(machine)
    assert "java is 11" in done.stderr
    assert "maven" not in done.stderr


def test_an_old_python_is_not_enough(machine: Path) -> None:
    """Python 3.11 is the least."""
    (machine / "python3").unlink()
    add(machine, "python3", '[ "$1" = -V ] && echo "Python 3.9.2"; exit 1')
    assert "python3 is Python 3.9.2" in preflight(machine).stderr


@pytest.mark.parametrize("version", [None, "1.18.1"])
def test_only_chaos_needs_go_and_says_so(machine: Path, version: str | None) -> None:
    """Demo and gates do without; where it is missing or too old, the same one line brings it."""
    add(machine, "java", """echo 'openjdk version "21" 2023-09-19' >&2""")
    add(machine, "mvn", "exit 0")
    if version:
        add(machine, "go", f"echo go version go{version} linux/amd64")
    assert preflight(machine).returncode == 0
    done = preflight(machine, "go")
    assert done.returncode == 2
    assert "make chaos needs Go: it builds Toxiproxy" in done.stderr
    assert "apt-get install -y golang-go" in done.stderr


@pytest.mark.parametrize("version", ["1.19", "1.26.8"])
def test_a_go_from_1_19_on_is_enough_for_chaos(machine: Path, version: str) -> None:
    """Debian 12 has 1.19."""
    add(machine, "java", """echo 'openjdk version "21" 2023-09-19' >&2""")
    add(machine, "mvn", "exit 0")
    add(machine, "go", f"echo go version go{version} linux/amd64")
    assert preflight(machine, "go").returncode == 0


def test_a_machine_with_everything_passes_in_silence(machine: Path) -> None:
    """Nothing is said where nothing is missing."""
    add(machine, "java", """echo 'openjdk version "21" 2023-09-19' >&2""")
    add(machine, "mvn", "exit 0")
    done = preflight(machine)
    assert (done.returncode, done.stderr) == (0, "")
