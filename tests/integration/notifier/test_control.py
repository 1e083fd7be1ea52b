"""The operator stops and resumes the sending, sees what was sent, and sends again what was lost."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from typer.testing import CliRunner

from schemas.events.deliveries import AttemptOutcome
from services.console.main import app
from tests.integration.notifier.conftest import Start
from tests.support.builders import plans
from tests.support.clients.notifier import AGENCY, DUE, NotifierClient, a_contact, a_step, an_assessment
from tests.support.mail import bounce_reports

NOW = DUE - timedelta(days=6, hours=12)
WHO = ("--author", "Lê Thị B", "--reason", "Sở đang sáp nhập")
OTHER = plans.AGENCIES[1]

Run = Callable[..., Awaitable[list[dict[str, Any]]]]


@pytest.fixture
def run(notifier: NotifierClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Return a function that runs `dondoc` on the notifier's database and returns the rows that it prints."""
    for name, value in bounce_reports.SETTINGS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DONDOC_KAFKA_BOOTSTRAP", notifier.bus.bootstrap)
    monkeypatch.setenv("DONDOC_INTAKE_SIGNING_KEYS", str(tmp_path / "signing-keys.json"))
    for name in ("DONDOC_MONGO_URL", "DONDOC_NOTIFIER_MONGO_DATABASE", "DONDOC_CLOCK"):
        monkeypatch.setenv(name, notifier.settings[name])

    async def run_dondoc(*arguments: str, exit_code: int = 0) -> list[dict[str, Any]]:
        # In a thread, because a command runs an event loop of its own.
        result = await asyncio.to_thread(CliRunner().invoke, app, list(arguments))
        assert result.exit_code == exit_code, result.output
        return [json.loads(line) for line in result.stdout.splitlines()]

    return run_dondoc


async def test_a_stopped_agency_hears_nothing_until_it_is_resumed(
    notifier: NotifierClient, start: Start, run: Run
) -> None:
    """The others are not held up; what is still called for goes out once the stop is lifted; all is on record."""
    await notifier.publish_documents()
    await notifier.load_contacts(a_contact(AGENCY), a_contact(OTHER))
    notifier.set_clock(NOW)
    (stop,) = await run("notify", "stop", "--agency", AGENCY, *WHO)
    start()
    await notifier.publish_assessments(*(an_assessment(a_step(7), agency=one) for one in (AGENCY, OTHER)))
    (mail,) = await notifier.wait_for_mails(1)
    assert mail["To"] == f"van-thu@{OTHER}.example"
    await notifier.wait_until_followed()
    assert [one["id"] for one in await run("notify", "silences")] == [stop["id"]]
    await run("notify", "resume", "--agency", AGENCY, "--author", "Lê Thị B")
    await notifier.wait_for_mails(2)
    assert await run("notify", "silences") == []
    (kept,) = await run("notify", "silences", "--ever")
    assert (kept["reason"], kept["lifted_by"], kept["in_force"]) == ("Sở đang sáp nhập", "Lê Thị B", False)


async def test_what_a_relay_refused_is_listed_and_sent_again(
    notifier: NotifierClient, start: Start, run: Run, tmp_path: Path
) -> None:
    """A mailbox that was closed by mistake: the delivery is shown without its address, and resent under its id.

    What bounces later is told by the mail that comes back, once. The evidence sheet tells all of it.
    """
    notifier.smtp.inject_faults({f"van-thu@{AGENCY}.example": [{"rcpt": "550 5.1.1 No such user"}]})
    await notifier.publish_documents()
    await notifier.load_contacts()
    notifier.set_clock(NOW)
    start()
    await notifier.publish_assessments(an_assessment(a_step(7)))
    (refused,) = await notifier.wait_for_attempts(1)
    assert (await run("contacts", "list"))[0]["suspended"] == "smtp_550"
    (listed,) = await run("deliveries", "list", "--state", "permanent_failure")
    assert (listed["delivery"], listed["reason"]) == (refused.delivery, "smtp_550")
    (shown,) = await run("deliveries", "show", listed["delivery"][:12])
    assert [one["agency"] for one in shown["duties"]] == [AGENCY]
    assert "@" not in json.dumps([listed, shown])
    await run("deliveries", "resend", listed["delivery"], *WHO)
    (mail,) = await notifier.wait_for_mails(1)
    assert refused.message_id == mail["Message-ID"]
    assert [one.outcome for one in await notifier.wait_for_attempts(2)][1] is AttemptOutcome.ACCEPTED
    (accepted,) = await run("deliveries", "list", "--state", "accepted")
    assert accepted["attempts"] == 2
    report = tmp_path / "bounce.eml"
    report.write_text(bounce_reports.write_report(accepted["delivery"]))
    assert (await run("deliveries", "read-report", str(report)))[0]["is_new"] is True
    assert (await run("deliveries", "read-report", str(report)))[0]["is_new"] is False
    bounced = (await notifier.wait_for_attempts(3))[-1]
    told = (bounced.outcome, bounced.reason, bounced.delivery)
    assert told == (AttemptOutcome.BOUNCED, "dsn_5.1.1", refused.delivery)
    await run("deliveries", "resend", listed["delivery"], *WHO)
    await notifier.wait_for_mails(2)
    await run("deliveries", "resend", listed["delivery"], *WHO, exit_code=1)
    await notifier.wait_until_idle()
    await _check_evidence(run, tmp_path / "sheet.pdf", mail)


