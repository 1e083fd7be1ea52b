"""The audit beside running rules and reporting: it finds what was planted, and nothing where nothing is wrong."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from schemas.events import facts
from schemas.events.reports import ReportFormat, SealedDocument, SealedDocumentPart
from schemas.events.topics import DELIVERIES, FACTS, REPORTS, VERDICTS
from services.console.audit import projection_lag
from services.console.audit.auditor import AuditResult, AuditTarget
from services.console.audit.comparison import Difference
from services.console.audit.log_indexer import LogLostError
from services.console.audit.projection_lag import BehindError
from services.console.audit.run import AuditRequest, AuditRun
from services.console.audit.sealed_audit import SealedAuditResult
from services.console.audit.settings import AuditSettings
from services.console.support.inputs import UnusableInputError
from services.reporting.core.sealing import canonical_json, check_code
from services.reporting.sealing import report_decoder, report_events
from services.reporting.sealing.report_decoder import RecordedSeal
from services.reporting.store import CURRENT
from services.runtime import clock
from tests.support.assertions.eventually import eventually
from tests.support.builders.annual_report import a_key, an_attempt
from tests.support.builders.wire_events import an_acknowledgement_event
from tests.support.clients.readers import ReadersFile
from tests.support.servers.kafka import PARTITIONS, Bus
from tests.support.servers.mongo import Database
from tests.support.servers.services import Launch, Service

PLAN, OBLIGATION, YEAR = "6766-KH-UBND", "annual-results", "2026"
AS_OF = datetime.fromisoformat("2026-12-22T09:00:00+07:00")
RECEIVED = "2026-12-08T10:00:00.000+07:00"
OPENED = datetime.fromisoformat("2026-12-01T08:00:00+07:00")
RECORDED = datetime.fromisoformat(RECEIVED)
Json = dict[str, Any]


class RecordingProgress:
    """Counts the records that an audit reads."""

    def __init__(self) -> None:
        self.records = 0

    def on_records_read(self, count: int) -> None:
        """Add *count*."""
        self.records += count

    def on_agencies_planned(self, count: int) -> None:
        """Ignore it."""

    def on_agency_compared(self) -> None:
        """Ignore it."""


class System:
    """Running rules and reporting, and what a test does to them and asks of the audit."""

    def __init__(self, bus: Bus, database: Database, reporting: Service, rules: Service) -> None:
        self.bus = bus
        self.database = database
        self.reporting = reporting
        self.rules = rules
        self.progress = RecordingProgress()

    async def append(self, *events: Json | bytes) -> None:
        """Append facts to the log and wait until they are assessed and stored."""
        for event in events:
            key = event["subject"] if isinstance(event, dict) else "h-05"
            await self.bus.publish(FACTS.name, event, key=key, recorded_at=RECORDED)
        await self.settle()

    async def settle(self) -> None:
        """Wait until everything in the log is assessed and stored."""
        await self.bus.wait_until_consumed("dondoc-rules", FACTS.name)
        for topic in (VERDICTS.name, DELIVERIES.name):
            await self.bus.wait_until_consumed("dondoc-reporting", topic)

    async def audit_sealed(self, version: int) -> tuple[SealedAuditResult, list[Difference]]:
        """Audit a sealed version of the year."""
        settings = AuditSettings(kafka_bootstrap=self.bus.bootstrap, partitions=PARTITIONS)
        run = AuditRun(settings, AuditRequest(url="http://127.0.0.1:1"))
        found: list[Difference] = []
        try:
            target = AuditTarget(plan=PLAN, period=YEAR)
            return await run.audit_sealed(target, version, self.progress, found.append), found
        finally:
            run.close()

    async def audit(self, state: Path | None = None) -> tuple[AuditResult, list[Difference]]:
        """Audit the year once."""
        settings = AuditSettings(kafka_bootstrap=self.bus.bootstrap, partitions=PARTITIONS, state=state)
        target = AuditTarget(plan=PLAN, period=YEAR)
        found: list[Difference] = []
        self.progress = RecordingProgress()
        run = AuditRun(settings, AuditRequest(url=self.reporting.url, target=target, as_of=AS_OF))
        try:
            (result,) = await run.audit(self.progress, lambda _target, difference: found.append(difference))
        finally:
            run.close()
        return result, found

    @contextmanager
    def forged(self, change: Callable[[Json], None], agency: str = "h-00") -> Iterator[None]:
        """Change the newest stored assessment of an agency's report until the block ends."""
        stored = self.database["assessments"]
        *_, document = stored.find({"agency": agency, "period": YEAR, "obligation": OBLIGATION}).sort("revision")
        event = json.loads(document["record"])
        change(event)
        stored.update_one({"_id": document["_id"]}, {"$set": {"record": json.dumps(event).encode()}})
        yield
        stored.replace_one({"_id": document["_id"]}, document)

    @contextmanager
    def removed(self, collection: str, condition: Mapping[str, Any]) -> Iterator[None]:
        """Remove documents until the block ends."""
        documents = list(self.database[collection].find(condition))
        assert documents
        self.database[collection].delete_many(condition)
        yield
        self.database[collection].insert_many(documents)


