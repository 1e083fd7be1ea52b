"""Alerts reach people once, on time and in one message, and only while they are called for."""

from datetime import timedelta

import httpx

from schemas.events.assessments import StepKind
from schemas.events.deliveries import AttemptOutcome, Channel
from tests.integration.notifier.conftest import Start
from tests.support.assertions.eventually import eventually
from tests.support.builders import plans
from tests.support.clients.notifier import (
    AGENCY,
    DUE,
    NOON,
    Alerts,
    a_contact,
    a_step,
    an_assessment,
    an_urging,
    text_of,
)

SIX_DAYS_LEFT = DUE - timedelta(days=6, hours=12)  # in the sending hours of the day after the P7D reminder
NEXT_DAY = timedelta(days=1)


async def test_a_reminder_reaches_the_agency_by_mail_and_sms(alerts: Alerts, start: Start) -> None:
    """Both texts name the clause and the deadline, and both attempts are told without an address."""
    await alerts.published()
    await alerts.reachable(a_contact(), a_contact(channel=Channel.SMS, address="+84912345678"))
    start()
    await alerts.assessed(an_assessment(a_step(7)))
    await alerts.followed()
    alerts.now_is(SIX_DAYS_LEFT)
    (mail,) = await alerts.mailed(1)
    told = await alerts.told(2)
    (sms,) = alerts.smsc.messages()
    assert "hạn cuối: hết ngày 09/12/2026" in text_of(mail)
    assert "III.1" in text_of(mail)
    assert "het ngay 09/12/2026" in str(sms["text"])
    assert {one.channel for one in told} == {Channel.EMAIL, Channel.SMS}
    assert {(one.outcome, one.to_agency, one.attempt) for one in told} == {(AttemptOutcome.DELIVERED, AGENCY, 1)}
    assert not [one for one in told if "van-thu@" in one.model_dump_json() or "912345678" in one.model_dump_json()]


async def test_repeated_and_older_assessments_say_nothing_again(alerts: Alerts, start: Start) -> None:
    """A rewound log, a repeat and an older revision leave one mail."""
    await alerts.published()
    await alerts.reachable()
    start()
    alerts.now_is(SIX_DAYS_LEFT)
    newer = an_assessment(a_step(7), a_step(1), revision=7)
    await alerts.assessed(newer, newer, an_assessment(a_step(7), a_step(14), revision=3), newer)
    await alerts.mailed(1)
    await alerts.assessed(newer, an_assessment(a_step(14), revision=2))
    await alerts.followed()
    await alerts.nothing_left()
    assert len(alerts.smtp.mails()) == 1
    assert [one.step for one in await alerts.told(1)] == ["P7D"]


async def test_an_alert_is_cancelled_when_the_report_arrives(alerts: Alerts, start: Start) -> None:
    """The reminder of 8 December is not sent to an agency that reported on the 2nd; its neighbour gets one."""
    await alerts.published()
    other = plans.AGENCIES[1]
    await alerts.reachable(a_contact(), a_contact(other))
    start()
    await alerts.assessed(an_assessment(a_step(1)), an_assessment(a_step(1), agency=other))
    await alerts.assessed(an_assessment(revision=2, on_time=NOON + NEXT_DAY))
    await alerts.followed()
    alerts.now_is(DUE - timedelta(hours=12))
    (mail,) = await alerts.mailed(1)
    await alerts.nothing_left()
    assert len(alerts.smtp.mails()) == 1
    assert mail["To"] == f"van-thu@{other}.example"


async def test_steps_missed_while_down_collapse_into_the_one_that_matters(alerts: Alerts, start: Start) -> None:
    """After nine days of downtime an overdue agency gets one urging and no stale reminder."""
    await alerts.published()
    await alerts.reachable()
    service = start()
    steps = [a_step(7), a_step(3), a_step(1), an_urging(0, step="PT0S"), an_urging(3)]
    await alerts.assessed(an_assessment(*steps))
    await alerts.followed()
    service.stop()
    alerts.now_is(DUE + timedelta(hours=16))
    start()
    (mail,) = await alerts.mailed(1)
    await alerts.nothing_left()
    assert len(alerts.smtp.mails()) == 1
    assert str(mail["Subject"]).startswith("Đôn đốc")
    assert [(one.kind, one.step) for one in await alerts.told(1)] == [(StepKind.URGING, "PT0S")]


