"""An injected fault occurs at the given call and changes nothing else of the program."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.faults import fault_plan, faulty_process

ROOT = Path(__file__).parents[4]


def run(fault: str) -> "subprocess.CompletedProcess[str]":
    """Run the JSON tool of the standard library with one fault in a function that it calls."""
    command = [sys.executable, "-m", "tests.support.faults.faulty_process", fault, "--", "json.tool", "--compact"]
    return subprocess.run(command, cwd=ROOT, input="[1]", capture_output=True, text=True, check=False)


def test_a_kill_before_a_call_leaves_it_undone() -> None:
    """The process ends with signal 9, and the body of the call never runs."""
    done = run(fault_plan.kill_before("json", "dump"))
    assert (done.returncode, done.stdout) == (-9, "")


def test_a_fault_planted_at_a_later_call_lets_the_first_pass() -> None:
    """Calls are counted from 1."""
    done = run(fault_plan.kill_before("json", "dump", call=2))
    assert (done.returncode, done.stdout) == (0, "[1]\n")


def test_a_planted_error_is_raised_in_place_of_the_call() -> None:
    """The program gets an OSError that names the function."""
    done = run(fault_plan.raise_before("json", "load"))
    assert done.returncode == 1
    assert "planted in json.load" in done.stderr


def test_a_fault_after_a_call_strikes_when_its_body_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """A coroutine is awaited before the fault occurs."""
    struck: list[str] = []
    monkeypatch.setattr(faulty_process.Fault, "_act", lambda fault: struck.append(fault.name))
    monkeypatch.setattr(asyncio, "sleep", asyncio.sleep)
    faulty_process.inject(faulty_process.parse(fault_plan.kill_after("asyncio", "sleep")))
    asyncio.run(asyncio.sleep(0))
    assert struck == ["sleep"]


@pytest.mark.parametrize("text", ["kill:never:1:json:load", "burn:before:1:json:load", "kill:before:1:json"])
def test_what_is_no_fault_is_refused(text: str) -> None:
    """A misspelt fault is an error in the test instead of a fault that never occurs."""
    with pytest.raises(ValueError, match=r"fault|unpack"):
        faulty_process.parse(text)
