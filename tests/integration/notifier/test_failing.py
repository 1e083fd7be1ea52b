"""Servers that refuse, hang up or are away, and records that nobody can read: each ends as what it is."""

from datetime import timedelta

import pytest

from deploy.local.servers.mongod import Mongod
from schemas.events.deliveries import AttemptOutcome, Channel
from schemas.events.topics import VERDICTS
from services.notifier.settings import GROUP
from tests.integration.notifier.conftest import Start
from tests.support.assertions.eventually import eventually
from tests.support.builders import plans
from tests.support.clients.notifier import AGENCY, DUE, Alerts, a_contact, a_step, an_assessment, an_event_of

NOW = DUE - timedelta(days=6, hours=12)
ADDRESS = f"van-thu@{AGENCY}.example"
NUMBER = "84912345678"


async def _attempted(alerts: Alerts, start: Start) -> None:
    await alerts.published()
    alerts.now_is(NOW)
    start()
    await alerts.assessed(an_assessment(a_step(7)))


async def test_a_full_mailbox_is_tried_again_with_the_same_message_id(alerts: Alerts, start: Start) -> None:
    """A temporary refusal is recorded, retried after its pause, and delivered."""
    alerts.smtp.inject_faults({ADDRESS: [{"rcpt": "452 4.2.2 Mailbox full"}]})
    await alerts.reachable()
    await _attempted(alerts, start)
    await alerts.told(1)
    alerts.now_is(NOW + timedelta(minutes=1))
    (mail,) = await alerts.mailed(1)
    first, second = await alerts.told(2)
    assert (first.outcome, first.reason) == (AttemptOutcome.TEMPORARY_FAILURE, "smtp_452")
    assert (second.outcome, second.attempt) == (AttemptOutcome.DELIVERED, 2)
    assert first.message_id == second.message_id == mail["Message-ID"]


async def test_an_address_that_does_not_exist_is_not_tried_again(alerts: Alerts, start: Start) -> None:
    """A permanent refusal is the end of it."""
    alerts.smtp.inject_faults({ADDRESS: [{"rcpt": "550 5.1.1 No such user", "times": 0}]})
    await alerts.reachable()
    await _attempted(alerts, start)
    (told,) = await alerts.told(1)
    alerts.now_is(NOW + timedelta(days=1))
    await alerts.nothing_left()
    assert (told.outcome, told.reason) == (AttemptOutcome.PERMANENT_FAILURE, "smtp_550")
    assert len(await alerts.events()) == 1


async def test_a_mail_server_that_hangs_up_after_the_mail_leaves_an_unknown_outcome(
    alerts: Alerts, start: Start
) -> None:
    """The mail is sent again under the same Message-ID, and the record says why."""
    alerts.smtp.inject_faults({ADDRESS: [{"drop": True}]})
    await alerts.reachable()
    await _attempted(alerts, start)
    await alerts.told(1)
    alerts.now_is(NOW + timedelta(minutes=1))
    first, second = await alerts.mailed(2)
    assert first["Message-ID"] == second["Message-ID"]
    assert [one.outcome for one in await alerts.told(2)] == [AttemptOutcome.UNKNOWN, AttemptOutcome.DELIVERED]


async def test_a_mail_server_that_is_away_delays_and_loses_nothing(alerts: Alerts, start: Start) -> None:
    """A technical failure is retried until the server is back."""
    await alerts.reachable()
    alerts.smtp.stop()
    await _attempted(alerts, start)
    (told,) = await alerts.told(1)
    alerts.smtp.start()
    alerts.now_is(NOW + timedelta(minutes=1))
    await alerts.mailed(1)
    assert (told.outcome, told.reason) == (AttemptOutcome.TECHNICAL_FAILURE, "smtp_connection")


async def test_an_alert_that_failed_is_cancelled_once_the_report_is_in(alerts: Alerts, start: Start) -> None:
    """Nobody is reminded by a retry of what was sent meanwhile."""
    alerts.smtp.inject_faults({ADDRESS: [{"rcpt": "452 4.2.2 Mailbox full"}]})
    await alerts.reachable()
    await _attempted(alerts, start)
    await alerts.told(1)
    await alerts.assessed(an_assessment(revision=2, on_time=NOW))
    await alerts.followed()
    alerts.now_is(NOW + timedelta(minutes=1))
    assert [one.outcome for one in await alerts.told(2)] == [AttemptOutcome.TEMPORARY_FAILURE, AttemptOutcome.CANCELLED]
    await alerts.nothing_left()
    assert not alerts.smtp.mails()


