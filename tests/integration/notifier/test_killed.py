"""Killed anywhere between its writes, the notifier loses no alert, and records what it may have sent twice."""

from collections import Counter
from datetime import timedelta

import pytest

from schemas.events.deliveries import AttemptOutcome, Channel
from schemas.events.topics import VERDICTS
from services.notifier.settings import GROUP
from tests.integration.notifier.conftest import Start
from tests.support.builders import plans
from tests.support.clients.notifier import DUE, NotifierClient, a_contact, a_step, an_assessment
from tests.support.faults import fault_plan
from tests.support.matrix import matrix

NOW = DUE - timedelta(days=6, hours=12)
LEDGER = "services.notifier.ledger"
STORE = "services.notifier.dispatch.store"
DISPATCHER = "services.notifier.dispatch.dispatcher"
EMAIL = "services.notifier.channels.email"
SMS = "services.notifier.channels.sms_smpp"

BEFORE_THE_SEND = {
    "before the schedule is written": fault_plan.kill_before(LEDGER, "Ledger.put_schedules"),
    "after the schedule, before the offset": fault_plan.kill_after(LEDGER, "Ledger.put_schedules"),
    "before the deliveries are created": fault_plan.kill_before(LEDGER, "Ledger.complete_batch"),
    "after the deliveries are created": fault_plan.kill_after(LEDGER, "Ledger.complete_batch"),
    "after the claim": fault_plan.kill_before(DISPATCHER, "Dispatcher._drop_uncalled_alerts"),
    "before the begin": fault_plan.kill_before(STORE, "DeliveryStore.begin"),
    "before the first send": fault_plan.kill_before(EMAIL, "EmailChannel.send"),
}
AFTER_THE_SEND = {
    "after the record": fault_plan.kill_after(STORE, "DeliveryStore.record"),
    "before the outbox is cleared": fault_plan.kill_before(STORE, "DeliveryStore.clear_published_events"),
    "after the outbox is cleared": fault_plan.kill_after(STORE, "DeliveryStore.clear_published_events"),
}


@pytest.mark.parametrize("fault", matrix(list(BEFORE_THE_SEND.values()), in_every_run=2), ids=BEFORE_THE_SEND)
async def test_killed_before_the_send_it_sends_once_afterwards(
    notifier: NotifierClient, start: Start, fault: str
) -> None:
    """Two agencies have one mail each in the end, whatever the ledger held when the process died."""
    await _kill_and_restart(notifier, start, fault)
    await notifier.wait_for_mails(2)
    await notifier.wait_until_idle()
    assert Counter(str(mail["To"]) for mail in notifier.smtp.mails()) == {
        f"van-thu@{agency}.example": 1 for agency in plans.AGENCIES[:2]
    }
    delivered = [one for one in await notifier.wait_for_attempts(2) if one.outcome is AttemptOutcome.ACCEPTED]
    assert len(delivered) == len({one.alert for one in delivered}) == 2


@pytest.mark.parametrize("fault", AFTER_THE_SEND.values(), ids=AFTER_THE_SEND)
async def test_killed_after_the_record_it_sends_nothing_again(
    notifier: NotifierClient, start: Start, fault: str
) -> None:
    """A recorded attempt is not made again; its event is published, perhaps twice under the same id."""
    await _kill_and_restart(notifier, start, fault, agencies=1)
    await notifier.wait_for_mails(1)
    await notifier.wait_until_idle()
    assert len(notifier.smtp.mails()) == 1
    assert [(one.outcome, one.attempt) for one in await notifier.wait_for_attempts(1)] == [(AttemptOutcome.ACCEPTED, 1)]


async def test_a_mail_of_unknown_outcome_is_sent_again_under_the_same_message_id(
    notifier: NotifierClient, start: Start
) -> None:
    """After a kill between the server's answer and the record, both attempts are recorded, with one Message-ID."""
    await notifier.load_contacts()
    await _kill_and_restart(notifier, start, fault_plan.kill_after(EMAIL, "EmailChannel.send"), agencies=1)
    first, second = await notifier.wait_for_mails(2)
    await notifier.wait_until_idle()
    attempts = await notifier.wait_for_attempts(2)
    assert first["Message-ID"] == second["Message-ID"]
    assert [(one.attempt, one.outcome) for one in attempts] == [
        (1, AttemptOutcome.UNKNOWN),
        (2, AttemptOutcome.ACCEPTED),
    ]
    assert {one.message_id for one in attempts} == {first["Message-ID"]}


async def test_an_sms_of_unknown_outcome_is_not_sent_again(notifier: NotifierClient, start: Start) -> None:
    """After a kill between the centre's answer and the record there is one SMS, recorded as `unknown`."""
    await notifier.load_contacts(a_contact(channel=Channel.SMS, address="+84912345678"))
    await _kill_and_restart(notifier, start, fault_plan.kill_after(SMS, "SmsChannel.send"), agencies=1, load=False)
    (attempt,) = await notifier.wait_for_attempts(1)
    await notifier.wait_until_idle()
    assert (attempt.channel, attempt.attempt, attempt.outcome) == (Channel.SMS, 1, AttemptOutcome.UNKNOWN)
    assert len(notifier.smsc.messages()) == 1


async def _kill_and_restart(
    notifier: NotifierClient, start: Start, fault: str, *, agencies: int = 2, load: bool = True
) -> None:
    """Let alerts fall due in a process that dies at *fault*, then start another one."""
    named = plans.AGENCIES[:agencies]
    await notifier.publish_documents()
    if load:
        await notifier.load_contacts(*map(a_contact, named))
    notifier.set_clock(NOW)
    dying = start(faults=[fault])
    await notifier.publish_assessments(*(an_assessment(a_step(7), agency=agency) for agency in named))
    await dying.wait_until_ended()
    start()
    await notifier.bus.wait_until_consumed(GROUP, VERDICTS.name)
    await notifier.wait_until_recovered()
    notifier.set_clock(NOW + timedelta(minutes=1))  # past the backoff before a second attempt
