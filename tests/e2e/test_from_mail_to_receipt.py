"""A person without a system: reminded by mail, reports by its link, and is reminded no more."""

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
from tests.support.clients.form import PDF, SECRET, posted, publish_form_plan
from tests.support.clients.notifier import NOON, NotifierClient, a_contact, text_of
from tests.support.servers.intake import Desk
from tests.support.servers.kafka import Bus
from tests.support.servers.mongo import Database
from tests.support.servers.services import Launch

AGENCY = "h-7"
REMINDED = datetime.fromisoformat("2026-12-03T08:00:00+07:00")
LAST_DAY = datetime.fromisoformat("2026-12-09T08:00:00+07:00")


@pytest.fixture
async def notifier(bus: Bus, database: Database, smtp: Smtp, smsc: Smsc, tmp_path: Path) -> NotifierClient:
    """The plan is published and one agency has a mailbox; it is noon on 1 December 2026."""
    notifier = NotifierClient(bus, database, smtp, smsc, tmp_path / "clock")
    notifier.set_clock(NOON)
    await publish_form_plan(bus)
    await notifier.load_contacts(a_contact(AGENCY), a_contact(AGENCY, Channel.SMS, "84900000007"))
    return notifier


@pytest.fixture
def browser() -> Iterator[httpx.Client]:
    """A client that follows no redirect by itself."""
    with httpx.Client(timeout=30) as client:
        yield client


def link_in(mail: EmailMessage) -> str:
    """The link that a mail carries."""
    (address,) = re.findall(r"http://\S+/form\?\S+", text_of(mail))
    return str(address)


async def test_the_link_in_the_mail_opens_the_form_and_ends_the_reminders(
    notifier: NotifierClient, launch: Launch, browser: httpx.Client, tmp_path: Path
) -> None:
    """Seven days before it is due the mail comes, its link takes the report, and the day before nobody is reminded."""
    shared = {"DONDOC_CLOCK": f"steered:{notifier.clock}", "DONDOC_FORM_KEY": SECRET}
    rules = launch("rules", **shared)
    desk = {**Desk(folder=tmp_path).environment, "DONDOC_INTAKE_ATTACHMENTS": str(tmp_path / "attachments")}
    intake = launch("intake", **shared, **desk, DONDOC_INTAKE_RULES_URL=rules.url)
    launch("notifier", **{**notifier.settings, **shared, "DONDOC_FORM_URL": intake.url})
    verdicts = await eventually(lambda: notifier.bus.records(VERDICTS.name), "the silent agency is assessed")
    assert verdicts
    await notifier.wait_until_followed()

    notifier.set_clock(REMINDED)
    (mail,) = await notifier.wait_for_mails(1)
    assert "/form" not in str(notifier.smsc.messages())
    sent = posted(browser, link_in(mail), files={"a.pdf": PDF})
    assert sent.status_code == 303
    assert "Biên nhận báo cáo" in browser.get(intake.url + sent.headers["location"]).text
    facts = [record.json for record in await notifier.bus.records(FACTS.name)]
    assert [fact["subject"] for fact in facts if fact["source"] == "urn:dondoc:form"] == [AGENCY]

    await notifier.bus.caught_up("dondoc-rules", FACTS.name)
    await notifier.wait_until_followed()
    notifier.set_clock(LAST_DAY)
    await notifier.wait_until_idle()
    assert len(await notifier.wait_for_mails(1)) == 1
