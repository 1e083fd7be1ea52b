"""What bounces for good is told by the next channel of the order: once, wherever a process dies, and never in doubt."""

import asyncio
import json
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from schemas.events.deliveries import AttemptOutcome, Channel
from services.console.main import app
from tests.integration.notifier.conftest import Start
from tests.support.assertions.eventually import eventually
from tests.support.clients.notifier import AGENCY, DUE, NotifierClient, a_contact, a_step, an_assessment
from tests.support.faults import await_points, fault_plan
from tests.support.faults.await_points import AwaitPoint
from tests.support.mail import bounce_reports
from tests.support.matrix import matrix

NOW = DUE - timedelta(days=6, hours=12)
NEXT_CHANNEL = "services.notifier.dispatch.next_channel"
STORE = "services.notifier.dispatch.store"
OF_STORE = {f"DeliveryStore.{one}" for one in ("find_bounced", "find_first_id", "find_told", "close_bounced", "record")}
# First those after which something is in the ledger already.
POINTS = sorted(
    (
        one
        for one in await_points.find_await_points((NEXT_CHANNEL, STORE))
        if one.module == NEXT_CHANNEL or one.function in OF_STORE
    ),
    key=lambda one: (not one.function.endswith("_schedule_next"), -one.number),
)
FIRST, SECOND = (f"van-thu-{number}@{AGENCY}.example" for number in (1, 2))
NOBODY = {"rcpt": "550 5.1.1 No such user", "times": 0}


@pytest.fixture
async def routes(notifier: NotifierClient, tmp_path: Path) -> dict[str, str]:
    """Return settings by which offices are written to by mail first; one has two mail addresses and a number."""
    smtp = {"host": "127.0.0.1", "port": notifier.smtp.port, "security": "none"}
    smpp = {"host": "127.0.0.1", "port": notifier.smsc.port, "system_id": "dondoc", "password": "dondoc", "sender": "B"}
    listed = [{"name": "mail", "channel": "email", "smtp": smtp}, {"name": "text", "channel": "sms", "smpp": smpp}]
    (tmp_path / "routes.yaml").write_text(json.dumps({"routes": listed, "order": {"office": ["email", "sms"]}}))
    await notifier.publish_documents()
    mails = [a_contact(address=one) for one in (FIRST, SECOND)]
    await notifier.load_contacts(*mails, a_contact(channel=Channel.SMS, address="+84912345678"))
    notifier.set_clock(NOW)
    return {
        "DONDOC_NOTIFIER_ROUTES": str(tmp_path / "routes.yaml"),
        **bounce_reports.SETTINGS,
    }


@pytest.mark.parametrize("point", matrix(POINTS, in_every_run=2), ids=map(str, POINTS))
async def test_killed_anywhere_it_tells_the_next_channel_once(
    notifier: NotifierClient, start: Start, routes: dict[str, str], point: AwaitPoint
) -> None:
    """Both mail addresses are nobody's; whichever refusal is looked at first and how often, there is one SMS."""
    notifier.smtp.inject_faults({FIRST: [NOBODY], SECOND: [NOBODY]})
    dying = start(faults=[fault_plan.kill_after_await(point)], ready=False, **routes)
    await notifier.publish_assessments(an_assessment(a_step(7)))
    await eventually(lambda: not dying.is_running or notifier.smsc.messages(), "a dead process, or the SMS")
    start(**routes)
    await notifier.wait_until_recovered()
    notifier.set_clock(NOW + timedelta(minutes=1))  # past the backoff of what the first process left in doubt
    await eventually(notifier.smsc.messages, "the reminder by SMS")
    await _wait_until_told(notifier)
    assert len(notifier.smsc.messages()) == 1
    assert notifier.smtp.mails() == []


async def test_a_late_bounce_is_told_by_sms_once_all_addresses_have_bounced(
    notifier: NotifierClient, start: Start, routes: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As long as one mail arrived nothing more is told. Reports that come again change nothing; the record says why."""
    for name in ("DONDOC_MONGO_URL", "DONDOC_NOTIFIER_MONGO_DATABASE", "DONDOC_CLOCK"):
        monkeypatch.setenv(name, notifier.settings[name])
    for name, value in routes.items():
        monkeypatch.setenv(name, value)
    start(**routes)
    await notifier.publish_assessments(an_assessment(a_step(7)))
    mails = await notifier.wait_for_attempts(2)
    assert {one.outcome for one in mails} == {AttemptOutcome.ACCEPTED}

    async def report(delivery: str | None) -> None:
        file = tmp_path / "bounce.eml"
        file.write_text(bounce_reports.write_report(delivery or ""))
        result = await asyncio.to_thread(CliRunner().invoke, app, ["deliveries", "read-report", str(file)])
        assert result.exit_code == 0, result.output

    await report(mails[0].delivery)
    await _wait_until_told(notifier)
    assert notifier.smsc.messages() == []
    for one in (*mails[::-1], *mails):
        await report(one.delivery)
    told = await notifier.wait_for_attempts(5)
    await _wait_until_told(notifier)
    assert len(notifier.smsc.messages()) == 1
    assert Counter((one.channel, one.outcome, one.step) for one in told) == {
        (Channel.EMAIL, AttemptOutcome.ACCEPTED, "P7D"): 2,
        (Channel.EMAIL, AttemptOutcome.BOUNCED, "P7D"): 2,
        (Channel.SMS, AttemptOutcome.ACCEPTED, "P7D"): 1,
    }
    assert {one.instead_of for one in told if one.channel is Channel.SMS} == {mails[1].delivery}
    assert {one.instead_of for one in told if one.channel is Channel.EMAIL} == {None}


async def test_what_may_have_arrived_is_not_told_by_the_next_channel(
    notifier: NotifierClient, start: Start, routes: dict[str, str]
) -> None:
    """The connection breaks after the mail: its outcome is unknown, and so it stays with the mail."""
    notifier.smtp.inject_faults({FIRST: [NOBODY], SECOND: [{"drop": True}]})
    start(**routes)
    await notifier.publish_assessments(an_assessment(a_step(7)))
    outcomes = {one.outcome for one in await notifier.wait_for_attempts(2)}
    assert outcomes == {AttemptOutcome.PERMANENT_FAILURE, AttemptOutcome.UNKNOWN}
    await _wait_until_told(notifier)
    assert notifier.smsc.messages() == []


async def _wait_until_told(notifier: NotifierClient) -> None:
    waiting = {"to_next_channel": True}
    await eventually(lambda: not notifier.database["deliveries"].count_documents(waiting), "every bounce looked at")
    await notifier.wait_until_idle()