async def test_a_refusal_of_the_sms_centre_has_its_outcome(alerts: Alerts, start: Start) -> None:
    """Throttled may be taken later, a number that does not exist never, and the rest is ours or theirs to mend."""
    refusals = {"84912345671": 0x58, "84912345672": 0x0B, "84912345673": 0x45}
    alerts.smsc.inject_faults({number: [{"status": status, "times": 0}] for number, status in refusals.items()})
    people = zip(plans.AGENCIES, refusals, strict=True)
    await alerts.reachable(*(a_contact(one, channel=Channel.SMS, address=f"+{number}") for one, number in people))
    await alerts.published()
    alerts.now_is(NOW)
    start()
    await alerts.assessed(*(an_assessment(a_step(7), agency=agency) for agency in plans.AGENCIES))
    assert {one.to_agency: (one.outcome, one.reason) for one in await alerts.told(3)} == {
        plans.AGENCIES[0]: (AttemptOutcome.TEMPORARY_FAILURE, "smpp_0x58"),
        plans.AGENCIES[1]: (AttemptOutcome.PERMANENT_FAILURE, "smpp_0xb"),
        plans.AGENCIES[2]: (AttemptOutcome.TECHNICAL_FAILURE, "smpp_0x45"),
    }


@pytest.mark.parametrize("act", [{"drop": True}, {"silent": True}], ids=["hung up", "silent"])
async def test_an_sms_that_nobody_answers_for_is_unknown(alerts: Alerts, start: Start, act: dict[str, bool]) -> None:
    """The centre may have it: it is recorded as unknown and not sent again."""
    alerts.smsc.inject_faults({NUMBER: [act]})
    await alerts.reachable(a_contact(channel=Channel.SMS, address=f"+{NUMBER}"))
    await _attempted(alerts, start)
    (told,) = await alerts.told(1)
    alerts.now_is(NOW + timedelta(hours=1))
    await alerts.nothing_left()
    assert (told.outcome, len(await alerts.attempts())) == (AttemptOutcome.UNKNOWN, 1)


async def test_a_receipt_corrects_an_sms_that_never_arrived(alerts: Alerts, start: Start) -> None:
    """The centre took it and could not deliver it: the record says so."""
    alerts.smsc.inject_faults({NUMBER: [{"receipt": "UNDELIV"}]})
    await alerts.reachable(a_contact(channel=Channel.SMS, address=f"+{NUMBER}"))
    await _attempted(alerts, start)
    told = await alerts.told(2)
    assert {(one.attempt, one.outcome) for one in told} == {
        (1, AttemptOutcome.DELIVERED),
        (1, AttemptOutcome.PERMANENT_FAILURE),
    }


async def test_a_poison_verdict_is_set_aside_and_the_next_is_followed(alerts: Alerts, start: Start) -> None:
    """Rubbish, and an assessment under a plan that nobody published, go to the dead letters with their reasons."""
    await alerts.published()
    await alerts.reachable()
    alerts.now_is(NOW)
    start()
    await alerts.bus.publish(VERDICTS.name, b"\x00rubbish", key=AGENCY)
    await alerts.bus.publish(VERDICTS.name, an_event_of(an_assessment(a_step(7), plan="P-0")), key=AGENCY)
    await alerts.assessed(an_assessment(a_step(7)))
    await alerts.mailed(1)
    rubbish, unpublished = await alerts.bus.records(VERDICTS.dead_letter)
    assert rubbish.value == b"\x00rubbish"
    assert b"UnreadableAssessment" in rubbish.headers["dondoc-reason"]
    assert b"P-0@1" in unpublished.headers["dondoc-reason"]


async def test_an_unwritable_dead_letter_holds_its_batch_until_it_can_be_written(alerts: Alerts, start: Start) -> None:
    """Nothing is committed past the poison, what is known goes on being sent, and nothing is lost."""
    await alerts.published()
    await alerts.reachable()
    start()
    await alerts.assessed(an_assessment(a_step(7)))
    await alerts.followed()
    async with alerts.bus.refusing(VERDICTS.dead_letter):
        poison = await alerts.bus.publish(VERDICTS.name, b"poison " * 40, key=AGENCY)
        alerts.now_is(NOW)
        await alerts.mailed(1)
        assert (await alerts.bus.committed(GROUP, VERDICTS.name))[poison.partition] <= poison.offset
    await alerts.followed()
    assert {one.value for one in await alerts.bus.records(VERDICTS.dead_letter)} == {poison.value}


async def test_a_database_that_is_away_stops_nothing_for_good(alerts: Alerts, start: Start, mongod: Mongod) -> None:
    """Verdicts wait uncommitted while it is gone, and are followed when it is back."""
    await alerts.published()
    await alerts.reachable()
    alerts.now_is(NOW)
    service = start()
    mongod.kill()
    await alerts.assessed(an_assessment(a_step(7)))
    await eventually(lambda: not service.is_ready(), "a notifier that is not ready")
    mongod.start()
    await alerts.mailed(1)
    await alerts.followed()
    assert len(alerts.smtp.mails()) == 1
