"""What an operator sees of one event on its way through the four services: its delays, its trace, its requests."""

import os
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import httpx
import pytest

from deploy.local.servers.message_servers import Smsc, Smtp
from schemas.events.topics import DELIVERIES, VERDICTS
from tests.support.assertions.eventually import eventually
from tests.support.builders import plans
from tests.support.clients.notifier import AGENCY, NOON, NotifierClient, a_contact
from tests.support.servers.intake import IntakeFiles, encode_event, open_client
from tests.support.servers.kafka import Bus
from tests.support.servers.mongo import Database
from tests.support.servers.services import Launch, Service
from tests.support.servers.span_receiver import SpanReceiver, run_collector, run_small_receiver

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
SPAN_ID = "b7ad6b7169203331"
TRACE = {"traceparent": f"00-{TRACE_ID}-{SPAN_ID}-01", "tracestate": "vendor=1"}
SERVICES = ("intake", "rules", "notifier", "reporting")
NOTHING: dict[str, object] = {"nil_return": False, "figures_as_of": None, "sections": {}, "indicators": {}}
SEASON = "reporting_season_duties"

# Each is counted once the one event has passed.
DELAYS = {
    "rules": "rules_received_to_verdict_seconds_count",
    "notifier": 'notifier_received_to_sent_seconds_count{channel="email"}',
    "reporting": 'reporting_received_to_dashboard_seconds_count{topic="verdicts"}',
}


# What each service exports of the one event, at least.
SPANS = {
    ("dondoc-intake", "intake: receive"),
    ("dondoc-rules", "rules: assess"),
    ("dondoc-notifier", "notifier: send"),
    ("dondoc-reporting", "reporting: store"),
}

# The OpenTelemetry collector, where `make clients` has built it.
COLLECTOR = Path(os.environ.get("DONDOC_TEST_CLIENTS", "")) / "collector" / "collector"


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[SpanReceiver]:
    """A receiver of spans."""
    with run_collector(COLLECTOR, tmp_path) if COLLECTOR.exists() else run_small_receiver() as found:
        yield found


@pytest.fixture
async def client(bus: Bus, database: Database, smtp: Smtp, smsc: Smsc, tmp_path: Path) -> NotifierClient:
    """The usual plan is published and one agency has a mailbox; it is noon on 1 December 2026."""
    found = NotifierClient(bus, database, smtp, smsc, tmp_path / "clock")
    found.set_clock(NOON)
    await found.publish_documents()
    await found.load_contacts(a_contact(AGENCY))
    return found


@pytest.fixture
def services(
    client: NotifierClient, launch: Launch, intake_files: IntakeFiles, bearer: str, receiver: SpanReceiver
) -> Mapping[str, Service]:
    """The four services, ready; the key is there before intake reads its file."""
    assert bearer
    shared = {"DONDOC_CLOCK": f"steered:{client.clock}", "DONDOC_OTLP_ENDPOINT": receiver.endpoint}
    database = {"DONDOC_MONGO_URL": client.database.url}
    own: Mapping[str, Mapping[str, str]] = {
        "intake": intake_files.environment,
        "rules": {},
        "notifier": client.settings,
        "reporting": {**database, "DONDOC_REPORTING_MONGO_DATABASE": f"{client.database.name}-r"},
    }
    started = {name: launch(name, ready=False, **{**own[name], **shared}) for name in SERVICES}
    for service in started.values():
        service.wait_until_ready()
    return started


async def test_one_event_is_seen_all_the_way(
    services: Mapping[str, Service], client: NotifierClient, bearer: str, receiver: SpanReceiver
) -> None:
    """A report that lacks a part leads to a verdict, a mail and its event in one trace, and each way is measured."""
    # Else the first verdict on the report may follow from the adoption of the plan, which belongs to no trace.
    await eventually(partial(_are_all_assessed, client.bus), "every duty of the year to be assessed")
    report = plans.a_submission(data={"period": "2026", "content": NOTHING}, **TRACE)
    async with open_client(services["intake"], bearer) as sender:
        assert (await sender.post("/v1/events", content=encode_event(report))).status_code == 202
    (mail,) = await client.wait_for_mails(1)
    assert {name: mail[name] for name in TRACE} == TRACE
    for topic in (VERDICTS, DELIVERIES):
        (traced,) = await eventually(partial(_read_traced, client.bus, topic.name), f"an event on {topic.name}")
        assert (traced["subject"], traced["tracestate"]) == (AGENCY, "vendor=1")
    for name, series in DELAYS.items():
        await eventually(partial(services[name].read_metric, series), series)
        await eventually(partial(_has_example, services[name]), f"an example of {name}")
    _check_exposition(services)
    await eventually(lambda: _find_spans(receiver) >= SPANS, "a span of each service in the sender's trace")
    # The season of 2026 begins with its first reminder, on the 3rd: until then that of the year before runs.
    reporting = services["reporting"]

    def count_overdue() -> bool:
        return reporting.read_metric(f'{SEASON}{{status="overdue"}}') == len(plans.AGENCIES)

    await eventually(count_overdue, "the season to be counted", timeout=300.0)
    due_at = reporting.read_metric("reporting_season_due_timestamp_seconds")
    assert 8 < (due_at - NOON.timestamp()) / 86_400 < 9


async def _are_all_assessed(bus: Bus) -> bool:
    verdicts = [record.json for record in await bus.records(VERDICTS.name)]
    return {one["subject"] for one in verdicts if one["data"]["period"] == "2026"} == {*plans.AGENCIES}


async def _read_traced(bus: Bus, topic: str) -> list[dict[str, object]]:
    found = [record.json for record in await bus.records(topic)]
    return [event for event in found if event.get("traceparent") == TRACE["traceparent"]]


def _find_spans(receiver: SpanReceiver) -> set[tuple[str, str]]:
    """Return who has exported what of the event, each a child of the sender's span."""
    found = receiver.read()
    assert {(one.trace_id, one.parent_id) for one in found} <= {(TRACE_ID, SPAN_ID)}
    return {(one.service, one.name) for one in found}


def _check_exposition(services: Mapping[str, Service]) -> None:
    """Check that the post was counted, and that every service tells its build and nobody when a series was created."""
    assert services["intake"].read_metric('runtime_http_requests_total{code="2xx",surface="events"}') == 1
    for name, service in services.items():
        content = _read_openmetrics(service)
        assert "dondoc_build_info{" in content, name
        assert "_created" not in content, name


def _has_example(service: Service) -> bool:
    """Whether a histogram of *service* names the trace as an example."""
    return f'trace_id="{TRACE_ID}"' in _read_openmetrics(service)


def _read_openmetrics(service: Service) -> str:
    accept = {"accept": "application/openmetrics-text; version=1.0.0"}
    return httpx.get(f"{service.url}/metrics", headers=accept, timeout=30).text