@pytest.fixture
async def system(  # noqa: PLR0913, PLR0917 - the whole system
    launch: Launch,
    reporting: Callable[..., Service],
    publish_events: Callable[..., Awaitable[None]],
    bus: Bus,
    database: Database,
    tmp_path: Path,
) -> System:
    """Every duty assessed, a report of each of two agencies, and a reminder of each of two others."""
    clock.steer(tmp_path / "clock", OPENED)
    clock.steer(tmp_path / "reporting-clock", AS_OF)
    steered = reporting(DONDOC_CLOCK=f"steered:{tmp_path / 'reporting-clock'}")
    found = System(bus, database, steered, launch("rules", DONDOC_CLOCK=f"steered:{tmp_path / 'clock'}"))
    await publish_events([an_attempt(a_key(agency)) for agency in ("h-02", "h-03")])

    async def is_adopted() -> bool:
        return len(database["assessments"].distinct("agency", {"period": YEAR})) == 38

    await eventually(is_adopted, "every duty assessed and stored", timeout=60)
    await found.append(a_report("h-00"), a_report("s-00", content={"sections": {}, "indicators": {}}))
    return found


def a_fact(kind: str, event: str, agency: str, **data: Any) -> Json:
    """Build a fact about an agency's report, as intake publishes it."""
    duty = {"plan": PLAN, "obligation": OBLIGATION, "agency": agency}
    return {
        "specversion": "1.0",
        "id": event,
        "source": "test",
        "type": kind,
        "subject": agency,
        "receivedtime": RECEIVED,
        "data": {**duty, **data},
    }


def a_report(agency: str, event: str = "", *, period: str = YEAR, **data: Any) -> Json:
    """Build a report, complete and on time."""
    content = {
        "sections": {"results": "Đã thực hiện.", "proposals": "Không có."},
        "indicators": {"entrusted_local_budget": 1},
    }
    return a_fact(
        facts.SUBMITTED, event or f"report-{agency}", agency, **{"period": period, "content": content, **data}
    )


