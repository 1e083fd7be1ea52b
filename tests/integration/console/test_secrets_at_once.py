"""Several commands change a file of secrets at the same time, and no change is lost."""

import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from services.intake.http import api_keys
from services.intake.receipts import signing

PROCESSES = 4
TURNS = 5

_SCRIPT = """
import sys
from services.console.main import app
from services.console.commands.intake import keys, receipt  # before the signal, so that all begin together
print("ready", flush=True)
sys.stdin.read()
for _ in range(int(sys.argv[1])):
    app(sys.argv[2:], standalone_mode=False)
"""


def run_at_once(environment: dict[str, str], *commands: Sequence[str]) -> None:
    """Run each of *commands* in a process of its own, `TURNS` times, all started by one signal."""
    with ExitStack() as running:
        processes = [running.enter_context(_start_process(environment, command)) for command in commands]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.close()
        for process in processes:
            assert process.stdout is not None
            process.stdout.read()
            assert process.wait(timeout=60) == 0


def _start_process(environment: dict[str, str], command: Sequence[str]) -> subprocess.Popen[str]:
    """Start a process that imports the console and waits until its stdin is closed."""
    arguments = [sys.executable, "-c", _SCRIPT, str(TURNS), *command]
    return subprocess.Popen(arguments, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_keys_made_at_once_are_all_kept(tmp_path: Path) -> None:
    """Each command reads what the one before it wrote, so no key is lost."""
    path = tmp_path / "keys.json"
    create = ["keys", "create", "--system", "qlvb", "--agency", "*", "--keys", str(path)]
    run_at_once({}, *[create] * PROCESSES)
    assert len(api_keys.read_keys(path)) == PROCESSES * TURNS


@pytest.mark.chaos
def test_a_revocation_is_not_undone_by_a_key_made_at_the_same_time(tmp_path: Path) -> None:
    """A revoked key stays revoked, whichever command writes the file next."""
    path = tmp_path / "keys.json"
    create = ["keys", "create", "--system", "qlvb", "--agency", "*", "--keys", str(path)]
    run_at_once({}, create)
    leaked = [key.id for key in api_keys.read_keys(path)]
    run_at_once({}, *(["keys", "revoke", key_id, "--keys", str(path)] for key_id in leaked), create, create)
    revoked = {key.id for key in api_keys.read_keys(path) if key.revoked_at is not None}
    assert revoked == set(leaked)
    assert len(api_keys.read_keys(path)) == 3 * TURNS


@pytest.mark.chaos
def test_signing_keys_rotated_at_once_stay_published(tmp_path: Path) -> None:
    """The public half of every key that ever signed remains, because its receipts must stay verifiable."""
    path = tmp_path / "signing.json"
    run_at_once({"DONDOC_INTAKE_SIGNING_KEYS": str(path)}, *[["receipt", "rotate"]] * PROCESSES)
    assert len({key.thumbprint() for key in signing.load_keys(path)}) == PROCESSES * TURNS
