"""What `dondoc notify` has put on record is effective within a second, while mails go out to a slow server."""

import asyncio
import json
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from services.console.main import app
from tests.integration.notifier.conftest import Start
from tests.support.assertions.eventually import eventually
from tests.support.builders import plans
from tests.support.clients.notifier import AGENCY, DUE, NotifierClient, a_contact, a_step, an_assessment
from tests.support.faults import tcp_forwarder
from tests.support.faults.tcp_forwarder import TcpForwarder
from tests.support.matrix import matrix

NOW = DUE - timedelta(days=6, hours=12)
UNTIL = NOW + timedelta(hours=1)
MAILS = 150  # to people of one agency
ANSWER_SECONDS = 0.1  # four answers a mail: ten mails a second, so that a window of 32 lasts for three
EFFECTIVE_SECONDS = 1.0
WATCHED_SECONDS = 1.5  # in which a window would have gone out
# The clock stands still, so an attempt that timed out on a busy machine would never be made again. What a turn that
# failed had claimed is free again when the lease ends, which is sooner than a test stops waiting.
UNHURRIED = {"DONDOC_NOTIFIER_LEASE_SECONDS": "30", "DONDOC_NOTIFIER_SMTP_TIMEOUT_SECONDS": "20"}
WHO = {"author": "Lê Thị B", "reason": "Sở đang sáp nhập"}
TARGETS = (("--all",), ("--route", "smtp"), ("--plan", plans.PLAN), ("--agency", AGENCY))


class Console:
    """Runs `dondoc notify` on the notifier's database."""

    def __init__(self, notifier: NotifierClient, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("DONDOC_MONGO_URL", "DONDOC_NOTIFIER_MONGO_DATABASE", "DONDOC_CLOCK"):
            monkeypatch.setenv(name, notifier.settings[name])

    async def notify(self, *arguments: str) -> list[Mapping[str, Any]]:
        """Run one command, and return the rows that it prints."""
        # In a thread, because a command runs an event loop of its own.
        result = await asyncio.to_thread(CliRunner().invoke, app, ["notify", *arguments])
        assert result.exit_code == 0, result.output
        return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize("command", matrix(["stop", "silence"], in_every_run=1))
async def test_no_mail_begins_later_than_a_second_after_the_command(
    notifier: NotifierClient, start: Start, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Everything, a route, a plan and an agency, one after another; in the end each mail has gone out once."""
    console = Console(notifier, monkeypatch)
    await notifier.publish_documents()
    await notifier.load_contacts(*(a_contact(address=f"p{number:03d}@x.example") for number in range(MAILS)))
    notifier.set_clock(NOW)
    async with tcp_forwarder.open_forwarder(notifier.smtp.port, delay_seconds=ANSWER_SECONDS) as way:
        start(DONDOC_NOTIFIER_SMTP_PORT=str(way.port), **UNHURRIED)
        await notifier.publish_assessments(an_assessment(a_step(7)))
        latest = [await _hold_and_watch(console, way, command, target) for target in TARGETS]
        way.delay_seconds = 0.0
        await notifier.wait_for_mails(MAILS)
    await notifier.wait_until_idle()
    print(f"\n{command}: the last mail began {max(latest):.2f} s after the command, of {len(latest)} times")
    assert max(latest) <= EFFECTIVE_SECONDS
    assert len(notifier.smtp.mails()) == MAILS
    on_record = await console.notify("silences", "--ever")
    assert {one["scope"] for one in on_record} == {"all", "route", "plan", "agency"}
    until = UNTIL.isoformat(timespec="milliseconds") if command == "silence" else None
    told = {(one["author"], one["reason"], one["until"], one["lifted_by"]) for one in on_record}
    assert told == {(WHO["author"], WHO["reason"], until, WHO["author"])}


async def _hold_and_watch(console: Console, way: TcpForwarder, command: str, target: tuple[str, ...]) -> float:
    """Hold back *target* while mails go out; return how long after the command the last one began, then resume."""
    seen = len(_read_begins(way))
    await eventually(lambda: len(_read_begins(way)) > seen + 4, "mails on their way")
    end = ("--until", UNTIL.isoformat()) if command == "silence" else ()
    await console.notify(command, *target, *end, *(word for name, said in WHO.items() for word in (f"--{name}", said)))
    returned_at = time.monotonic()
    await asyncio.sleep(WATCHED_SECONDS)
    begins = _read_begins(way)
    assert len(begins) < MAILS
    await console.notify("resume", *target, "--author", WHO["author"])
    return max(begins) - returned_at


def _read_begins(way: TcpForwarder) -> list[float]:
    """Return when each mail began: when its MAIL command was on the wire."""
    return [at for at, chunk in way.sent if chunk.startswith(b"MAIL FROM")]
