"""What the notifier tells those who operate it: what its metrics show at night, and what the officer reads on Monday.

And what a restored ledger sends again.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from schemas.events.topics import VERDICTS
from services.notifier.core.scheduling.routing import OFFICER
from tests.integration.notifier.conftest import Start
from tests.support.assertions.eventually import eventually
from tests.support.builders import plans
from tests.support.clients.notifier import AGENCY, DUE, NotifierClient, a_contact, a_step, an_assessment, an_urging
from tests.support.servers.services import Service

NOW = DUE - timedelta(days=2, hours=12)
ADDRESS = f"van-thu@{AGENCY}.example"
MONDAY = datetime(2026, 12, 14, 1, tzinfo=UTC)  # 08:00 in Viet Nam, the week after the deadline
OFFICER_ADDRESS = "can-bo@bank.example"
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


async def test_the_officer_is_told_once_a_week(notifier: NotifierClient, start: Start, tmp_path: Path) -> None:
    """Two processes and a restart send one digest, and the next week another one."""
    officers = tmp_path / "officers.yaml"
    officers.write_text(f"{plans.PLAN}: {{name: Nguyễn Thị Mẫu, phone: '02373000000', email: {OFFICER_ADDRESS}}}\n")
    notifier.addresses.add(OFFICER_ADDRESS)
    await notifier.publish_documents()
    await notifier.load_contacts(a_contact())
    notifier.set_clock(MONDAY)

    def start_both() -> list[Service]:
        return [start(DONDOC_NOTIFIER_OFFICERS=str(officers)) for _ in range(2)]

    def read_digests() -> list[str]:
        return [str(one["Subject"]) for one in notifier.smtp.mails() if str(one["To"]) == OFFICER_ADDRESS]

    running = start_both()
    await notifier.publish_assessments(an_assessment(an_urging(1)))
    await notifier.wait_for_mails(1)  # the urging itself
    notifier.set_clock(MONDAY.replace(hour=2))
    await eventually(read_digests, "the digest of the week")
    assert read_digests() == ["Tuần 14/12–18/12/2026: 1 việc cần xử lý"]
    for one in running:
        one.stop()
    start_both()
    notifier.set_clock(MONDAY.replace(day=15))
    await notifier.wait_until_idle()
    assert len(read_digests()) == 1
    notifier.set_clock(MONDAY.replace(day=21))
    await eventually(lambda: len(read_digests()) == 2, "the digest of the next week")
    assert OFFICER not in {one.to_agency for one in await notifier.read_attempts()}
    assert AGENCY in {one.to_agency for one in await notifier.read_attempts()}
