"""Two notifiers share a ledger while a deadline night goes out, and are stopped past their lease, or killed.

Nothing is lost, a second copy of a mail has an `unknown` beside it, and each stop or kill makes at most a window of
each route unknown. `make test` takes a short one of each, `make chaos` a long one.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from schemas.events.deliveries import Channel
from tests.integration.notifier.conftest import Start
from tests.support.assertions import delivery_counts
from tests.support.assertions.eventually import eventually
from tests.support.builders import plans
from tests.support.clients.notifier import DUE, NotifierClient, a_contact, a_step, an_assessment
from tests.support.faults import tcp_forwarder
from tests.support.matrix import matrix
from tests.support.servers.services import Service

FALLS_DUE = DUE - timedelta(days=6, hours=12)
CONNECTIONS = 4  # to the mail server
WINDOW = 32  # of each route: eight mails begun for each connection, and the window of SMPP
ANSWER_SECONDS = 0.02  # later than the server says it, so that messages are on the wire whenever something happens
LEASE_SECONDS = 2.0
PAST_LEASE_SECONDS = LEASE_SECONDS + 1.5  # and past the look for what dead processes left, once a second
TICK_SECONDS = 0.5
MOST_MINUTES = 280  # within the sending hours
WITH_SMS = 3  # every third agency has a number as well
SETTINGS = {"DONDOC_NOTIFIER_LEASE_SECONDS": str(LEASE_SECONDS), "DONDOC_NOTIFIER_RETRY_FIRST_SECONDS": "0.01"}


@dataclass
class DeadlineNight:
    """Alerts of many agencies that fall due at once, and the notifiers that send them."""

    notifier: NotifierClient
    start: Start
    settings: dict[str, str]
    agencies: list[str] = field(default_factory=list)
    numbers: dict[str, str] = field(default_factory=dict)
    running: list[Service] = field(default_factory=list)
    minutes: int = 0

    async def prepare(self, count: int) -> None:
        """Publish a plan and load the contacts of *count* agencies, and start two notifiers."""
        self.agencies = [f"a-{number:04d}" for number in range(count)]
        self.numbers = {one: f"+8491{number:07d}" for number, one in enumerate(self.agencies) if not number % WITH_SMS}
        await self.notifier.publish_documents(plans.a_registry(*map(plans.an_agency, self.agencies)), plans.a_plan())
        texted = [a_contact(one, channel=Channel.SMS, address=number) for one, number in self.numbers.items()]
        await self.notifier.load_contacts(*map(a_contact, self.agencies), *texted)
        self.notifier.set_clock(FALLS_DUE)
        self.running = [self.start(**self.settings), self.start(**self.settings)]

    async def publish(self, agencies: Sequence[str]) -> None:
        """Let the alerts of *agencies* fall due."""
        await self.notifier.publish_assessments(*(an_assessment(a_step(7), agency=one) for one in agencies))

    async def stop_past_lease(self, service: Service) -> None:
        """Suspend *service* until the others take it for dead and have sent what it held; then let it go on."""
        service.pause()
        await asyncio.sleep(PAST_LEASE_SECONDS)
        self.pass_minute()
        service.resume()

    def kill(self, service: Service) -> None:
        """Kill *service*, and start another one in its place."""
        service.kill()
        self.running.remove(service)
        self.running.append(self.start(ready=False, **self.settings))

    def pass_minute(self) -> None:
        """Move the clock past the pauses before second attempts."""
        self.minutes += 1
        self.notifier.set_clock(FALLS_DUE + timedelta(minutes=self.minutes))

    def count_arrived(self) -> int:
        """Return how many mails have arrived."""
        return sum(1 for _ in self.notifier.smtp.mailbox.folder.glob("*.eml"))

    async def wait_until_arrived(self, count: int) -> None:
        """Wait until *count* mails have arrived."""
        await eventually(lambda: self.count_arrived() >= count, f"{count} mails")

    async def wait_until_over(self) -> None:
        """Wait until nothing is left to be sent, recovered or published."""
        await self.notifier.wait_until_followed()
        deliveries = self.notifier.database["deliveries"]
        ended = {"next_at": {"$exists": False}, "claim": {"$exists": False}}

        while deliveries.count_documents(ended) < len(self.agencies) + len(self.numbers):
            assert self.minutes < MOST_MINUTES, deliveries.find_one({"next_at": {"$exists": True}})
            self.pass_minute()
            await asyncio.sleep(TICK_SECONDS)
        await self.notifier.wait_until_idle()


@pytest.fixture
async def night(notifier: NotifierClient, start: Start) -> AsyncIterator[DeadlineNight]:
    """A deadline night with servers that answer late."""
    smtp, smsc = notifier.smtp.port, notifier.smsc.port
    async with (
        tcp_forwarder.open_forwarder(smtp, delay_seconds=ANSWER_SECONDS) as mail,
        tcp_forwarder.open_forwarder(smsc, delay_seconds=ANSWER_SECONDS) as sms,
    ):
        ports = {"DONDOC_NOTIFIER_SMTP_PORT": str(mail.port), "DONDOC_NOTIFIER_SMPP_PORT": str(sms.port)}
        yield DeadlineNight(notifier, start, SETTINGS | ports)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("count", "rounds"), matrix([(120, 1), (1_200, 4)], in_every_run=1))
async def test_two_notifiers_stopped_past_their_lease_in_turn_send_nothing_twice_unseen(
    night: DeadlineNight, count: int, rounds: int
) -> None:
    """Whoever goes on after its lease finds its claims gone: it sends and records nothing of what it held."""
    await night.prepare(count)
    turns = [service for _ in range(rounds) for service in night.running]
    share = count // len(turns)
    for turn, service in enumerate(turns):
        before = night.count_arrived()
        await night.publish(night.agencies[turn * share : (turn + 1) * share])
        await night.wait_until_arrived(before + 1)
        await night.stop_past_lease(service)
    await night.wait_until_over()
    await check(night, interruptions=len(turns), name="stopped past the lease")


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("count", "strokes"), matrix([(120, 3), (2_000, 20)], in_every_run=1))
async def test_a_storm_of_kills_and_stops_loses_nothing_and_doubles_nothing_unseen(
    night: DeadlineNight, count: int, strokes: int
) -> None:
    """Whichever of two notifiers is killed, or stopped past its lease, and whenever."""
    await night.prepare(count)
    chance = random.Random(6766)  # noqa: S311 - who is hit when must be repeatable, not secret
    share = count // strokes
    for stroke in range(strokes):
        before = night.count_arrived()
        await night.publish(night.agencies[stroke * share : (stroke + 1) * share])
        awaited = before + chance.randrange(1, share // 2)
        await night.wait_until_arrived(awaited)
        await asyncio.sleep(chance.uniform(0.0, ANSWER_SECONDS))
        victim = chance.choice(night.running)
        if stroke % 2:
            await night.stop_past_lease(victim)
        else:
            night.kill(victim)
    await night.wait_until_over()
    await check(night, interruptions=strokes, name="storm")


async def check(night: DeadlineNight, *, interruptions: int, name: str) -> None:
    """Print the counts; fail if anything is lost or doubled unseen, or more is unknown than was begun.

    Only mails that were on the wire may have a second copy, and no SMS.
    """
    counts = await delivery_counts.count_deliveries(night.notifier, night.agencies, night.numbers)
    print(f"\n{name}, {interruptions} times:", *counts, sep="\n  ")
    mails, messages = counts
    assert mails.ids == len(night.agencies)
    assert [(one.lost, one.doubled_unseen) for one in counts] == [(0, 0)] * 2
    assert [one for one in counts if one.unknown > WINDOW * interruptions] == []
    assert mails.doubled <= CONNECTIONS * interruptions
    assert messages.doubled == 0
