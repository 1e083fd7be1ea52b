"""The console beside the running system: the report, its proof from the log, what was set aside."""

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
from tests.support.servers.kafka import Bus
from tests.support.servers.mongo import Database
from tests.support.servers.services import Launch, Service

PLAN = "6766-KH-UBND"
AS_OF = "2026-12-22T09:00:00+07:00"

Tell = Callable[..., Awaitable[None]]
Start = Callable[..., Service]
Run = Callable[..., Awaitable["subprocess.CompletedProcess[str]"]]


@pytest.fixture
def run(bus: Bus) -> Run:
    """Run `dondoc` as a person does."""

    async def dondoc(*arguments: str, service: Service | None = None) -> "subprocess.CompletedProcess[str]":
        environment = {**os.environ, "DONDOC_KAFKA_BOOTSTRAP": bus.bootstrap}
        if service is not None:
            environment["DONDOC_REPORTING_URL"] = service.url
        command = [sys.executable, "-c", "from services.console.main import main; main()", *arguments]
        return await asyncio.to_thread(
            subprocess.run, command, env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    return dondoc


def a_report(agency: str) -> dict[str, object]:
    """Build a complete report sent in time, as intake publishes it."""
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


async def test_a_rebuild_from_the_log_agrees_with_the_live_projections_until_somebody_changes_one(  # noqa: PLR0913, PLR0917 - the whole system
    launch: Launch, reporting: Start, tell: Tell, run: Run, bus: Bus, database: Database, tmp_path: Path
) -> None:
    """From the facts and from the verdicts alike; a planted change is found and named."""
    launch("rules")
    service = reporting()
    for agency in ("h-00", "h-01", "s-00"):
        await bus.publish(FACTS.name, a_report(agency), key=agency)
    await tell([an_attempt(a_key("h-02"))])

    async def all_told() -> bool:
        kept = database.documents("assessments")
        owing = {(document["agency"], document["period"]) for document in kept}
        return len(owing) >= 3 * 38 and sum("report-" in str(document["record"]) for document in kept) >= 3

    await eventually(all_told, "every duty assessed and kept", timeout=60)
    for topic in (VERDICTS.name, DELIVERIES.name):
        await bus.caught_up("dondoc-reporting", topic)
    agreed = await run("audit", PLAN, "2026", "--as-of", AS_OF, service=service)
    assert (agreed.returncode, agreed.stdout) == (0, ""), agreed.stdout + agreed.stderr
    assert "38 dated duties, 0 differences" in agreed.stderr

    written = await run("report", PLAN, "2026", "-o", str(tmp_path / "r.pdf"), "--as-of", AS_OF, service=service)
    assert written.returncode == 0, written.stderr
    assert (tmp_path / "r.pdf").read_bytes().startswith(b"%PDF")

    *_, document = database["assessments"].find({"agency": "h-00", "period": "2026"}).sort("revision")
    forged = document["record"].replace(b'"on_time"', b'"late"')
    database["assessments"].update_one({"_id": document["_id"]}, {"$set": {"record": forged}})
    differing = await run("audit", PLAN, "2026", "--as-of", AS_OF, "--format", "jsonl", service=service)
    assert differing.returncode == 1
    fields = {json.loads(line)["field"] for line in differing.stdout.splitlines()}
    assert "/chapters/annual-results|2026/duties/h-00|annual-results|2026/status" in fields


async def test_what_was_set_aside_is_listed_shown_and_sent_again(reporting: Start, run: Run, bus: Bus) -> None:
    """Its reason, its bytes, and one more try that changes nothing where it is still poison."""
    reporting()
    nothing = await run("dead-letters", "list")
    assert (nothing.returncode, nothing.stdout) == (0, "")
    await bus.publish(VERDICTS.name, b"{not json", key="h-00")
    await bus.caught_up("dondoc-reporting", VERDICTS.name)
    listed = await run("dead-letters", "list", "--format", "jsonl")
    (row,) = [json.loads(line) for line in listed.stdout.splitlines()]
    assert (listed.returncode, row["key"]) == (1, "h-00")
    assert "JSON" in row["reason"]
    shown = json.loads((await run("dead-letters", "show", row["name"])).stdout)
    assert shown["value"] == "{not json"
    assert (await run("dead-letters", "show", "verdicts/0/99")).returncode == 2
    again = await run("dead-letters", "replay", row["name"])
    assert json.loads(again.stdout)["sent_to"] == VERDICTS.name
    await bus.caught_up("dondoc-reporting", VERDICTS.name)
    assert [record.value for record in await bus.records(VERDICTS.dead_letter)] == [b"{not json"] * 2


async def test_the_console_says_what_it_cannot_do(reporting: Start, run: Run, tmp_path: Path) -> None:
    """Unusable input ends with code 2 and the remedy."""
    service = reporting()
    unknown = await run("report", "unheard-of", "2026", "-o", str(tmp_path / "r.docx"), service=service)
    assert (unknown.returncode, "unheard-of" in unknown.stderr) == (2, True)
    service.stop()
    away = await run("report", PLAN, "2026", "-o", str(tmp_path / "r.docx"), service=service)
    assert (away.returncode, "does not answer" in away.stderr) == (2, True)
