"""The CloudEvents SDKs of four languages send to a real intake, in every content mode. Run by `make clients`."""

import json
import os
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from schemas.events.topics import FACTS
from tests.support.builders.plans import a_submission
from tests.support.servers.intake import ALIAS, IntakeFiles, publish_plan
from tests.support.servers.kafka import Bus
from tests.support.servers.services import Launch

HERE = Path(__file__).parent
MODES = ("structured", "binary", "batch")

# Where `prepare.sh` has left the SDKs; `make clients` names the folder.
PREPARED = Path(os.environ.get("DONDOC_TEST_CLIENTS", ""))

# What there is in it for each language whose tools are installed.
NEEDED = {
    "Python": "python/cloudevents",
    "JavaScript": "javascript/node_modules/cloudevents",
    "Go": "go/send",
    "Java": "java/Send.class",
}
# All of them where nothing is prepared, so that a run without `make clients` fails and does not pass for want of tests.
LANGUAGES = [one for one, file in NEEDED.items() if (PREPARED / file).exists()] or list(NEEDED)
SOURCE = "//so-tai-chinh.thanh-hoa.example"


def command_of(language: str) -> list[str]:
    """Return the command that runs the program of *language*."""
    match language:
        case "Python":
            return [sys.executable, str(HERE / "python" / "send.py")]
        case "JavaScript":
            return ["node", str(PREPARED / "javascript" / "send.mjs")]
        case "Go":
            return [str(PREPARED / "go" / "send")]
        case _:
            return ["java", "-cp", f"{PREPARED}/java{os.pathsep}{PREPARED}/java/*", "Send"]


def send(command: list[str], events: list[dict[str, Any]]) -> list[str]:
    """Send *events* with a program, and return the status of each request."""
    done = subprocess.run(
        command,
        input=json.dumps(events),
        env={**os.environ, "PYTHONPATH": str(PREPARED / "python"), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "202" in done.stdout, done.stdout
    return [line.split(" ")[0] for line in done.stdout.splitlines() if line]


def an_event(language: str, mode: str, number: int) -> dict[str, Any]:
    """Build an event with letters beyond ASCII in two attributes, one of them decomposed."""
    event = a_submission(event=unicodedata.normalize("NFD", f"số {language} {mode} {number}"), source=SOURCE)
    return {
        **{name: event[name] for name in ("id", "source", "type", "data")},
        "subject": ALIAS,
        "datacontenttype": "application/json",
    }


@pytest.fixture
async def url(bus: Bus, intake_files: IntakeFiles, bearer: str, launch: Launch) -> str:
    """The address of an intake with a published plan, to which *bearer* may post everything."""
    assert bearer
    await publish_plan(bus)
    return f"{launch('intake', **intake_files.environment).url}/v1/events"


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_sdk_sends_in_every_mode(language: str, url: str, bearer: str, bus: Bus) -> None:
    """What was sent is in the log, in NFC and under the permanent id of the agency, however the SDK wrote it."""
    assert (PREPARED / NEEDED[language]).exists(), "run `make clients`, which fetches the SDKs"
    sent = {mode: [an_event(language, mode, number) for number in (1, 2)] for mode in MODES}
    command = [*command_of(language), url, bearer]
    statuses = {mode: send([*command, mode], events) for mode, events in sent.items()}
    assert statuses == {"structured": ["202"] * 2, "binary": ["202"] * 2, "batch": ["202"]}
    records = {record.json["id"]: record.json for record in await bus.records(FACTS.name)}
    for event in (one for events in sent.values() for one in events):
        recorded = records.pop(unicodedata.normalize("NFC", event["id"]))
        data = json.loads(unicodedata.normalize("NFC", json.dumps(event["data"], ensure_ascii=False)))
        assert (recorded["subject"], recorded["data"]) == ("h-mot", data)
    assert records == {}
