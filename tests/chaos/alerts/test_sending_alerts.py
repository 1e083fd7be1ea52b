"""Alerts to agencies are held, fail or go out late, and the real Prometheus finds the operators' alerts for it true.

What has to hold for a quarter of an hour is asked of a Prometheus that has known nothing else.
"""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from deploy.local.servers.kafka import Kafka
from deploy.local.servers.message_servers import Smtp
from schemas.events.topics import FACTS
from schemas.plan.plan import Plan
from services.rules.settings import RulesSettings
from tests.support.assertions.eventually import eventually
from tests.support.builders import plans
from tests.support.clients.notifier import DUE, NotifierClient, a_contact
from tests.support.processes.alert_watch import AlertWatch, StartWatch
from tests.support.processes.console_commands import ConsoleCommands
from tests.support.servers.intake import encode_event, open_client
from tests.support.servers.services import Service
from tests.support.tools import needs

BEFORE = DUE - timedelta(days=8, hours=12)  # noon, two days before the first reminders are due
LATER = BEFORE + timedelta(days=2)
FAILING = ("ChannelDown", "RouteOpen")
RETRYING = 'notifier_retrying{channel="email"}'
SECONDS = 120.0

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900), needs("prometheus", package="prometheus")]


def a_plan_that_acknowledges() -> Plan:
    """Return the usual plan, by which agencies are told of a report that has come in, too."""
    reminders = {"before": ["P7D", "P1D"], "notices": ["received"]}
    return plans.a_plan(plans.an_obligation(plans.a_version(reminders=reminders)))


@pytest.fixture
async def season(client: NotifierClient, services: Mapping[str, Service]) -> NotifierClient:
    """The plan is published, each agency has a mailbox, and nothing is due yet."""
    client.set_clock(BEFORE)
    await client.publish_documents(plans.a_registry(), a_plan_that_acknowledges())
    await client.load_contacts(*(a_contact(agency) for agency in plans.AGENCIES))
    for service in services.values():
        service.wait_until_ready()
    await client.wait_until_followed()
    return client


async def test_reminders_that_do_not_go_out_turn_their_alerts_true(  # noqa: PLR0913, PLR0917 - the servers of a whole installation
    season: NotifierClient,
    services: Mapping[str, Service],
    watch: AlertWatch,
    start_watch: StartWatch,
    smtp: Smtp,
    tmp_path: Path,
) -> None:
    """Somebody has stopped them; then the mail server is away, and twenty minutes later it is back."""
    notify = ConsoleCommands(tmp_path, season.settings)
    notifier = services["notifier"]
    await watch.expect_silence("AlertsUnsent", *FAILING, "RemindersLate")
    await notify.run("notify", "stop", "--all", "--author", "A", "--reason", "a test")
    season.set_clock(LATER)
    await _wait_until_above_zero(notifier, "notifier_due_unsent")
    await start_watch().expect("AlertsUnsent")
    smtp.stop()
    await notify.run("notify", "resume", "--all", "--author", "A")
    await _wait_until_above_zero(notifier, RETRYING, 'notifier_route_open{route="smtp"}')
    await start_watch().expect(*FAILING)
    smtp.start()
    season.set_clock(LATER + timedelta(minutes=20))
    await season.wait_for_mails(len(plans.AGENCIES))
    await watch.expect("RemindersLate")


async def test_acknowledgements_that_are_late_or_unpublished_turn_their_alerts_true(  # noqa: PLR0913, PLR0917 - the servers of a whole installation
    season: NotifierClient,
    services: Mapping[str, Service],
    watch: AlertWatch,
    start_watch: StartWatch,
    kafka: Kafka,
    smtp: Smtp,
    bearer: str,
) -> None:
    """Reports come in while the mail server is away; when it is back, the broker hangs."""
    await watch.expect_silence("MailsLate", "DeliveriesUnpublished")
    smtp.stop()
    await _post_reports(services["intake"], bearer)
    await _wait_until_above_zero(services["notifier"], RETRYING)
    await season.bus.wait_until_consumed(RulesSettings().group, FACTS.name)
    await season.wait_until_followed()
    kafka.pause()
    smtp.start()
    season.set_clock(BEFORE + timedelta(minutes=20))
    await _wait_until_above_zero(services["notifier"], "notifier_unpublished")
    await start_watch().expect("DeliveriesUnpublished")
    await watch.expect("MailsLate")
    kafka.resume()
    await watch.expect_silence("DeliveriesUnpublished")


async def _wait_until_above_zero(notifier: Service, *series: str) -> None:
    for one in series:
        await eventually(partial(_is_above_zero, notifier, one), f"{one} above zero", timeout=SECONDS)


def _is_above_zero(notifier: Service, series: str) -> bool:
    return notifier.read_metric(series) > 0


async def _post_reports(intake: Service, bearer: str) -> None:
    """Post the report of each agency."""
    async with open_client(intake, bearer) as sender:
        for agency in plans.AGENCIES:
            report = plans.a_submission(f"s-{agency}", data={"period": "2026", "agency": agency}, subject=agency)
            answer = await sender.post("/v1/events", content=encode_event(report))
            assert answer.status_code == 202, answer.text
