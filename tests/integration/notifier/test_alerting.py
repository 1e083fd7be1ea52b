"""Alerts reach people once, on time and in one message, and only while an assessment calls for them."""

from datetime import timedelta

import httpx

from schemas.events.assessments import StepKind
from schemas.events.deliveries import TAKEN, AttemptOutcome, Channel
from tests.integration.notifier.conftest import Start
from tests.support.assertions.eventually import eventually
from tests.support.builders import plans
from tests.support.clients.notifier import (
    AGENCY,
    DUE,
    NOON,
    NotifierClient,
    a_contact,
    a_step,
    an_assessment,
    an_urging,
    text_of,
)

SIX_DAYS_LEFT = DUE - timedelta(days=6, hours=12)  # in the sending hours of the day after the P7D reminder
NEXT_DAY = timedelta(days=1)


async def test_a_reminder_reaches_the_agency_by_mail_and_sms(notifier: NotifierClient, start: Start) -> None:
    """Both texts name the clause and the deadline, and both attempts are published without an address."""
    await notifier.publish_documents()
    await notifier.load_contacts(a_contact(), a_contact(channel=Channel.SMS, address="+84912345678"))
    start()
    await notifier.publish_assessments(an_assessment(a_step(7)))
    await notifier.wait_until_followed()
    notifier.set_clock(SIX_DAYS_LEFT)
    (mail,) = await notifier.wait_for_mails(1)
    attempts = await notifier.wait_for_attempts(2)
    (sms,) = notifier.smsc.messages()
    assert "Thời hạn gửi: hết ngày 09/12/2026" in text_of(mail)
    assert "III.1" in text_of(mail)
    assert "het ngay 09/12/2026" in str(sms["text"])
    assert {one.channel for one in attempts} == {Channel.EMAIL, Channel.SMS}
    assert {(one.outcome in TAKEN, one.to_agency, one.attempt) for one in attempts} == {(True, AGENCY, 1)}
    assert not [one for one in attempts if "van-thu@" in one.model_dump_json() or "912345678" in one.model_dump_json()]


async def test_repeated_and_older_assessments_send_nothing_again(notifier: NotifierClient, start: Start) -> None:
    """A rewound log, a repetition and an older revision leave one mail."""
    await notifier.publish_documents()
    await notifier.load_contacts()
    start()
    notifier.set_clock(SIX_DAYS_LEFT)
    newer = an_assessment(a_step(7), a_step(1), revision=7)
    await notifier.publish_assessments(newer, newer, an_assessment(a_step(7), a_step(14), revision=3), newer)
    await notifier.wait_for_mails(1)
    await notifier.publish_assessments(newer, an_assessment(a_step(14), revision=2))
    await notifier.wait_until_followed()
    await notifier.wait_until_idle()
    assert len(notifier.smtp.mails()) == 1
    assert [one.step for one in await notifier.wait_for_attempts(1)] == ["P7D"]


async def test_an_alert_is_cancelled_when_the_report_arrives(notifier: NotifierClient, start: Start) -> None:
    """The reminder of 8 December goes only to the agency that did not report on the 2nd."""
    await notifier.publish_documents()
    other = plans.AGENCIES[1]
    await notifier.load_contacts(a_contact(), a_contact(other))
    start()
    await notifier.publish_assessments(an_assessment(a_step(1)), an_assessment(a_step(1), agency=other))
    await notifier.publish_assessments(an_assessment(revision=2, on_time=NOON + NEXT_DAY))
    await notifier.wait_until_followed()
    notifier.set_clock(DUE - timedelta(hours=12))
    (mail,) = await notifier.wait_for_mails(1)
    await notifier.wait_until_idle()
    assert len(notifier.smtp.mails()) == 1
    assert mail["To"] == f"van-thu@{other}.example"


async def test_of_several_alerts_missed_while_down_only_the_last_is_sent(
    notifier: NotifierClient, start: Start
) -> None:
    """After nine days of downtime an overdue agency gets one urging and no stale reminder."""
    await notifier.publish_documents()
    await notifier.load_contacts()
    service = start()
    steps = [a_step(7), a_step(3), a_step(1), an_urging(0, step="PT0S"), an_urging(3)]
    await notifier.publish_assessments(an_assessment(*steps))
    await notifier.wait_until_followed()
    service.stop()
    notifier.set_clock(DUE + timedelta(hours=16))
    start()
    (mail,) = await notifier.wait_for_mails(1)
    await notifier.wait_until_idle()
    assert len(notifier.smtp.mails()) == 1
    assert str(mail["Subject"]).partition(" – ")[2].startswith("Đôn đốc lần 1")
    assert [(one.kind, one.step) for one in await notifier.wait_for_attempts(1)] == [(StepKind.URGING, "PT0S")]