async def test_what_falls_due_at_night_goes_out_in_the_morning(alerts: Alerts, start: Start) -> None:
    """A step of midnight waits for half past seven, and is counted as still to come until then."""
    await alerts.published()
    await alerts.reachable()
    service = start()
    await alerts.assessed(an_assessment(a_step(7)))
    await alerts.followed()
    alerts.now_is(DUE - timedelta(days=7) + timedelta(hours=7, minutes=29))
    async with httpx.AsyncClient() as client:
        backlog = (await client.get(f"{service.url}/v1/outbox")).json()
    assert (backlog["due_unsent"], backlog["next_send_at"]) == (0, "2026-12-03T00:30:00+00:00")
    assert not alerts.smtp.mails()
    alerts.now_is(DUE - timedelta(days=7) + timedelta(hours=7, minutes=30))
    await alerts.mailed(1)


async def test_what_one_agency_gets_at_one_time_is_one_message(alerts: Alerts, start: Start) -> None:
    """Three duties of one agency make one mail that lists all three."""
    obligations = [plans.an_obligation(id=name) for name in ("results", "plan", "budget")]
    await alerts.published(plans.a_registry(), plans.a_plan(*obligations))
    await alerts.reachable()
    start()
    await alerts.assessed(*(an_assessment(a_step(7), obligation=one.id) for one in obligations))
    await alerts.followed()
    alerts.now_is(SIX_DAYS_LEFT)
    (mail,) = await alerts.mailed(1)
    (told,) = await alerts.told(1)
    await alerts.nothing_left()
    assert len(alerts.smtp.mails()) == 1
    assert "3 báo cáo" in str(mail["Subject"])
    assert {duty.obligation for duty in told.duties} == {"results", "plan", "budget"}


async def test_an_agency_that_nobody_can_reach_shows_in_the_record(alerts: Alerts, start: Start) -> None:
    """The alert is told as unreachable, and a contact that comes later does not get it after all."""
    await alerts.published()
    start()
    alerts.now_is(SIX_DAYS_LEFT)
    await alerts.assessed(an_assessment(a_step(7)))
    (told,) = await alerts.told(1)
    await alerts.reachable()
    await alerts.nothing_left()
    assert (told.outcome, told.reason, told.attempt) == (AttemptOutcome.UNREACHABLE, "no_contact", 0)
    assert not alerts.smtp.mails()


async def test_the_last_urging_repeats_until_the_report_is_in(alerts: Alerts, start: Start) -> None:
    """A weekly urging goes out each week under its own step, and ends with the report."""
    await alerts.published()
    await alerts.reachable()
    start()
    weekly = an_urging(14, every="P7D")
    await alerts.assessed(an_assessment(weekly))
    await alerts.followed()
    for week in range(2):
        alerts.now_is(DUE + timedelta(days=14 + 7 * week, hours=9))
        await alerts.mailed(week + 1)
        await alerts.nothing_left()
    await alerts.assessed(an_assessment(weekly, revision=2, on_time=DUE + timedelta(days=22)))
    await alerts.followed()
    alerts.now_is(DUE + timedelta(days=60, hours=9))
    await alerts.nothing_left()
    assert [one.step for one in await alerts.told(2)] == ["P14D", "P21D"]


async def test_two_processes_share_the_work_and_double_nothing(alerts: Alerts, start: Start) -> None:
    """Forty agencies and two notifiers on one ledger: forty mails, forty events."""
    agencies = [f"h-{number:02d}" for number in range(40)]
    await alerts.published(plans.a_registry(*map(plans.an_agency, agencies)), plans.a_plan())
    await alerts.reachable(*map(a_contact, agencies))
    start()
    start()
    alerts.now_is(SIX_DAYS_LEFT)
    await alerts.assessed(*(an_assessment(a_step(7), agency=agency) for agency in agencies))
    await alerts.mailed(len(agencies))
    await alerts.followed()
    await alerts.nothing_left()
    assert sorted(str(mail["To"]) for mail in alerts.smtp.mails()) == [f"van-thu@{one}.example" for one in agencies]
    await eventually(alerts.attempts, "events")
    assert len({one.alert for one in await alerts.told(len(agencies))}) == len(agencies)
