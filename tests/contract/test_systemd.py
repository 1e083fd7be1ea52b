"""The systemd units start what exists, verify, and leave the machine alone."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.tools import needs

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "deploy/systemd"
INSTANCES = ("intake", "rules", "notifier", "reporting", "audit")
EXPOSURE_MAX = 20  # in tenths: systemd calls it "OK" below 2.0 of 10
COMMAND = re.compile(r"^ExecStart=/opt/dondoc/bin/(\S+) (.+)$", flags=re.MULTILINE)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units as they would be installed, with the environment of these tests in the place of /opt/dondoc."""
    folder = tmp_path / "units"
    shutil.copytree(UNITS, folder)
    for unit in folder.rglob("*.*"):
        if unit.is_file():
            text = unit.read_text(encoding="utf-8")
            unit.write_text(text.replace("/opt/dondoc", sys.prefix), encoding="utf-8")
    return folder


@pytest.mark.parametrize("instance", INSTANCES)
def test_a_unit_runs_what_exists(instance: str) -> None:
    """Each instance is the package of a service, or a command of the console."""
    override = UNITS / f"dondoc@{instance}.service.d/command.conf"
    unit = override if override.exists() else UNITS / "dondoc@.service"
    program, arguments = COMMAND.findall(unit.read_text(encoding="utf-8"))[-1]
    if program == "python":
        assert arguments == "-m services.%i"
        assert (ROOT / f"services/{instance}/__main__.py").is_file()
    else:
        assert (program, arguments.split()[0]) == ("dondoc", "audit")


@needs("systemd-analyze", package="systemd")
@pytest.mark.parametrize("instance", INSTANCES)
def test_systemd_finds_nothing_wrong_with_a_unit(installed: Path, instance: str) -> None:
    """No unknown directive, no missing program, nothing that another directive undoes."""
    done = _analyze(installed, "verify", "--man=no", f"dondoc@{instance}.service")
    assert (done.returncode, done.stderr) == (0, "")


@needs("systemd-analyze", package="systemd")
def test_a_service_is_hardly_exposed(installed: Path) -> None:
    """By systemd's own measure of what a taken-over service could still do to the machine."""
    options = ("--offline=true", f"--threshold={EXPOSURE_MAX}", "--no-pager")
    done = _analyze(installed, "security", *options, str(installed / "dondoc@.service"))
    assert done.returncode == 0, done.stdout


def _analyze(units: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SYSTEMD_UNIT_PATH": f"{units}:"}
    command = ["systemd-analyze", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