def facts_of_every_kind() -> list[Json | bytes]:
    """Build facts that touch each other across periods, repeated, contradictory and unreadable ones among them."""
    decision = {"number": "12/QĐ-UBND", "issued_on": "2026-11-20", "signed_by": "Chủ tịch"}
    since, until = "2026-01-01T00:00:00+07:00", "2027-01-01T00:00:00+07:00"
    return [
        a_report("h-04"),
        a_report("h-04", "correction-h-04", corrects="report-h-04"),
        a_report("h-05", period="2025"),
        a_fact(
            facts.REASSIGNED, "m-1", "h-05", submission="report-h-05", from_period="2025", to_period=YEAR, reason="x"
        ),
        a_report("h-06"),
        a_fact(facts.WITHDRAWN, "w-1", "h-06", period=YEAR, withdraws="report-h-06", reason="x"),
        a_fact(facts.EXTENDED, "x-1", "h-07", period=YEAR, due_at="2026-12-20T00:00:00+07:00", decision=decision),
        a_fact(facts.EXEMPTED, "e-1", "h-08", **{"from": since, "until": until}, decision=decision),
        a_fact(facts.REVOKED, "r-1", "h-08", exemption="e-1", due_at="2026-12-30T00:00:00+07:00", decision=decision),
        a_report("h-09", "one-identity", period="2025"),
        a_report("h-09", "one-identity"),
        a_report("h-04"),
        a_report("h-10", "of-an-unknown-obligation", obligation="unheard-of"),
        b"{not json",
    ]


def span_of(event: Json) -> Json:
    """Return the last span of an assessment's timeline."""
    span: Json = event["data"]["timeline"][-1]
    return span


PLANTED: dict[str, Callable[[Json], None]] = {
    "/status": lambda event: span_of(event).update(status="late"),
    "/due_at": lambda event: span_of(event).update(due_at="2026-12-15T00:00:00+07:00"),
    "/due_on": lambda event: span_of(event).update(due_at="2026-12-15T00:00:00+07:00"),
    "/effective_at": lambda event: span_of(event).update(effective_at="2026-12-01T00:00:00+07:00"),
    "/days_late": lambda event: span_of(event).update(status="late", effective_at="2026-12-12T00:00:00+07:00"),
    "/submissions": lambda event: span_of(event).update(submissions=7),
    "/flags/0": lambda event: span_of(event).update(flags=["nil_return"]),
    "/missing/0": lambda event: span_of(event).update(missing=["signed"]),
    "/clause": lambda event: event["data"].update(clause="IX.9"),
    "/assessment": lambda event: event.update(id="forged"),
    "/revision": lambda event: event["data"].update(revision=10_000),
}


async def test_facts_of_every_kind_are_rebuilt_as_they_are_shown(system: System) -> None:
    """Moves, decisions, repetitions, contradictions, poison and an agency that has read an alert give no difference."""
    await system.bus.publish(DELIVERIES.name, an_acknowledgement_event(), key="h-02")
    await system.append(*facts_of_every_kind())
    result, found = await system.audit()
    assert found == []
    assert (result.duties, result.agencies, result.differences, result.unreadable) == (2 * 38, 38, 0, 1)


async def test_a_sealed_version_is_rebuilt_from_the_log_alone(system: System, readers: ReadersFile) -> None:
    """Facts that came later change nothing, reporting is not asked, and a figure that was forged is named."""
    await system.append(*facts_of_every_kind())
    bearer = readers.create("all", name="officer", permits=("seals",))
    headers = {"authorization": f"Bearer {bearer}", "accept-language": "en"}
    async with httpx.AsyncClient(base_url=system.reporting.url, timeout=60, headers=headers) as client:
        path = f"/v1/plans/{PLAN}/periods/{YEAR}/reports"

        async def is_known() -> bool:
            return (await client.get(path)).status_code == 200

        await eventually(is_known, "the officer's key in use")
        assert (await client.post(path, json={"signer": "Nguyễn Văn An"})).status_code == 201
    await system.append(a_report("h-12"), a_report("h-00", "too-late", corrects="report-h-00"))
    system.reporting.stop()
    result, found = await system.audit_sealed(1)
    assert found == []
    assert (result.sealed.version, result.differences, result.figures > 300) == (1, 0, True)
    status = "annual-results/2026/agencies/h-00/status"
    await forge_version(system.bus, 2, {status: {"value": "exempt", "evidence": ["report-h-00"]}})
    result, found = await system.audit_sealed(2)
    sealed = {one["figure"]: one["sealed"] for one in found}
    assert sealed == {status: {"value": "exempt", "evidence": ["report-h-00"]}}
    with pytest.raises(UnusableInputError, match="no version 3"):
        await system.audit_sealed(3)


