"""Reporting beside a hostile writer: it stores and draws what it can read, and goes on."""

import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from functools import partial

import httpx
import pytest
from bson import ObjectId

from schemas.events.ids import partition_of, reference_key
from schemas.events.topics import DELIVERIES, FACTS, REFERENCES, VERDICTS
from services.reporting import event_decoder
from services.reporting.current.view import MARKS
from services.reporting.documents.formats import FORMATS
from services.reporting.store import CURRENT
from tests.support.builders import plans
from tests.support.builders.annual_report import AS_OF, a_key, a_revision
from tests.support.hostile import bus as hostile_bus
from tests.support.hostile import records
from tests.support.servers.kafka import Bus
from tests.support.servers.mongo import Database
from tests.support.servers.services import Service

GROUP = "dondoc-reporting"
AGENCY = plans.AGENCIES[0]
DONDOC = (sys.executable, "-c", "from services.console.main import main; main()")
PAGES = (
    "/",
    f"/?plan={plans.PLAN}&period=2026",
    f"/agencies/{AGENCY}",
    "/v1/duties",
    f"/v1/agencies/{AGENCY}",
    "/readyz",
)

Get = Callable[..., Awaitable[httpx.Response]]
PublishEvents = Callable[..., Awaitable[None]]
StartReporting = Callable[..., Service]


async def wait_until_stored(bus: Bus) -> None:
    """Wait until reporting has committed everything."""
    for topic in (VERDICTS.name, DELIVERIES.name, FACTS.name):
        await bus.wait_until_consumed(GROUP, topic, timeout=90)


async def publish_usual_plan(bus: Bus) -> None:
    """Publish the plan and the registry of which the corpus speaks."""
    plan, registry = plans.a_plan(), plans.a_registry()
    for key, document in (
        (reference_key("registry", registry.registry, 1), registry),
        (reference_key("plan", plan.plan, 1), plan),
    ):
        value = document.model_dump_json(by_alias=True).encode()
        await bus.publish(REFERENCES.name, value, key=key, partition=0)


async def test_a_hostile_writer_stops_nothing(
    reporting: StartReporting, publish_events: PublishEvents, get: Get, bus: Bus, database: Database
) -> None:
    """The corpus on all topics: what is unreadable is set aside or counted, the rest is stored, every page is drawn."""
    await publish_usual_plan(bus)
    service = reporting()
    await publish_events([a_revision()])
    verdicts = hostile_bus.corpus(records.valid_verdicts, every=1)
    deliveries = hostile_bus.corpus(records.valid_deliveries, every=3)
    facts = hostile_bus.corpus(records.valid_facts, every=29)
    for topic, values in ((VERDICTS, verdicts), (DELIVERIES, deliveries), (FACTS, facts)):
        await hostile_bus.publish_all(
            bus, topic.name, values, key=AGENCY, partition=partition_of(AGENCY, bus.partitions)
        )
    await publish_events([a_revision(a_key("h-01"))])
    await wait_until_stored(bus)

    refused = {
        "verdicts": hostile_bus.count_refused(event_decoder.decode_verdict, verdicts),
        "deliveries": hostile_bus.count_refused(event_decoder.decode_delivery, deliveries),
        "facts": hostile_bus.count_refused(partial(event_decoder.decode_fact, recorded_at=AS_OF), facts),
    }
    figures = (await get(service, "/metrics")).text
    for name, count in refused.items():
        assert f'reporting_records_unreadable_total{{topic="{name}"}} {float(count)}' in figures
    assert len(await bus.records(VERDICTS.dead_letter)) >= refused["verdicts"] > 1_000
    assert len(await bus.records(DELIVERIES.dead_letter)) >= refused["deliveries"] > 300
    assert await bus.records(FACTS.dead_letter) == []  # rules sets them aside
    stored = {(one["agency"], one["plan"]) for one in database.documents("assessments")}
    assert {("h-00", "6766-KH-UBND"), ("h-01", "6766-KH-UBND"), (AGENCY, plans.PLAN)} <= stored
    await assert_everything_is_drawn(get, service)
    assert "reporting_stored_records_unreadable_total 0.0" in (await get(service, "/metrics")).text


