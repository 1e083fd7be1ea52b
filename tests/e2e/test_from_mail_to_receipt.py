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
from tests.support.clients.form import PDF, SECRET, post_form, publish_form_plan
from tests.support.clients.notifier import NOON, Alerts, a_contact, text_of
from tests.support.servers.intake import IntakeFiles
from tests.support.servers.kafka import Bus
from tests.support.servers.mongo import Database
from tests.support.servers.services import Launch

AGENCY = "h-7"
REMINDED = datetime.fromisoformat("2026-12-03T08:00:00+07:00")
LAST_DAY = datetime.fromisoformat("2026-12-09T08:00:00+07:00")


@pytest.fixture
async def alerts(bus: Bus, database: Database, smtp: Smtp, smsc: Smsc, tmp_path: Path) -> Alerts:
    """The plan is published and one agency has a mailbox; it is noon on 1 December 2026."""
    outside = Alerts(bus, database, smtp, smsc, tmp_path / "clock")
    outside.now_is(NOON)
    await publish_form_plan(bus)
    await outside.reachable(a_contact(AGENCY), a_contact(AGENCY, Channel.SMS, "84900000007"))
    return outside


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
    alerts: Alerts, launch: Launch, browser: httpx.Client, tmp_path: Path
) -> None:
    """Seven days before it is due the mail comes, its link takes the report, and the day before nobody is reminded."""
    shared = {"DONDOC_CLOCK": f"steered:{alerts.clock}", "DONDOC_FORM_KEY": SECRET}
    rules = launch("rules", **shared)
    intake_files = {
        **IntakeFiles(folder=tmp_path).environment,
        "DONDOC_INTAKE_ATTACHMENTS": str(tmp_path / "attachments"),
    }
    intake = launch("intake", **shared, **intake_files, DONDOC_INTAKE_RULES_URL=rules.url)
    launch("notifier", **{**alerts.settings, **shared, "DONDOC_FORM_URL": intake.url})
    verdicts = await eventually(lambda: alerts.bus.records(VERDICTS.name), "the silent agency is assessed")
    assert verdicts
    await alerts.followed()

    alerts.now_is(REMINDED)
    (mail,) = await alerts.mailed(1)
    assert "/form" not in str(alerts.smsc.messages())
    sent = post_form(browser, link_in(mail), files={"a.pdf": PDF})
    assert sent.status_code == 303
    assert "Biên nhận báo cáo" in browser.get(intake.url + sent.headers["location"]).text
    facts = [record.json for record in await alerts.bus.records(FACTS.name)]
    assert [fact["subject"] for fact in facts if fact["source"] == "urn:dondoc:form"] == [AGENCY]

    await alerts.bus.caught_up("dondoc-rules", FACTS.name)
    await alerts.followed()
    alerts.now_is(LAST_DAY)
    await alerts.nothing_left()
    assert len(await alerts.mailed(1)) == 1