async def forge_version(bus: Bus, version: int, figures: Json) -> None:
    """Append a version that is sealed as reporting seals, with other *figures* than version 1 has."""
    events = [report_decoder.decode_report_event(record) for record in await bus.records(REPORTS.name)]  # type: ignore[arg-type]  # has what is read
    first = next(one.sealed for one in events if isinstance(one, RecordedSeal))
    parts = [one for one in events if isinstance(one, SealedDocumentPart)]
    document = json.loads(next(one.content for one in parts if one.format is ReportFormat.FIGURES))
    content = canonical_json.encode({**document, "figures": document["figures"] | figures})
    digest = canonical_json.digest_bytes(content)
    entry = SealedDocument(format=ReportFormat.FIGURES, media_type="application/json", size=len(content), sha256=digest)
    changed = {"version": version, "figures_sha256": digest, "documents": (entry,)}
    unchecked = first.model_copy(update=changed)
    sealed = unchecked.model_copy(update={"check_code": check_code.compute_check_code(unchecked)})
    for record in (*report_events.build_parts(sealed, ReportFormat.FIGURES, content), report_events.build_seal(sealed)):
        await bus.publish(REPORTS.name, record.value, key=record.key)


@pytest.mark.chaos
async def test_a_difference_in_any_field_is_found(system: System) -> None:
    """Each field of an assessment, a missing revision, a missing duty, and what is said of alerts."""
    assert (await system.audit())[1] == []
    for field, change in PLANTED.items():
        with system.forged(change):
            _, found = await system.audit()
        assert field in {one["field"] for one in found}, field
        assert {(one["agency"], one["obligation"], one["period"]) for one in found} == {("h-00", OBLIGATION, YEAR)}
    newest = system.database["assessments"].find_one({"agency": "h-00", "period": YEAR}, sort=[("revision", -1)])
    assert newest
    with system.removed("assessments", {"_id": newest["_id"]}):
        assert "/status" in {one["field"] for one in (await system.audit())[1]}
    with system.removed("assessments", {"agency": "s-00", "period": YEAR}):
        (absent,) = (await system.audit())[1]
    assert (absent["field"], absent["rebuilt"], absent["live"]) == ("/", "incomplete", "(absent)")
    with system.removed("alerts", {"duties": str(a_key("h-02"))}):
        fields = {one["field"] for one in (await system.audit())[1]}
    assert {"/urging/reminders", "/urging/channels/email", "/urging/first_urged_at"} <= fields
    assert (await system.audit())[1] == []


async def test_a_duty_of_an_agency_that_is_in_no_registry_is_found(system: System) -> None:
    """What reporting shows and no rebuild knows is a difference too."""
    document = system.database["assessments"].find_one({"agency": "h-00", "period": YEAR, "obligation": OBLIGATION})
    assert document
    record = document["record"].replace(b"h-00", b"h-99")
    stranger = {"_id": document["_id"].replace("h-00", "h-99"), "agency": "h-99", "record": record}
    system.database["assessments"].insert_one({**document, **stranger})
    # The view of what is known now lists the duties; it is made by the same writes.
    view = system.database[CURRENT]
    (shown,) = (one for one in view.find({"period": YEAR, "obligation": OBLIGATION}) if "h-00" in one["_id"])
    newest = {**shown["newest"], "content": shown["newest"]["content"].replace(b"h-00", b"h-99")}
    view.insert_one({**shown, "_id": shown["_id"].replace("h-00", "h-99"), "newest": newest})
    (found,) = (await system.audit())[1]
    assert (found["agency"], found["field"], found["rebuilt"]) == ("h-99", "/", "(absent)")