async def test_what_falls_due_at_night_goes_out_in_the_morning(notifier: NotifierClient, start: Start) -> None:
    """An alert of midnight waits for half past seven, and counts as still to come until then."""
    await notifier.publish_documents()
    await notifier.load_contacts()
    service = start()
    await notifier.publish_assessments(an_assessment(a_step(7)))
    await notifier.wait_until_followed()
    notifier.set_clock(DUE - timedelta(days=7) + timedelta(hours=7, minutes=29))
    async with httpx.AsyncClient() as client:
        backlog = (await client.get(f"{service.url}/v1/outbox")).json()
    assert (backlog["due_unsent"], backlog["next_send_at"]) == (0, "2026-12-03T00:30:00+00:00")
    assert not notifier.smtp.mails()
    notifier.set_clock(DUE - timedelta(days=7) + timedelta(hours=7, minutes=30))
    await notifier.wait_for_mails(1)


async def test_what_one_agency_gets_at_one_time_is_one_message(notifier: NotifierClient, start: Start) -> None:
    """Three duties of one agency make one mail that lists all three."""
    obligations = [plans.an_obligation(id=name) for name in ("results", "plan", "budget")]
    await notifier.publish_documents(plans.a_registry(), plans.a_plan(*obligations))
    await notifier.load_contacts()
    start()
    await notifier.publish_assessments(*(an_assessment(a_step(7), obligation=one.id) for one in obligations))
    await notifier.wait_until_followed()
    notifier.set_clock(SIX_DAYS_LEFT)
    (mail,) = await notifier.wait_for_mails(1)
    (attempt,) = await notifier.wait_for_attempts(1)
    await notifier.wait_until_idle()
    assert len(notifier.smtp.mails()) == 1
    assert "3 báo cáo" in str(mail["Subject"])
    assert {duty.obligation for duty in attempt.duties} == {"results", "plan", "budget"}


async def test_an_alert_with_nobody_to_go_to_goes_out_when_a_contact_appears(
    notifier: NotifierClient, start: Start
) -> None:
    """It is recorded as unreachable once, counted, and sent as soon as there is a contact, though not in the night."""
    await notifier.publish_documents()
    service = start()
    notifier.set_clock(SIX_DAYS_LEFT)
    await notifier.publish_assessments(an_assessment(a_step(7)), an_assessment(a_step(7), agency=plans.AGENCIES[1]))
    await notifier.wait_for_attempts(2)
    metrics = httpx.get(f"{service.url}/metrics").text
    assert 'notifier_attempts_total{channel="email",outcome="unreachable"} 2.0' in metrics
    await eventually(lambda: "notifier_unreached 2.0" in httpx.get(f"{service.url}/metrics").text, "the gauge")
    assert httpx.get(f"{service.url}/v1/outbox").json()["due_unsent"] == 0
    notifier.set_clock(SIX_DAYS_LEFT + timedelta(hours=15))
    await notifier.load_contacts()
    await eventually(lambda: notifier.database["agendas"].count_documents({"unreached": True}) == 1, "one unreached")
    await notifier.wait_until_idle()
    assert not notifier.smtp.mails()
    notifier.set_clock(SIX_DAYS_LEFT + timedelta(days=1))
    await notifier.wait_for_mails(1)
    attempts = await notifier.wait_for_attempts(3)
    assert [(one.outcome, one.reason, one.attempt) for one in attempts[:2]] == [
        (AttemptOutcome.UNREACHABLE, "no_contact", 0)
    ] * 2
    assert (attempts[2].outcome, attempts[2].alert) in {(AttemptOutcome.ACCEPTED, one.alert) for one in attempts[:2]}


async def test_an_alert_that_reached_nobody_ends_with_its_reason(notifier: NotifierClient, start: Start) -> None:
    """A contact that appears after the report gets nothing, and one that holds from a later date gets it then."""
    await notifier.publish_documents()
    start()
    notifier.set_clock(SIX_DAYS_LEFT)
    later = SIX_DAYS_LEFT + timedelta(days=4)  # a Monday: on the Sunday before nothing is sent
    reported, silent = plans.AGENCIES[:2]
    await notifier.load_contacts(a_contact(silent, from_=later.date()))
    await notifier.publish_assessments(*(an_assessment(a_step(7), agency=one) for one in (reported, silent)))
    await notifier.wait_for_attempts(2)
    await notifier.publish_assessments(an_assessment(agency=reported, revision=2, on_time=SIX_DAYS_LEFT))
    await notifier.wait_until_followed()
    await notifier.load_contacts(a_contact(reported))
    notifier.set_clock(later)
    (mail,) = await notifier.wait_for_mails(1)
    await notifier.wait_until_idle()
    assert mail["To"] == f"van-thu@{silent}.example"
    assert len(notifier.smtp.mails()) == 1
    assert notifier.database["agendas"].count_documents({"unreached": True}) == 0


