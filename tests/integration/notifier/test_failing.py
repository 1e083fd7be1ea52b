"""Servers that refuse, hang up or are away, and unreadable records, each end in their own outcome."""

import asyncio
from datetime import timedelta

import pytest

from deploy.local.servers.mongod import Mongod
from schemas.events.deliveries import AttemptOutcome, Channel
from schemas.events.topics import VERDICTS
from services.notifier.settings import GROUP
from tests.integration.notifier.conftest import Start
from tests.support.assertions.eventually import eventually
from tests.support.builders import plans
from tests.support.clients.notifier import AGENCY, DUE, NotifierClient, a_contact, a_step, an_assessment, an_event_of

NOW = DUE - timedelta(days=6, hours=12)
ADDRESS = f"van-thu@{AGENCY}.example"
NUMBER = "84912345678"


async def _start_with_due_reminder(notifier: NotifierClient, start: Start) -> None:
    await notifier.publish_documents()
    notifier.set_clock(NOW)
    start()
    await notifier.publish_assessments(an_assessment(a_step(7)))


async def test_a_full_mailbox_is_tried_again_with_the_same_message_id(notifier: NotifierClient, start: Start) -> None:
    """A temporary refusal is recorded, tried again after its backoff, and delivered."""
    notifier.smtp.inject_faults({ADDRESS: [{"rcpt": "452 4.2.2 Mailbox full"}]})
    await notifier.load_contacts()
    await _start_with_due_reminder(notifier, start)
    await notifier.wait_for_attempts(1)
    notifier.set_clock(NOW + timedelta(minutes=1))
    (mail,) = await notifier.wait_for_mails(1)
    first, second = await notifier.wait_for_attempts(2)
    assert (first.outcome, first.reason) == (AttemptOutcome.TEMPORARY_FAILURE, "smtp_452")
    assert (second.outcome, second.attempt) == (AttemptOutcome.ACCEPTED, 2)
    assert first.message_id == second.message_id == mail["Message-ID"]


@pytest.mark.parametrize(
    ("fault", "reached"),
    [({"rcpt": "452 4.2.2 Mailbox full"}, "new"), ({"drop": True}, "former")],
    ids=["failed", "unknown"],
)
async def test_what_surely_failed_goes_to_who_is_the_contact_by_then(
    notifier: NotifierClient, start: Start, fault: dict[str, object], reached: str
) -> None:
    """One mail under one Message-ID. What may have arrived is sent again to where it may have arrived."""
    addresses = {"former": ADDRESS, "new": f"van-phong@{AGENCY}.example"}
    notifier.smtp.inject_faults({ADDRESS: [fault]})
    await notifier.load_contacts()
    await _start_with_due_reminder(notifier, start)
    (first,) = await notifier.wait_for_attempts(1)
    arrived = len(notifier.smtp.mails())
    await notifier.load_contacts(a_contact(address=addresses["new"]))
    notifier.set_clock(NOW + timedelta(minutes=1))
    mail = (await notifier.wait_for_mails(arrived + 1))[-1]
    _, second = await notifier.wait_for_attempts(2)
    await notifier.wait_until_idle()
    assert second.outcome is AttemptOutcome.ACCEPTED
    assert {str(one["To"]) for one in notifier.smtp.mails()} == {addresses[reached]}
    assert first.message_id == second.message_id == mail["Message-ID"]


async def test_an_address_that_does_not_exist_is_not_tried_again(notifier: NotifierClient, start: Start) -> None:
    """A permanent refusal is the last attempt."""
    notifier.smtp.inject_faults({ADDRESS: [{"rcpt": "550 5.1.1 No such user", "times": 0}]})
    await notifier.load_contacts()
    await _start_with_due_reminder(notifier, start)
    (attempt,) = await notifier.wait_for_attempts(1)
    notifier.set_clock(NOW + timedelta(days=1))
    await notifier.wait_until_idle()
    assert (attempt.outcome, attempt.reason) == (AttemptOutcome.PERMANENT_FAILURE, "smtp_550")
    assert len(await notifier.read_events()) == 1