async def test_the_next_audit_reads_only_what_is_new(system: System, tmp_path: Path) -> None:
    """The index is kept in the file; it is made anew where it is damaged or another version wrote it."""
    state = tmp_path / "audit.sqlite"
    assert (await system.audit(state))[1] == []
    everything = system.progress.records
    await system.append(a_report("h-11"))
    assert (await system.audit(state))[1] == []
    assert (system.progress.records, everything > 1) == (1, True)
    assert state.stat().st_mode & 0o077 == 0
    state.write_bytes(b"not a database" * 1_000)
    assert (await system.audit(state))[1] == []
    assert system.progress.records == everything + 1


async def test_what_nobody_has_read_yet_is_no_difference(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """While rules is behind, an audit waits for it, and then says who is behind instead of calling it a difference."""
    system.rules.stop()
    await system.bus.publish(FACTS.name, a_report("h-12"), key="h-12", recorded_at=RECORDED)
    with monkeypatch.context() as patch:
        patch.setattr(projection_lag, "CATCH_UP_SECONDS", 1.0)
        with pytest.raises(BehindError, match=r"the group dondoc-rules has not read dondoc\.facts\.v1/"):
            await system.audit()
    waiting = asyncio.create_task(system.audit())
    system.rules.launch()
    assert (await waiting)[1] == []


async def test_a_log_that_has_lost_records_is_told_from_a_difference(system: System, tmp_path: Path) -> None:
    """A log that is shorter than what was read of it before is named, not blamed on reporting."""
    state = tmp_path / "audit.sqlite"
    await system.audit(state)
    system.rules.stop()
    await system.bus.recreate_topics(FACTS.name)
    with pytest.raises(LogLostError, match=r"dondoc.facts.v1/\d ends at offset 0, and was read up to \d+ before"):
        await system.audit(state)


@pytest.mark.chaos
async def test_a_schedule_tells_its_outcome_by_metrics(system: System, tmp_path: Path) -> None:
    """A scheduled audit serves what its last run found, logs it, and goes on."""
    with scheduled_audit(system, tmp_path) as service:
        with system.forged(PLANTED["/status"]):
            await eventually(lambda: read_metric(service, "audit_differences") > 0, "a difference told", timeout=60)
        (line, *_) = [line for line in service.log_lines() if line.get("action") == "audit_difference"]
        assert (line["agency"], line["field"], line["level"]) == ("h-00", "/status", "error")
        await eventually(lambda: read_metric(service, "audit_differences") == 0, "agreement told", timeout=60)
        assert read_metric(service, "audit_duties_compared") == 2 * 38
        assert read_metric(service, "audit_last_success_timestamp_seconds") > 0
        assert httpx.get(f"{service.url}/readyz").json() == {"compared": True}


@contextmanager
def scheduled_audit(system: System, folder: Path) -> Iterator[Service]:
    """Run `dondoc audit --every` as a process of its own."""
    clock.steer(folder / "audit-clock", AS_OF)
    environment = {
        "DONDOC_KAFKA_BOOTSTRAP": system.bus.bootstrap,
        "DONDOC_REPORTING_URL": system.reporting.url,
        "DONDOC_CLOCK": f"steered:{folder / 'audit-clock'}",
        "DONDOC_AUDIT_STATE": str(folder / "audit.sqlite"),
        "DONDOC_READER_KEY": os.environ["DONDOC_READER_KEY"],
    }
    service = Service("audit", folder / "audit", environment=environment)
    script = "from services.console.main import main; main()"
    command = (sys.executable, "-c", script, "audit", PLAN, YEAR, "--every", "PT1S")
    service.program = replace(service.program, command=command)
    service.launch()
    try:
        yield service
    finally:
        service.stop()


def read_metric(service: Service, name: str) -> float:
    """Return a metric, -1 while it is not told."""
    try:
        lines = httpx.get(f"{service.url}/metrics").text.splitlines()
    except httpx.TransportError:
        return -1.0
    return next((float(line.split()[1]) for line in lines if line.startswith(f"{name} ")), -1.0)
