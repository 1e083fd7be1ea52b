"""The wheel holds everything that runs: installed in an environment of its own, it is the whole product.

The dependencies are those of this environment, put on the path of the new one: what is tried is our package.
"""

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from services.console.main import COMMANDS
from tests.support.builders import plans
from tests.support.clients.readers import ReadersFile
from tests.support.servers.kafka import PARTITIONS, Bus
from tests.support.servers.mongo import Database
from tests.support.servers.rules import RulesClient
from tests.support.servers.services import Service

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[3]
SERVICES = ("intake", "rules", "notifier", "reporting")
SHIPPED_PLANS = ("6766-kh-ubnd", "09-2019-nd-cp", "01-2024-tt-ttcp-thanh-hoa")
CHECKOUT_ONLY = {"demo", "up"}
COMMAND_SECONDS = 120


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a new environment with the wheel and nothing else of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    # A clone of what is tracked, because a build leaves its traces beside the sources.
    tracked = _run("git", "-C", str(ROOT), "ls-files", "-z").stdout.rstrip("\0").split("\0")
    for name in tracked:
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    pip = (sys.executable, "-m", "pip", "--quiet")
    _run(*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(source))
    _run(sys.executable, "-m", "venv", "--without-pip", str(folder / "environment"))
    python = folder / "environment/bin/python"
    (wheel,) = folder.glob("dondoc-*.whl")
    _run(*pip, "--python", str(python), "install", "--no-deps", "--no-index", str(wheel))
    packages = Path(_run(str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip())
    # A plain path in a .pth file: the .pth files of that folder, which name this checkout, are not followed.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return python


@pytest.fixture
def installed(python: Path, bus: Bus, database: Database, tmp_path: Path) -> Iterator[Mapping[str, Service]]:
    """The four services, started from the installed package."""
    readers = ReadersFile(tmp_path / "readers.json")
    environment = {
        "PYTHONPATH": "",
        "DONDOC_KAFKA_BOOTSTRAP": bus.bootstrap,
        "DONDOC_PARTITIONS": str(PARTITIONS),
        "DONDOC_MONGO_URL": database.url,
        "DONDOC_REPORTING_MONGO_DATABASE": database.name,
        "DONDOC_NOTIFIER_MONGO_DATABASE": f"{database.name}-n",
        "DONDOC_REPORTING_READERS": str(readers.path),
        "DONDOC_READER_KEY": readers.bearer,
        "DONDOC_INTAKE_ATTACHMENTS": str(tmp_path / "attachments"),
        "DONDOC_FORM_KEY": "k" * 32,
    }
    found = {name: Service(name, tmp_path / name, environment=environment) for name in SERVICES}
    for name, service in found.items():
        service.program = replace(service.program, command=(str(python), "-m", f"services.{name}"))
        service.launch()
    yield found
    for service in found.values():
        service.stop()


async def test_the_services_run_from_the_wheel(installed: Mapping[str, Service], bus: Bus, tmp_path: Path) -> None:
    """All four become ready, and what they make of files beside the code is there: pages, styles, fonts, documents."""
    await RulesClient(bus).publish(plans.a_registry(), plans.a_plan())
    for service in installed.values():
        service.wait_until_ready()
    intake, reporting = installed["intake"].url, installed["reporting"].url
    headers = {"authorization": f"Bearer {ReadersFile(tmp_path / 'others.json').bearer}"}
    async with httpx.AsyncClient(timeout=60) as client:
        for url in (f"{intake}/docs", f"{intake}/openapi.json", f"{reporting}/docs", f"{reporting}/openapi.json"):
            assert (await client.get(url)).status_code == 200, url
        # A page of the dashboard for somebody without a key: its template and style sheet are found.
        assert (await client.get(f"{reporting}/", headers=headers)).status_code == 401


def test_the_commands_run_from_the_wheel(python: Path, tmp_path: Path) -> None:
    """Every command explains itself; those that need a checkout say so; the plans that are shipped are in the wheel."""
    console = python.with_name("dondoc")
    helps = _run(str(console), "--help", cwd=tmp_path).stdout
    assert [name for name in COMMANDS if name not in helps] == []
    for name in CHECKOUT_ONLY:
        assert "checkout" in _run(str(console), name, cwd=tmp_path, expected_status=2).stderr
    place = _run(str(python), "-c", "import deploy; print(deploy.__path__[0])", cwd=tmp_path).stdout.strip()
    assert not (Path(place) / "local").exists()
    for name in SHIPPED_PLANS:
        checked = _run(str(console), "check", str(Path(place) / "plans" / name), cwd=tmp_path)
        assert "error" not in checked.stdout
    duties = _run(str(console), "duties", str(Path(place) / "plans/6766-kh-ubnd"), "--period", "2026", cwd=tmp_path)
    assert json.loads(duties.stdout.splitlines()[0])["agency"]
    assert "0.1.0" in _run(str(console), "--version", cwd=tmp_path).stdout
    reads = "from services.reporting.dashboard import manual; print(*manual.read_manual())"
    manual = _run(str(python), "-c", reads, cwd=tmp_path).stdout.split()
    assert manual == ["can-bo", "don-vi", "van-hanh"]


def _run(*command: str, cwd: Path | None = None, expected_status: int = 0) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if name != "PYTHONPATH"
    }  # it may name the checkout
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=COMMAND_SECONDS
    )
    assert done.returncode == expected_status, f"{command}: {done.stdout}{done.stderr}"
    return done