async def test_a_mail_server_that_hangs_up_after_the_mail_leaves_an_unknown_outcome(
    notifier: NotifierClient, start: Start
) -> None:
    """The mail is sent again under the same Message-ID, and the record says why."""
    notifier.smtp.inject_faults({ADDRESS: [{"drop": True}]})
    await notifier.load_contacts()
    await _start_with_due_reminder(notifier, start)
    await notifier.wait_for_attempts(1)
    notifier.set_clock(NOW + timedelta(minutes=1))
    first, second = await notifier.wait_for_mails(2)
    assert first["Message-ID"] == second["Message-ID"]
    assert [one.outcome for one in await notifier.wait_for_attempts(2)] == [
        AttemptOutcome.UNKNOWN,
        AttemptOutcome.ACCEPTED,
    ]


async def test_a_mail_server_that_is_away_delays_and_loses_nothing(notifier: NotifierClient, start: Start) -> None:
    """A technical failure is tried again until the server is back."""
    await notifier.load_contacts()
    notifier.smtp.stop()
    await _start_with_due_reminder(notifier, start)
    (attempt,) = await notifier.wait_for_attempts(1)
    notifier.smtp.start()
    notifier.set_clock(NOW + timedelta(minutes=1))
    await notifier.wait_for_mails(1)
    assert (attempt.outcome, attempt.reason) == (AttemptOutcome.TECHNICAL_FAILURE, "smtp_connection")


async def test_a_relay_that_is_closed_for_a_while_gives_nobody_up(notifier: NotifierClient, start: Start) -> None:
    """A server that greets with 554 costs one attempt; once it greets with 220 the alert goes out."""
    await notifier.load_contacts()
    notifier.smtp.stop()
    closed = await asyncio.start_server(_refuse_connection, "127.0.0.1", notifier.smtp.port)
    await _start_with_due_reminder(notifier, start)
    (attempt,) = await notifier.wait_for_attempts(1)
    closed.close()
    await closed.wait_closed()
    notifier.smtp.start()
    notifier.set_clock(NOW + timedelta(minutes=1))
    await notifier.wait_for_mails(1)
    assert (attempt.outcome, attempt.reason) == (AttemptOutcome.TECHNICAL_FAILURE, "smtp_554")


async def _refuse_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"554 mail.example no service here\r\n")
    await reader.read()
    writer.close()


async def test_an_alert_that_failed_is_cancelled_once_the_report_is_in(notifier: NotifierClient, start: Start) -> None:
    """A retry does not remind an agency that has reported in the meantime."""
    notifier.smtp.inject_faults({ADDRESS: [{"rcpt": "452 4.2.2 Mailbox full"}]})
    await notifier.load_contacts()
    await _start_with_due_reminder(notifier, start)
    await notifier.wait_for_attempts(1)
    await notifier.publish_assessments(an_assessment(revision=2, on_time=NOW))
    await notifier.wait_until_followed()
    notifier.set_clock(NOW + timedelta(minutes=1))
    assert [one.outcome for one in await notifier.wait_for_attempts(2)] == [
        AttemptOutcome.TEMPORARY_FAILURE,
        AttemptOutcome.CANCELLED,
    ]
    await notifier.wait_until_idle()
    assert not notifier.smtp.mails()


async def test_a_refusal_of_the_sms_centre_has_its_outcome(notifier: NotifierClient, start: Start) -> None:
    """Throttling is temporary, an invalid number is permanent, and anything else is a technical failure."""
    refusals = {"84912345671": 0x58, "84912345672": 0x0B, "84912345673": 0x45}
    notifier.smsc.inject_faults({number: [{"status": status, "times": 0}] for number, status in refusals.items()})
    people = zip(plans.AGENCIES, refusals, strict=True)
    await notifier.load_contacts(*(a_contact(one, channel=Channel.SMS, address=f"+{number}") for one, number in people))
    await notifier.publish_documents()
    notifier.set_clock(NOW)
    start()
    throttled, *others = plans.AGENCIES
    await notifier.publish_assessments(*(an_assessment(a_step(7), agency=agency) for agency in others))
    await notifier.wait_for_attempts(2)
    await notifier.publish_assessments(an_assessment(a_step(7), agency=throttled))
    assert {one.to_agency: (one.outcome, one.reason) for one in await notifier.wait_for_attempts(3)} == {
        plans.AGENCIES[0]: (AttemptOutcome.TEMPORARY_FAILURE, "smpp_0x58"),
        plans.AGENCIES[1]: (AttemptOutcome.PERMANENT_FAILURE, "smpp_0xb"),
        plans.AGENCIES[2]: (AttemptOutcome.TECHNICAL_FAILURE, "smpp_0x45"),
    }


