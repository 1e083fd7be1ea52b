"""What the runbook promises of the notifier: what its metrics tell at night, and what a restored ledger says again."""

from datetime import timedelta

import httpx

from schemas.events.topics import VERDICTS
from tests.integration.notifier.conftest import Start
from tests.support.assertions.eventually import eventually
from tests.support.clients.notifier import AGENCY, DUE, Alerts, a_step, an_assessment
from tests.support.servers.services import Service

NOW = DUE - timedelta(days=2, hours=12)
ADDRESS = f"van-thu@{AGENCY}.example"
ANOTHER_GROUP = "dondoc.notifier-2"


async def _told(service: Service, line: str) -> None:
    """Wait until the metrics hold *line*."""
    await eventually(lambda: line in httpx.get(f"{service.url}/metrics").text.splitlines(), line)


async def test_a_delivery_that_waits_for_another_attempt_shows_in_the_metrics(alerts: Alerts, start: Start) -> None:
    """Between two attempts nothing is due, so the gauge of what is due alone would keep silent about a dead channel."""
    alerts.smtp.inject_faults({ADDRESS: [{"rcpt": "452 4.2.2 Mailbox full"}]})
    await alerts.published()
    await alerts.reachable()
    alerts.now_is(NOW)
    service = start()
    await alerts.assessed(an_assessment(a_step(3)))
    await alerts.told(1)
    await _told(service, 'notifier_retrying{channel="email"} 1.0')
    await _told(service, "notifier_due_unsent 0.0")
    await _told(service, 'runtime_check_holds{check="database"} 1.0')
    alerts.now_is(NOW + timedelta(minutes=1))
    await alerts.told(2)
    await _told(service, 'notifier_retrying{channel="email"} 0.0')


async def test_another_group_with_the_same_ledger_says_nothing_twice(alerts: Alerts, start: Start) -> None:
    """After a restore every verdict is heard again; what the ledger knows of stays said."""
    await alerts.published()
    await alerts.reachable()
    alerts.now_is(NOW)
    service = start()
    await alerts.assessed(an_assessment(a_step(7), a_step(3)))
    await alerts.mailed(1)
    await alerts.nothing_left()
    service.stop()
    start(DONDOC_NOTIFIER_GROUP=ANOTHER_GROUP)
    await alerts.bus.caught_up(ANOTHER_GROUP, VERDICTS.name)
    await alerts.nothing_left()
    assert len(alerts.smtp.mails()) == 1


async def test_a_lost_ledger_repeats_only_the_step_that_matters_now(alerts: Alerts, start: Start) -> None:
    """Without a backup an agency gets one message too many, not one for each step of the year."""
    await alerts.published()
    await alerts.reachable()
    alerts.now_is(NOW)
    service = start()
    await alerts.assessed(an_assessment(a_step(30), a_step(14), a_step(7), a_step(3)))
    await alerts.mailed(1)
    await alerts.nothing_left()
    service.stop()
    alerts.database.drop()
    await alerts.reachable()
    start(DONDOC_NOTIFIER_GROUP=ANOTHER_GROUP)
    await alerts.mailed(2)
    await alerts.nothing_left()
    assert len(alerts.smtp.mails()) == 2
    assert [one.step for one in await alerts.told(2)] == ["P3D", "P3D"]
