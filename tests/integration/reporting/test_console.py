"""The console beside a running reporting: the commands `report`, `audit` and `dead-letters`."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from schemas.events.facts import SUBMITTED
from schemas.events.topics import DELIVERIES, FACTS, VERDICTS
from tests.support.assertions.eventually import eventually
from tests.support.builders.annual_report import a_key, an_attempt
from tests.support.clients.readers import ReadersFile
from tests.support.servers.kafka import Bus
from tests.support.servers.mongo import Database
from tests.support.servers.services import Launch, Service

PLAN = "6766-KH-UBND"
AS_OF = "2026-12-22T09:00:00+07:00"

PublishEvents = Callable[..., Awaitable[None]]
StartReporting = Callable[..., Service]
RunDondoc = Callable[..., Awaitable["subprocess.CompletedProcess[str]"]]


@pytest.fixture
def run_dondoc(bus: Bus, readers: ReadersFile) -> RunDondoc:
    """Return a function that runs the command `dondoc` in a process of its own."""

    async def dondoc(*arguments: str, service: Service | None = None) -> "subprocess.CompletedProcess[str]":
        environment = {**os.environ, "DONDOC_KAFKA_BOOTSTRAP": bus.bootstrap, "DONDOC_READER_KEY": readers.bearer}
        if service is not None:
            environment["DONDOC_REPORTING_URL"] = service.url
        command = [sys.executable, "-c", "from services.console.main import main; main()", *arguments]
        return await asyncio.to_thread(
            subprocess.run, command, env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    return dondoc


def a_report(agency: str) -> dict[str, object]:
    """Build the fact of a complete report sent on time, as intake publishes it."""
    return {
        "specversion": "1.0",
        "id": f"report-{agency}",
        "source": "test",
        "type": SUBMITTED,
        "subject": agency,
        "receivedtime": "2026-12-08T10:00:00.000+07:00",
        "data": {
            "plan": PLAN,
            "obligation": "annual-results",
            "period": "2026",
            "agency": agency,
            "content": {
                "sections": {"results": "Đã thực hiện.", "proposals": "Không có."},
                "indicators": {"entrusted_local_budget": 1},
            },
        },
    }


@pytest.mark.chaos
async def test_a_rebuild_from_the_log_agrees_with_the_live_projections_until_somebody_changes_one(  # noqa: PLR0913, PLR0917 - the whole system
    launch: Launch,
    reporting: StartReporting,
    publish_events: PublishEvents,
    run_dondoc: RunDondoc,
    bus: Bus,
    database: Database,
    tmp_path: Path,
) -> None:
    """The rebuild agrees with reporting; a forged document is found and named."""
    launch("rules")
    service = reporting()
    for agency in ("h-00", "h-01", "s-00"):
        await bus.publish(FACTS.name, a_report(agency), key=agency)
    await publish_events([an_attempt(a_key("h-02"))])

    async def is_everything_stored() -> bool:
        stored = database.documents("assessments")
        owing = {(document["agency"], document["period"]) for document in stored}
        return len(owing) >= 3 * 38 and sum("report-" in str(document["record"]) for document in stored) >= 3

    await eventually(is_everything_stored, "every duty assessed and stored", timeout=60)
    for topic in (VERDICTS.name, DELIVERIES.name):
        await bus.wait_until_consumed("dondoc-reporting", topic)
    agreed = await run_dondoc("audit", PLAN, "2026", "--as-of", AS_OF, service=service)
    assert (agreed.returncode, agreed.stdout) == (0, ""), agreed.stdout + agreed.stderr
    assert "76 duties of 38 agencies, 0 differences" in agreed.stderr

    written = await run_dondoc("report", PLAN, "2026", "-o", str(tmp_path / "r.pdf"), "--as-of", AS_OF, service=service)
    assert written.returncode == 0, written.stderr
    assert (tmp_path / "r.pdf").read_bytes().startswith(b"%PDF")

    *_, document = database["assessments"].find({"agency": "h-00", "period": "2026"}).sort("revision")
    forged = document["record"].replace(b'"on_time"', b'"late"')
    database["assessments"].update_one({"_id": document["_id"]}, {"$set": {"record": forged}})
    differing = await run_dondoc("audit", PLAN, "2026", "--as-of", AS_OF, "--format", "jsonl", service=service)
    assert differing.returncode == 1
    rows = [json.loads(line) for line in differing.stdout.splitlines()]
    duty = {"plan": PLAN, "agency": "h-00", "obligation": "annual-results", "period": "2026"}
    assert {**duty, "field": "/status", "rebuilt": "on_time", "live": "late"} in rows


async def test_what_was_set_aside_is_listed_shown_and_sent_again(
    reporting: StartReporting, run_dondoc: RunDondoc, bus: Bus
) -> None:
    """A dead letter is listed with its reason and shown with its bytes; sent again, it is set aside again."""
    reporting()
    nothing = await run_dondoc("dead-letters", "list")
    assert (nothing.returncode, nothing.stdout) == (0, "")
    await bus.publish(VERDICTS.name, b"{not json", key="h-00")
    await bus.wait_until_consumed("dondoc-reporting", VERDICTS.name)
    listed = await run_dondoc("dead-letters", "list", "--format", "jsonl")
    (row,) = [json.loads(line) for line in listed.stdout.splitlines()]
    assert (listed.returncode, row["key"]) == (1, "h-00")
    assert "JSON" in row["reason"]
    shown = json.loads((await run_dondoc("dead-letters", "show", row["name"])).stdout)
    assert shown["value"] == "{not json"
    assert (await run_dondoc("dead-letters", "show", "verdicts/0/99")).returncode == 2
    again = await run_dondoc("dead-letters", "replay", row["name"])
    assert json.loads(again.stdout)["sent_to"] == VERDICTS.name
    await bus.wait_until_consumed("dondoc-reporting", VERDICTS.name)
    assert [record.value for record in await bus.records(VERDICTS.dead_letter)] == [b"{not json"] * 2


async def test_the_console_says_what_it_cannot_do(
    reporting: StartReporting, run_dondoc: RunDondoc, tmp_path: Path
) -> None:
    """A command that cannot do its work ends with exit code 2 and says why."""
    service = reporting()
    unknown = await run_dondoc("report", "unheard-of", "2026", "-o", str(tmp_path / "r.docx"), service=service)
    assert (unknown.returncode, "unheard-of" in unknown.stderr) == (2, True)
    service.stop()
    away = await run_dondoc("report", PLAN, "2026", "-o", str(tmp_path / "r.docx"), service=service)
    assert (away.returncode, "does not answer" in away.stderr) == (2, True)
