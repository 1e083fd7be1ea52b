"""A person without an upstream system reports by the link in the reminder, and gets no more reminders."""

import re
from collections.abc import Iterator
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest

from deploy.local.servers.message_servers import Smsc, Smtp
from schemas.events.deliveries import Channel
from schemas.events.topics import FACTS, VERDICTS
from tests.support.assertions.eventually import eventually
from tests.support.clients.form import PDF, SECRET, post_form, publish_form_plan
from tests.support.clients.notifier import NOON, NotifierClient, a_contact, text_of
from tests.support.servers.intake import IntakeFiles
from tests.support.servers.kafka import Bus
from tests.support.servers.mongo import Database
from tests.support.servers.services import Launch

AGENCY = "h-7"
REMINDED = datetime.fromisoformat("2026-12-03T08:00:00+07:00")
LAST_DAY = datetime.fromisoformat("2026-12-09T08:00:00+07:00")


@pytest.fixture
async def notifier(bus: Bus, database: Database, smtp: Smtp, smsc: Smsc, tmp_path: Path) -> NotifierClient:
    """The plan is published and one agency has a mailbox; it is noon on 1 December 2026."""
    client = NotifierClient(bus, database, smtp, smsc, tmp_path / "clock")
    client.set_clock(NOON)
    await publish_form_plan(bus)
    await client.load_contacts(a_contact(AGENCY), a_contact(AGENCY, Channel.SMS, "84900000007"))
    return client


@pytest.fixture
def browser() -> Iterator[httpx.Client]:
    """An HTTP client that does not follow redirects."""
    with httpx.Client(timeout=30) as client:
        yield client


def link_in(mail: EmailMessage) -> str:
    """Return the link to the form in a mail."""
    (address,) = re.findall(r"http://\S+/form\?\S+", text_of(mail))
    return str(address)


async def test_the_link_in_the_mail_opens_the_form_and_ends_the_reminders(
    notifier: NotifierClient, launch: Launch, browser: httpx.Client, tmp_path: Path
) -> None:
    """The mail of seven days before opens the form, the report is accepted, and no reminder follows the day before."""
    shared = {"DONDOC_CLOCK": f"steered:{notifier.clock}", "DONDOC_FORM_KEY": SECRET}
    rules = launch("rules", **shared)
    intake_files = {
        **IntakeFiles(folder=tmp_path).environment,
        "DONDOC_INTAKE_ATTACHMENTS": str(tmp_path / "attachments"),
    }
    intake = launch("intake", **shared, **intake_files, DONDOC_INTAKE_RULES_URL=rules.url)
    launch("notifier", **{**notifier.settings, **shared, "DONDOC_FORM_URL": intake.url})
    verdicts = await eventually(lambda: notifier.bus.records(VERDICTS.name), "the silent agency is assessed")
    assert verdicts
    await notifier.wait_until_followed()

    notifier.set_clock(REMINDED)
    (mail,) = await notifier.wait_for_mails(1)
    assert "/form" not in str(notifier.smsc.messages())
    sent = post_form(browser, link_in(mail), files={"a.pdf": PDF})
    assert sent.status_code == 303
    assert "Biên nhận báo cáo" in browser.get(intake.url + sent.headers["location"]).text
    facts = [record.json for record in await notifier.bus.records(FACTS.name)]
    assert [fact["subject"] for fact in facts if fact["source"] == "urn:dondoc:form"] == [AGENCY]

    await notifier.bus.wait_until_consumed("dondoc-rules", FACTS.name)
    await notifier.wait_until_followed()
    notifier.set_clock(LAST_DAY)
    await notifier.wait_until_idle()
    assert len(await notifier.wait_for_mails(1)) == 1