async def assert_everything_is_drawn(get: Get, service: Service) -> None:
    """Every page, every list and every document is answered."""
    reports = [f"/v1/plans/6766-KH-UBND/periods/2026/report.{extension}" for extension in FORMATS]
    for path in (*PAGES, *reports):
        answer = await get(service, path)
        assert answer.status_code == 200, (path, answer.text[:500])


async def test_a_damaged_stored_record_hides_no_other(
    reporting: StartReporting, publish_events: PublishEvents, get: Get, bus: Bus, database: Database
) -> None:
    """A stored record that cannot be read is listed beside the others, on pages and in reports, and it is counted."""
    service = reporting()
    await publish_events([a_revision(), a_revision(a_key("h-01"))])
    await wait_until_stored(bus)
    duty = str(a_key("h-00"))
    (bad,) = [one["_id"] for one in database.documents("assessments") if one["agency"] == "h-00"]
    for damage in (b"garbage", b"", "a text", None, 7):
        database["assessments"].update_one({"_id": bad}, {"$set": {"record": damage}})
        # Of the view what was read is kept until its mark changes.
        database[CURRENT].update_one({"_id": duty}, {"$set": {"newest.content": damage, "last_write": ObjectId()}})
        database[MARKS].update_many({}, {"$set": {"last_write": ObjectId()}})
        found = (await get(service, "/v1/duties", as_of=AS_OF.isoformat())).json()
        assert [one["agency"] for one in found["duties"]] == ["h-01"]
        assert [one["record"] for one in found["unreadable"]] == [duty]
    for path in ("/?plan=6766-KH-UBND&period=2026", "/agencies/h-00"):
        page = await get(service, path)
        assert (page.status_code, duty in page.text) == (200, True)
    for extension in FORMATS:
        path = f"/v1/plans/6766-KH-UBND/periods/2026/report.{extension}"
        assert (await get(service, path)).status_code == 200
    report = (await get(service, "/v1/plans/6766-KH-UBND/periods/2026/report.json", as_of=AS_OF.isoformat())).json()
    assert [one["record"] for one in report["unreadable"]] == [duty]
    # Five lists, two pages and six documents met it, each at least once.
    assert service.read_metric("reporting_stored_records_unreadable_total") >= 13


@pytest.mark.chaos
async def test_the_audit_does_not_die_of_a_hostile_writer(
    reporting: StartReporting, publish_events: PublishEvents, bus: Bus
) -> None:
    """`dondoc audit` compares what can be read, and ends with an answer and not with a traceback."""
    service = reporting()
    await publish_events([a_revision()])
    partition = partition_of(AGENCY, bus.partitions)
    for topic, events in (
        (VERDICTS, records.valid_verdicts),
        (DELIVERIES, records.valid_deliveries),
        (FACTS, records.valid_facts),
    ):
        values = hostile_bus.corpus(events, every=97)
        await hostile_bus.publish_all(bus, topic.name, values, key=AGENCY, partition=partition)
    await wait_until_stored(bus)
    for timestamp in hostile_bus.TIMESTAMPS:
        await hostile_bus.publish_at(bus, FACTS.name, timestamp)
    # No rules run here; the audit waits for them, so their group is committed as if they had read every fact.
    await bus.commit_offsets("dondoc-rules", FACTS.name, await bus.end_offsets(FACTS.name))
    environment = {
        **os.environ,
        "DONDOC_KAFKA_BOOTSTRAP": bus.bootstrap,
        "DONDOC_REPORTING_URL": service.url,
        "DONDOC_PARTITIONS": str(bus.partitions),
    }
    command = [*DONDOC, "audit", "6766-KH-UBND", "2026", "--as-of", AS_OF.isoformat()]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode in {0, 1}, done.stderr
    assert "Traceback" not in done.stderr
    listed = subprocess.run(
        [*DONDOC, "dead-letters", "list"], capture_output=True, text=True, env=environment, check=False
    )
    assert listed.returncode == 1, listed.stderr