@pytest.mark.parametrize("act", [{"drop": True}, {"silent": True}], ids=["hung up", "silent"])
async def test_an_unanswered_sms_is_unknown(notifier: NotifierClient, start: Start, act: dict[str, bool]) -> None:
    """The centre may have it, so it is recorded as unknown and not sent again."""
    notifier.smsc.inject_faults({NUMBER: [act]})
    await notifier.load_contacts(a_contact(channel=Channel.SMS, address=f"+{NUMBER}"))
    await _start_with_due_reminder(notifier, start)
    (attempt,) = await notifier.wait_for_attempts(1)
    notifier.set_clock(NOW + timedelta(hours=1))
    await notifier.wait_until_idle()
    assert (attempt.outcome, len(await notifier.read_attempts())) == (AttemptOutcome.UNKNOWN, 1)


async def test_a_receipt_corrects_an_sms_that_never_arrived(notifier: NotifierClient, start: Start) -> None:
    """The centre accepted the SMS and could not deliver it, and the record says so."""
    notifier.smsc.inject_faults({NUMBER: [{"receipt": "UNDELIV"}]})
    await notifier.load_contacts(a_contact(channel=Channel.SMS, address=f"+{NUMBER}"))
    await _start_with_due_reminder(notifier, start)
    attempts = await notifier.wait_for_attempts(2)
    assert {(one.attempt, one.outcome) for one in attempts} == {
        (1, AttemptOutcome.ACCEPTED),
        (1, AttemptOutcome.BOUNCED),
    }


async def test_a_poison_record_is_set_aside_and_the_next_is_followed(notifier: NotifierClient, start: Start) -> None:
    """Rubbish, and an assessment under an unpublished plan, go to the dead letter topic with their reasons."""
    await notifier.publish_documents()
    await notifier.load_contacts()
    notifier.set_clock(NOW)
    start()
    await notifier.bus.publish(VERDICTS.name, b"\x00rubbish", key=AGENCY)
    await notifier.bus.publish(VERDICTS.name, an_event_of(an_assessment(a_step(7), plan="P-0")), key=AGENCY)
    await notifier.publish_assessments(an_assessment(a_step(7)))
    await notifier.wait_for_mails(1)
    rubbish, unpublished = await notifier.bus.records(VERDICTS.dead_letter)
    assert rubbish.value == b"\x00rubbish"
    assert b"UnreadableRecord" in rubbish.headers["dondoc-reason"]
    assert b"P-0@1" in unpublished.headers["dondoc-reason"]


async def test_an_unwritable_dead_letter_holds_its_batch_until_it_can_be_written(
    notifier: NotifierClient, start: Start
) -> None:
    """Nothing is committed past the poison record, due alerts go on being sent, and nothing is lost."""
    await notifier.publish_documents()
    await notifier.load_contacts()
    start()
    await notifier.publish_assessments(an_assessment(a_step(7)))
    await notifier.wait_until_followed()
    async with notifier.bus.refuse_records(VERDICTS.dead_letter):
        poison = await notifier.bus.publish(VERDICTS.name, b"poison " * 40, key=AGENCY)
        notifier.set_clock(NOW)
        await notifier.wait_for_mails(1)
        assert (await notifier.bus.committed_offsets(GROUP, VERDICTS.name))[poison.partition] <= poison.offset
    await notifier.wait_until_followed()
    assert {one.value for one in await notifier.bus.records(VERDICTS.dead_letter)} == {poison.value}


@pytest.mark.chaos
async def test_a_database_that_is_away_stops_nothing_for_good(
    notifier: NotifierClient, start: Start, mongod: Mongod
) -> None:
    """Verdicts wait uncommitted while it is gone, and are followed when it is back."""
    await notifier.publish_documents()
    await notifier.load_contacts()
    notifier.set_clock(NOW)
    service = start()
    mongod.kill()
    await notifier.publish_assessments(an_assessment(a_step(7)))
    await eventually(lambda: not service.is_ready(), "a notifier that is not ready")
    mongod.start()
    await notifier.wait_for_mails(1)
    await notifier.wait_until_followed()
    assert len(notifier.smtp.mails()) == 1