async def test_sending_hours_are_judged_when_a_message_is_sent(notifier: NotifierClient, start: Start) -> None:
    """Planned within the hours and sent in the night after an outage: it waits for the morning."""
    await notifier.publish_documents()
    await notifier.load_contacts()
    notifier.set_clock(NOON)
    service = start()
    await notifier.publish_assessments(an_assessment(a_step(7)))
    await notifier.wait_until_followed()
    service.stop()
    night = SIX_DAYS_LEFT + timedelta(hours=15)
    notifier.set_clock(night)
    start()
    due = {"next_at": {"$lte": night}}
    await eventually(lambda: not notifier.database["agendas"].count_documents(due), "the alert waits for the morning")
    await notifier.wait_until_idle()
    assert not notifier.smtp.mails()
    notifier.set_clock(night + timedelta(hours=9))
    await notifier.wait_for_mails(1)


async def test_an_attempt_that_failed_before_the_night_is_made_again_in_the_morning(
    notifier: NotifierClient, start: Start
) -> None:
    """The backoff ends after the sending hours; the mail goes out when they open."""
    notifier.smtp.inject_faults({f"van-thu@{AGENCY}.example": [{"rcpt": "452 4.2.2 Mailbox full"}]})
    await notifier.publish_documents()
    await notifier.load_contacts()
    evening = SIX_DAYS_LEFT + timedelta(hours=5, minutes=29, seconds=55)  # five seconds before 17:30 in Viet Nam
    notifier.set_clock(evening)
    start()
    await notifier.publish_assessments(an_assessment(a_step(7)))
    await notifier.wait_for_attempts(1)
    notifier.set_clock(evening + timedelta(minutes=1))
    in_the_morning = {"next_at": {"$gt": evening + timedelta(hours=12)}}
    await eventually(lambda: notifier.database["deliveries"].count_documents(in_the_morning), "it is postponed")
    assert not notifier.smtp.mails()
    notifier.set_clock(evening + timedelta(hours=15))
    await notifier.wait_for_mails(1)


async def test_changed_sending_hours_hold_for_what_is_planned_already(notifier: NotifierClient, start: Start) -> None:
    """After a restart with wider hours an alert that waited for the morning goes out at once."""
    await notifier.publish_documents()
    await notifier.load_contacts()
    night = SIX_DAYS_LEFT + timedelta(hours=15)
    notifier.set_clock(night)
    service = start()
    await notifier.publish_assessments(an_assessment(a_step(7)))
    await notifier.wait_until_followed()
    await notifier.wait_until_idle()
    service.stop()
    assert not notifier.smtp.mails()
    start(DONDOC_NOTIFIER_OPENS="00:00:00", DONDOC_NOTIFIER_CLOSES="23:59:59")
    await notifier.wait_for_mails(1)


async def test_the_last_urging_repeats_until_the_report_is_in(notifier: NotifierClient, start: Start) -> None:
    """A weekly urging goes out each week under its own step, and ends with the report."""
    await notifier.publish_documents()
    await notifier.load_contacts()
    start()
    weekly = an_urging(14, every="P7D")
    await notifier.publish_assessments(an_assessment(weekly))
    await notifier.wait_until_followed()
    for week in range(2):
        notifier.set_clock(DUE + timedelta(days=14 + 7 * week, hours=9))
        await notifier.wait_for_mails(week + 1)
        await notifier.wait_until_idle()
    await notifier.publish_assessments(an_assessment(weekly, revision=2, on_time=DUE + timedelta(days=22)))
    await notifier.wait_until_followed()
    notifier.set_clock(DUE + timedelta(days=60, hours=9))
    await notifier.wait_until_idle()
    assert [one.step for one in await notifier.wait_for_attempts(2)] == ["P14D", "P21D"]


async def test_two_processes_share_the_work_and_send_nothing_twice(notifier: NotifierClient, start: Start) -> None:
    """Forty agencies and two notifiers on one ledger make forty mails and forty events."""
    agencies = [f"h-{number:02d}" for number in range(40)]
    await notifier.publish_documents(plans.a_registry(*map(plans.an_agency, agencies)), plans.a_plan())
    await notifier.load_contacts(*map(a_contact, agencies))
    start()
    start()
    notifier.set_clock(SIX_DAYS_LEFT)
    await notifier.publish_assessments(*(an_assessment(a_step(7), agency=agency) for agency in agencies))
    await notifier.wait_for_mails(len(agencies))
    await notifier.wait_until_followed()
    await notifier.wait_until_idle()
    assert sorted(str(mail["To"]) for mail in notifier.smtp.mails()) == [f"van-thu@{one}.example" for one in agencies]
    await eventually(notifier.read_attempts, "events")
    assert len({one.alert for one in await notifier.wait_for_attempts(len(agencies))}) == len(agencies)
