"""A Postfix that takes twenty mails a minute from one client, by its own anvil(8): sixty mails, and nobody given up."""

import asyncio
import json
import re
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from deploy.local.process.ports import free_ports
from deploy.local.servers.message_servers import Smsc, Smtp
from tests.support.builders import plans
from tests.support.clients.notifier import DUE, NotifierClient, a_contact, a_step, an_assessment
from tests.support.mail.mail_system import Postfix
from tests.support.servers.kafka import Bus
from tests.support.servers.mongo import Database
from tests.support.servers.services import Launch
from tests.support.tools import needs

pytestmark = needs("postfix", package="postfix", as_root=True)

AGENCIES = [f"a-{number:02d}" for number in range(60)]
PER_MINUTE = 20
MOST_ATTEMPTS = 1.05
FALLS_DUE = DUE - timedelta(days=6, hours=12)
LONGEST = timedelta(minutes=16)  # three minutes of mail, and a rate that was learnt too low for a while
TICK_SECONDS = 0.25


@pytest.fixture
def postfix(tmp_path: Path) -> Iterator[tuple[Postfix, int]]:
    """Return a relay with a policy, and its port. The policy holds for this machine too, which Postfix would exempt."""
    del tmp_path
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory(prefix="dondoc-mail-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # an unprivileged user delivers into it
        policy = {"smtpd_client_message_rate_limit": str(PER_MINUTE), "smtpd_client_event_limit_exceptions": ""}
        domains = " ".join(f"{one}.example" for one in AGENCIES)
        server = Postfix(folder, port, domains=domains, mailboxes={"^van-thu@": "all"}, parameters=policy)
        server.start()
        yield server, port
        server.stop()


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("set_rate", [PER_MINUTE, None], ids=["the rate is set", "the rate is learnt"])
async def test_sixty_mails_through_twenty_a_minute(  # noqa: PLR0913, PLR0917 - its servers
    bus: Bus,
    database: Database,
    smtp: Smtp,
    smsc: Smsc,
    launch: Launch,
    tmp_path: Path,
    postfix: tuple[Postfix, int],
    set_rate: int | None,
) -> None:
    """Under 1.05 attempts a mail: on the wire where the rate is set, and of those that count where it is learnt."""
    relay, port = postfix
    notifier = NotifierClient(bus, database, smtp, smsc, tmp_path / "clock")
    notifier.set_clock(FALLS_DUE)
    await notifier.publish_documents(plans.a_registry(*map(plans.an_agency, AGENCIES)), plans.a_plan())
    await notifier.load_contacts(*map(a_contact, AGENCIES))
    server = {"host": "127.0.0.1", "port": port, "security": "none"}
    route = {"name": "relay", "channel": "email", "smtp": server, "per_minute": set_rate}
    (tmp_path / "routes.yaml").write_text(json.dumps({"routes": [route]}), encoding="ascii")
    settings = {"DONDOC_NOTIFIER_ROUTES": str(tmp_path / "routes.yaml"), "DONDOC_NOTIFIER_LEASE_SECONDS": "60"}
    launch("notifier", **notifier.settings | settings)
    await notifier.publish_assessments(*(an_assessment(a_step(7), agency=one) for one in AGENCIES))
    took = await _run_clock(notifier)
    await notifier.wait_until_idle()
    refused = len(re.findall("too much mail|rate limit", (relay.folder / "postfix.log").read_text(encoding="utf-8")))
    spent = sum(one["spent"] for one in database["deliveries"].find())
    print(f"\n60 mails, {'set' if set_rate else 'learnt'}: {refused} lines of refusals, {spent} attempts spent, {took}")
    assert set(database["deliveries"].distinct("state")) == {"accepted"}
    assert spent < MOST_ATTEMPTS * len(AGENCIES)
    attempts = await notifier.wait_for_attempts(len(AGENCIES))
    assert {one.to_agency for one in attempts if one.outcome == "accepted"} == set(AGENCIES)
    if set_rate:
        assert len(attempts) < MOST_ATTEMPTS * len(AGENCIES)


async def _run_clock(notifier: NotifierClient) -> timedelta:
    """Let the steered clock go as fast as Postfix' own until all are accepted; return how long that took."""
    started = time.monotonic()
    while notifier.database["deliveries"].count_documents({"state": "accepted"}) < len(AGENCIES):
        passed = timedelta(seconds=time.monotonic() - started)
        assert passed < LONGEST, notifier.database["deliveries"].distinct("state")
        notifier.set_clock(FALLS_DUE + passed)
        await asyncio.sleep(TICK_SECONDS)
    return timedelta(seconds=round(time.monotonic() - started))