async def _check_evidence(run: Run, file: Path, mail: EmailMessage) -> None:
    """The sheet has the words of the mail and each outcome in order, and its signature holds for these bytes alone."""
    about = (plans.PLAN, "2026", "--agency", AGENCY, "--obligation", plans.OBLIGATION)
    (claim,) = await run("deliveries", "evidence", *about, "-o", str(file))
    text = " ".join(" ".join(one.extract_text().split()) for one in PdfReader(file).pages)
    chain = ("không gửi được (lần gửi 1, smtp_550)", "đã nhận để chuyển (lần gửi 2)", "bị trả về", "(lần gửi 3)")
    assert [text.find(one) for one in chain] == sorted(text.find(one) for one in chain)
    assert -1 not in {text.find(one) for one in (*chain, str(mail["Subject"]), "Lê Thị B")}
    assert "@" not in text
    signature = str(file.with_name("sheet.pdf.jws"))
    (verified,) = await run("receipt", "verify", signature, "--event", str(file))
    assert claim.items() <= verified.items()
    file.write_bytes(file.read_bytes().replace(b"%PDF-1.7", b"%PDF-1.6"))
    await run("receipt", "verify", signature, "--event", str(file), exit_code=1)
    await run("deliveries", "evidence", plans.PLAN, "2025", *about[2:], "-o", str(file), exit_code=1)


async def test_a_mail_that_waits_is_cancelled_once_its_contact_is_removed(
    notifier: NotifierClient, start: Start, run: Run
) -> None:
    """What a busy server has put off is not sent to an address that was removed since, and the record says why."""
    notifier.smtp.inject_faults({f"van-thu@{AGENCY}.example": [{"rcpt": "450 4.2.1 Mailbox busy"}]})
    await notifier.publish_documents()
    await notifier.load_contacts()
    notifier.set_clock(NOW)
    start()
    await notifier.publish_assessments(an_assessment(a_step(7)))
    (busy,) = await notifier.wait_for_attempts(1)
    assert busy.outcome is AttemptOutcome.TEMPORARY_FAILURE
    await run("contacts", "remove", AGENCY)
    notifier.set_clock(NOW + timedelta(hours=2))
    cancelled = (await notifier.wait_for_attempts(2))[-1]
    assert (cancelled.outcome, cancelled.reason) == (AttemptOutcome.CANCELLED, "contact_removed")
    assert not notifier.smtp.mails()


async def test_an_address_that_nobody_has_hears_nothing_until_it_is_reinstated(
    notifier: NotifierClient, start: Start, run: Run, tmp_path: Path
) -> None:
    """A mail that bounces as undeliverable suspends its address, an import of the same one does not lift that.

    What falls due then reaches nobody, and goes out once the address is reinstated.
    """
    await notifier.publish_documents()
    await notifier.load_contacts()
    notifier.set_clock(NOW)
    start()
    await notifier.publish_assessments(an_assessment(a_step(7)))
    (accepted,) = await notifier.wait_for_attempts(1)
    await _bounce(run, tmp_path, accepted.delivery)
    assert (await notifier.wait_for_attempts(2))[-1].outcome is AttemptOutcome.BOUNCED
    await notifier.load_contacts()
    assert [one["suspended"] for one in await run("contacts", "list")] == ["dsn_5.1.1"]

    notifier.set_clock(NOW + timedelta(days=4))
    await notifier.publish_assessments(an_assessment(a_step(7), a_step(3), revision=2))
    unreached = (await notifier.wait_for_attempts(3))[-1]
    assert (unreached.outcome, unreached.to_agency) == (AttemptOutcome.UNREACHABLE, AGENCY)
    await run("contacts", "reinstate", AGENCY)
    assert len(await notifier.wait_for_mails(2)) == 2
    await run("contacts", "reinstate", AGENCY, exit_code=1)


async def _bounce(run: Run, tmp_path: Path, delivery: str | None) -> None:
    report = tmp_path / "bounce.eml"
    report.write_text(bounce_reports.write_report(delivery or ""))
    await run("deliveries", "read-report", str(report))
