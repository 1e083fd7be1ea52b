"""Killed anywhere between its writes, the notifier loses no alert, and what it sends twice it says so."""

from collections import Counter
from datetime import timedelta

import pytest

from schemas.events.deliveries import AttemptOutcome, Channel
from schemas.events.topics import VERDICTS
from services.notifier.settings import GROUP
from tests.integration.notifier.conftest import Start
from tests.support.builders import plans
from tests.support.clients.notifier import DUE, Alerts, a_contact, a_step, an_assessment
from tests.support.faults import fault_plan

NOW = DUE - timedelta(days=6, hours=12)
LEDGER = "services.notifier.ledger"
EMAIL = "services.notifier.channels.email"
SMS = "services.notifier.channels.sms_smpp"

BEFORE_THE_SEND = {
    "before the agenda is written": fault_plan.kill_before(LEDGER, "Ledger.put"),
    "after the agenda, before the offset": fault_plan.kill_after(LEDGER, "Ledger.put"),
    "before the hand-over": fault_plan.kill_before(LEDGER, "Ledger.hand_over"),
    "after the hand-over": fault_plan.kill_after(LEDGER, "Ledger.hand_over"),
    "after the claim": fault_plan.kill_before("services.notifier.dispatcher", "Attempts._sifted"),
    "before the first send": fault_plan.kill_before(EMAIL, "EmailCarrier.send"),
}
AFTER_THE_SEND = {
    "after the record": fault_plan.kill_after(LEDGER, "Ledger.record"),
    "before the outbox is cleared": fault_plan.kill_before(LEDGER, "Ledger.published"),
    "after the outbox is cleared": fault_plan.kill_after(LEDGER, "Ledger.published"),
}


@pytest.mark.parametrize("fault", BEFORE_THE_SEND.values(), ids=BEFORE_THE_SEND)
async def test_killed_before_the_send_it_sends_once_afterwards(alerts: Alerts, start: Start, fault: str) -> None:
    """Two agencies have one mail each in the end, whatever the ledger held when the process died."""
    await _killed(alerts, start, fault)
    await alerts.mailed(2)
    await alerts.nothing_left()
    assert Counter(str(mail["To"]) for mail in alerts.smtp.mails()) == {
        f"van-thu@{agency}.example": 1 for agency in plans.AGENCIES[:2]
    }
    delivered = [one for one in await alerts.told(2) if one.outcome is AttemptOutcome.DELIVERED]
    assert len(delivered) == len({one.alert for one in delivered}) == 2


@pytest.mark.parametrize("fault", AFTER_THE_SEND.values(), ids=AFTER_THE_SEND)
async def test_killed_after_the_record_it_sends_nothing_again(alerts: Alerts, start: Start, fault: str) -> None:
    """What is recorded is not sent again, and its event is told, perhaps repeated under the same id."""
    await _killed(alerts, start, fault, agencies=1)
    await alerts.mailed(1)
    await alerts.nothing_left()
    assert len(alerts.smtp.mails()) == 1
    assert [(one.outcome, one.attempt) for one in await alerts.told(1)] == [(AttemptOutcome.DELIVERED, 1)]


async def test_a_mail_of_unknown_outcome_is_sent_again_under_the_same_message_id(alerts: Alerts, start: Start) -> None:
    """Killed between the server's answer and the record: both attempts show, and the mails are recognisably one."""
    await alerts.reachable()
    await _killed(alerts, start, fault_plan.kill_after(EMAIL, "EmailCarrier.send"), agencies=1)
    first, second = await alerts.mailed(2)
    await alerts.nothing_left()
    told = await alerts.told(2)
    assert first["Message-ID"] == second["Message-ID"]
    assert [(one.attempt, one.outcome) for one in told] == [(1, AttemptOutcome.UNKNOWN), (2, AttemptOutcome.DELIVERED)]
    assert {one.message_id for one in told} == {first["Message-ID"]}


async def test_an_sms_of_unknown_outcome_is_not_sent_again(alerts: Alerts, start: Start) -> None:
    """Killed between the centre's answer and the record: one SMS, and a record that says `unknown`."""
    await alerts.reachable(a_contact(channel=Channel.SMS, address="+84912345678"))
    await _killed(alerts, start, fault_plan.kill_after(SMS, "SmsCarrier.send"), agencies=1, load=False)
    (told,) = await alerts.told(1)
    await alerts.nothing_left()
    assert (told.channel, told.attempt, told.outcome) == (Channel.SMS, 1, AttemptOutcome.UNKNOWN)
    assert len(alerts.smsc.messages()) == 1


async def _killed(alerts: Alerts, start: Start, fault: str, *, agencies: int = 2, load: bool = True) -> None:
    """Have alerts fall due in a process that dies at *fault*, then start another one."""
    named = plans.AGENCIES[:agencies]
    await alerts.published()
    if load:
        await alerts.reachable(*map(a_contact, named))
    alerts.now_is(NOW)
    dying = start(faults=[fault])
    await alerts.assessed(*(an_assessment(a_step(7), agency=agency) for agency in named))
    await dying.ended()
    start()
    await alerts.bus.caught_up(GROUP, VERDICTS.name)
    await alerts.recovered()
    alerts.now_is(NOW + timedelta(minutes=1))  # past the pause before a second attempt
