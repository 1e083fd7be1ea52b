"""What comes back finds its way: through Postfix and Dovecot, which are not ours, to the record and the contacts."""

import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from deploy.local.process.ports import free_ports
from schemas.events.deliveries import AttemptOutcome, Channel
from tests.integration.notifier.conftest import Start
from tests.support.assertions.eventually import eventually
from tests.support.builders import plans
from tests.support.clients.notifier import AGENCY, DUE, NotifierClient, a_contact, a_step, an_assessment
from tests.support.mail.mail_system import MAIL_USER, PASSWORD, Dovecot, Postfix
from tests.support.servers.certificates import Authority
from tests.support.tools import needs

OTHER = plans.AGENCIES[1]
DOMAIN = "bounce.dondoc.example"
KEY = "k" * 32

pytestmark = [
    needs("postfix", package="postfix", as_root=True),
    needs("dovecot", package="dovecot-imapd"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSystem:
    """A relay that knows one agency and the return mailbox, and the settings with which a notifier uses both."""

    postfix: Postfix
    dovecot: Dovecot
    settings: dict[str, str]


@pytest.fixture
def mail_system(tmp_path: Path) -> Iterator[MailSystem]:
    """Return a running mail system whose relay takes mail to anybody and bounces what it cannot deliver."""
    smtp_port, imap_port = free_ports(2)
    with tempfile.TemporaryDirectory(prefix="dondoc-mail-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # an unprivileged user delivers into it
        known = rf"^van-thu@{AGENCY}\.example$"
        postfix = Postfix(
            folder,
            smtp_port,
            domains=f"{DOMAIN} {AGENCY}.example {OTHER}.example",
            mailboxes={rf"^b\+.*@{DOMAIN}$": "returns", known: "agency"},
        )
        authority = Authority(tmp_path, "authority")
        dovecot = Dovecot(folder, imap_port, authority.issue("dovecot"))
        postfix.start()
        dovecot.start()
        yield MailSystem(
            postfix=postfix,
            dovecot=dovecot,
            settings={
                "DONDOC_NOTIFIER_SMTP_PORT": str(smtp_port),
                "DONDOC_NOTIFIER_SMTP_TIMEOUT_SECONDS": "20",
                "DONDOC_NOTIFIER_BOUNCE_DOMAIN": DOMAIN,
                "DONDOC_NOTIFIER_BOUNCE_KEY": KEY,
                "DONDOC_NOTIFIER_IMAP_HOST": "127.0.0.1",
                "DONDOC_NOTIFIER_IMAP_PORT": str(imap_port),
                "DONDOC_NOTIFIER_IMAP_SECURITY": "starttls",
                "DONDOC_NOTIFIER_IMAP_CA_FILE": str(authority.certificate),
                "DONDOC_NOTIFIER_IMAP_USER": "returns",
                "DONDOC_NOTIFIER_IMAP_PASSWORD": PASSWORD,
            },
        )
        dovecot.stop()
        postfix.stop()


async def test_a_mail_to_nobody_bounces_and_a_delivered_one_is_confirmed(
    notifier: NotifierClient, start: Start, mail_system: MailSystem
) -> None:
    """Both were accepted by the relay; its reports come by the return mailbox, beside rubbish that says nothing."""
    rubbish = mail_system.postfix.folder / "mail" / "returns" / "new"
    rubbish.mkdir(parents=True)
    (rubbish / "1.rubbish").write_bytes(b"From: \xff\r\nContent-Type: multipart/report; report-type=\x00\r\n\r\n")
    for path in (rubbish / "1.rubbish", rubbish, rubbish.parent):
        os.chown(path, MAIL_USER, MAIL_USER)
    await notifier.publish_documents()
    await notifier.load_contacts(a_contact(AGENCY), a_contact(OTHER))
    notifier.set_clock(DUE - timedelta(days=6, hours=12))
    service = start(**mail_system.settings)
    await notifier.publish_assessments(*(an_assessment(a_step(7), agency=one) for one in (AGENCY, OTHER)))

    async def find_outcomes() -> dict[str, AttemptOutcome]:
        events = [one.data for one in await notifier.read_events()]
        last = {
            one.to_agency: one for one in sorted(events, key=lambda one: one.outcome is not AttemptOutcome.ACCEPTED)
        }
        found = {agency: one.outcome for agency, one in last.items()}
        return found if AttemptOutcome.ACCEPTED not in found.values() and len(found) == 2 else {}

    outcomes = await eventually(find_outcomes, "a report on both mails")
    assert outcomes == {AGENCY: AttemptOutcome.CONFIRMED, OTHER: AttemptOutcome.BOUNCED}
    suspended = {
        one["agency"]: one["suspended"]["reason"] for one in notifier.database["contacts"].find() if "suspended" in one
    }
    assert suspended == {OTHER: "dsn_5.1.1"}
    assert mail_system.postfix.count_mails("agency") == 1
    await eventually(lambda: not list(rubbish.iterdir()), "every mail read")
    assert service.read_metric("notifier_return_mailbox_open") == 1


async def test_where_mail_bounces_its_alert_and_the_next_go_by_sms(
    notifier: NotifierClient, start: Start, mail_system: MailSystem, tmp_path: Path
) -> None:
    """Mail comes first for offices: no SMS goes out beside it, only once nobody has the address; then no mail does."""
    smtp = {"host": "127.0.0.1", "port": int(mail_system.settings["DONDOC_NOTIFIER_SMTP_PORT"]), "security": "none"}
    smpp = {"host": "127.0.0.1", "port": notifier.smsc.port, "system_id": "dondoc", "password": "dondoc", "sender": "B"}
    routes = [{"name": "mail", "channel": "email", "smtp": smtp}, {"name": "text", "channel": "sms", "smpp": smpp}]
    (tmp_path / "routes.yaml").write_text(json.dumps({"routes": routes, "order": {"office": ["email", "sms"]}}))
    await notifier.publish_documents()
    await notifier.load_contacts(a_contact(OTHER), a_contact(OTHER, Channel.SMS, "+84912345678"))
    notifier.set_clock(DUE - timedelta(days=6, hours=12))
    start(**mail_system.settings, DONDOC_NOTIFIER_ROUTES=str(tmp_path / "routes.yaml"))
    await notifier.publish_assessments(an_assessment(a_step(7), a_step(1), agency=OTHER))

    def count_suspended() -> int:
        return notifier.database["contacts"].count_documents({"suspended": {"$exists": True}})

    await eventually(count_suspended, "the address of the mail that bounced suspended")
    await eventually(notifier.smsc.messages, "the same reminder by SMS")
    notifier.set_clock(DUE - timedelta(hours=12))
    await eventually(lambda: len(notifier.smsc.messages()) == 2, "the next reminder by SMS")
    await notifier.wait_until_idle()
    told = [(one.data.channel, one.data.step) for one in await notifier.read_events()]
    assert sorted({*told}) == [(Channel.EMAIL, "P7D"), (Channel.SMS, "P1D"), (Channel.SMS, "P7D")]
