"""What the runbook promises of the notifier: what its metrics show at night, and what a restored ledger sends again."""

from datetime import timedelta

import httpx

from schemas.events.topics import VERDICTS
from tests.integration.notifier.conftest import Start
from tests.support.assertions.eventually import eventually
from tests.support.clients.notifier import AGENCY, DUE, NotifierClient, a_step, an_assessment
from tests.support.servers.services import Service

NOW = DUE - timedelta(days=2, hours=12)
ADDRESS = f"van-thu@{AGENCY}.example"
ANOTHER_GROUP = "dondoc.notifier-2"


async def _wait_for_metric(service: Service, line: str) -> None:
    """Wait until the metrics hold *line*."""
    await eventually(lambda: line in httpx.get(f"{service.url}/metrics").text.splitlines(), line)


async def test_a_delivery_that_waits_for_another_attempt_shows_in_the_metrics(
    notifier: NotifierClient, start: Start
) -> None:
    """Between two attempts nothing is due, so `notifier_due_unsent` alone would not show a dead channel."""
    notifier.smtp.inject_faults({ADDRESS: [{"rcpt": "452 4.2.2 Mailbox full"}]})
    await notifier.publish_documents()
    await notifier.load_contacts()
    notifier.set_clock(NOW)
    service = start()
    await notifier.publish_assessments(an_assessment(a_step(3)))
    await notifier.wait_for_attempts(1)
    await _wait_for_metric(service, 'notifier_retrying{channel="email"} 1.0')
    await _wait_for_metric(service, "notifier_due_unsent 0.0")
    await _wait_for_metric(service, 'runtime_check_holds{check="database"} 1.0')
    notifier.set_clock(NOW + timedelta(minutes=1))
    await notifier.wait_for_attempts(2)
    await _wait_for_metric(service, 'notifier_retrying{channel="email"} 0.0')


async def test_another_group_with_the_same_ledger_sends_nothing_twice(notifier: NotifierClient, start: Start) -> None:
    """After a restore every verdict is read again, and what the ledger knows is not sent again."""
    await notifier.publish_documents()
    await notifier.load_contacts()
    notifier.set_clock(NOW)
    service = start()
    await notifier.publish_assessments(an_assessment(a_step(7), a_step(3)))
    await notifier.wait_for_mails(1)
    await notifier.wait_until_idle()
    service.stop()
    start(DONDOC_NOTIFIER_GROUP=ANOTHER_GROUP)
    await notifier.bus.wait_until_consumed(ANOTHER_GROUP, VERDICTS.name)
    await notifier.wait_until_idle()
    assert len(notifier.smtp.mails()) == 1


async def test_a_lost_ledger_repeats_nothing_under_another_group_either(notifier: NotifierClient, start: Start) -> None:
    """Without ledger and offsets it looks like a first start; what was sent is in the deliveries all the same."""
    await notifier.publish_documents()
    await notifier.load_contacts()
    notifier.set_clock(NOW)
    service = start()
    await notifier.publish_assessments(an_assessment(a_step(30), a_step(14), a_step(7), a_step(3)))
    await notifier.wait_for_mails(1)
    await notifier.wait_until_idle()
    service.stop()
    notifier.database.drop()
    await notifier.load_contacts()
    start(DONDOC_NOTIFIER_GROUP=ANOTHER_GROUP)
    await notifier.bus.wait_until_consumed(ANOTHER_GROUP, VERDICTS.name)
    await notifier.wait_until_idle()
    assert len(notifier.smtp.mails()) == 1
    assert [one.step for one in await notifier.read_attempts()] == ["P3D"]
