"""The notifier beside a hostile writer: what it cannot read is set aside, and the alerts between go out."""

import pytest

from schemas.events.ids import partition_of
from schemas.events.topics import VERDICTS
from services.notifier import consumer
from services.notifier.settings import GROUP
from tests.integration.notifier.conftest import Start
from tests.support.builders import plans
from tests.support.clients.notifier import NotifierClient, a_contact, a_step, an_assessment
from tests.support.hostile import bus as hostile_bus
from tests.support.hostile import records
from tests.support.servers.kafka import Bus

HOSTILE, GOOD, _ = plans.AGENCIES


@pytest.mark.chaos
async def test_a_hostile_writer_stops_nothing(notifier: NotifierClient, start: Start, bus: Bus) -> None:
    """The corpus on verdicts: the notifier stays ready, sets the unreadable aside, and sends what is good."""
    await notifier.publish_documents()
    await notifier.load_contacts(a_contact(GOOD), a_contact(HOSTILE))
    service = start()
    values = hostile_bus.corpus(records.valid_verdicts, every=5)
    partition = partition_of(HOSTILE, bus.partitions)
    await hostile_bus.publish_all(bus, VERDICTS.name, values, key=HOSTILE, partition=partition)
    await notifier.publish_assessments(an_assessment(a_step(9), agency=GOOD))
    await bus.wait_until_consumed(GROUP, VERDICTS.name, timeout=120)
    refused = hostile_bus.count_refused(consumer.decode_assessment, values)
    # What cites a document that nobody published is set aside as well.
    assert service.read_metric("notifier_dead_letters_total") >= refused > 200
    assert len(await bus.records(VERDICTS.dead_letter)) >= refused
    await notifier.wait_for_mails(1)
    await notifier.wait_until_idle()
    assert GOOD in {one.to_agency for one in await notifier.read_attempts()}
    assert service.is_ready()
