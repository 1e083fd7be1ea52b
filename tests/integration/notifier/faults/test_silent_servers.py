"""Servers that fall silent: an idle link dropped without a word, a relay that hangs, a centre that never answers.

No other channel waits for them. What was on the wire is unknown, the rest waits until the server is back, and the
circuit breaker and readiness say so.
"""

import asyncio
import itertools
import time
from collections import Counter
from datetime import timedelta

from schemas.events.deliveries import AlertAttempted, AttemptOutcome, Channel
from services.notifier.channels.email import EmailChannel
from services.notifier.channels.message_channel import OutgoingMessage
from services.notifier.channels.smtp_session import SmtpServer
from services.notifier.core.rendering.render import RenderedMessage
from tests.integration.notifier.conftest import Start
from tests.support.assertions.eventually import eventually
from tests.support.builders import plans
from tests.support.clients.notifier import DUE, NotifierClient, a_contact, a_step, an_assessment
from tests.support.faults import tcp_forwarder
from tests.support.faults.tcp_forwarder import TcpForwarder

NOW = DUE - timedelta(days=6, hours=12)
AGENCIES = [f"a-{number:03d}" for number in range(60)]
NUMBERS = {agency: f"+8491{number:07d}" for number, agency in enumerate(AGENCIES)}
CONNECTIONS, WINDOW = 4, 32
LEASE = {"DONDOC_NOTIFIER_LEASE_SECONDS": "30"}  # longer than any test: nothing becomes unknown because of it
# An answer that a busy machine delays is not taken for silence.
UNHURRIED = {"DONDOC_NOTIFIER_SMTP_TIMEOUT_SECONDS": "5", "DONDOC_NOTIFIER_SMPP_TIMEOUT_SECONDS": "5"}
TIMEOUT_SECONDS = 5.0
MAIL = OutgoingMessage(
    id="ab" * 32,
    address="van-thu@x.example",
    message_id="<ab@dondoc.example>",
    language="vi",
    content=RenderedMessage(subject="Nhắc hạn", body="Kính gửi", html="<p>Kính gửi</p>", segments=None),
    at=NOW,
)


def a_server(way: TcpForwarder, *, timeout_seconds: float = TIMEOUT_SECONDS) -> SmtpServer:
    """Return the mail server at the other end of *way*."""
    return SmtpServer(
        host="127.0.0.1",
        port=way.port,
        user=None,
        password=None,
        security="none",
        ca_file=None,
        timeout_seconds=timeout_seconds,
        sender="don-doc@dondoc.example",
        sender_name="",
    )


async def prepare(notifier: NotifierClient) -> None:
    """Publish the documents, and load a mail address and a number of each agency."""
    await notifier.publish_documents(plans.a_registry(*map(plans.an_agency, AGENCIES)), plans.a_plan())
    texted = [a_contact(one, channel=Channel.SMS, address=number) for one, number in NUMBERS.items()]
    await notifier.load_contacts(*map(a_contact, AGENCIES), *texted)
    notifier.set_clock(NOW)


async def publish(notifier: NotifierClient, *agencies: str) -> None:
    """Let the alerts of *agencies* fall due."""
    await notifier.publish_assessments(*(an_assessment(a_step(7), agency=one) for one in agencies))


def outcomes_on(attempts: list[AlertAttempted], channel: Channel) -> Counter[AttemptOutcome]:
    """Count the outcomes on one channel."""
    return Counter(one.outcome for one in attempts if one.channel is channel)


async def test_links_that_were_dropped_while_idle_lose_nothing(notifier: NotifierClient, start: Start) -> None:
    """Both servers were spoken to, then a firewall forgets the connections: nothing is unknown, nothing comes twice."""
    await prepare(notifier)
    first, *others = AGENCIES
    async with (
        tcp_forwarder.open_forwarder(notifier.smtp.port) as mail,
        tcp_forwarder.open_forwarder(notifier.smsc.port) as sms,
    ):
        ports = {"DONDOC_NOTIFIER_SMTP_PORT": str(mail.port), "DONDOC_NOTIFIER_SMPP_PORT": str(sms.port)}
        start(**ports, **LEASE, **UNHURRIED, DONDOC_NOTIFIER_SMPP_ENQUIRE_SECONDS="0.5")
        await publish(notifier, first)
        await notifier.wait_for_attempts(2)
        forgotten = [mail.forget_flows(), sms.forget_flows()]
        await asyncio.sleep(1.0)
        await publish(notifier, *others)
        await notifier.wait_for_mails(len(AGENCIES))
        notifier.set_clock(NOW + timedelta(minutes=10))
        await eventually(lambda: len(notifier.smsc.messages()) == len(AGENCIES), "every SMS")
        await notifier.wait_until_idle()
    attempts = await notifier.read_attempts()
    assert min(forgotten) > 0
    assert outcomes_on(attempts, Channel.EMAIL) == {AttemptOutcome.ACCEPTED: len(AGENCIES)}
    assert outcomes_on(attempts, Channel.SMS)[AttemptOutcome.UNKNOWN] == 0
    assert len(notifier.smtp.mails()) == len(AGENCIES)


async def test_a_connection_that_was_idle_for_long_is_not_used_again(notifier: NotifierClient) -> None:
    """A mail after a quiet hour waits for no timeout of a connection that a firewall has forgotten."""
    async with tcp_forwarder.open_forwarder(notifier.smtp.port) as way:
        channel = EmailChannel(a_server(way), connections=1, idle_seconds=0.2)
        assert (await channel.send(MAIL)).outcome is AttemptOutcome.ACCEPTED
        way.forget_flows()
        await asyncio.sleep(0.3)
        began = time.monotonic()
        assert (await channel.send(MAIL)).outcome is AttemptOutcome.ACCEPTED
        await channel.close()
    assert time.monotonic() - began < TIMEOUT_SECONDS / 2
    assert way.accepted == 2


async def test_one_dead_connection_tells_of_the_others(notifier: NotifierClient) -> None:
    """Of several idle connections that were dropped, one timeout is waited for, not one for each."""
    async with tcp_forwarder.open_forwarder(notifier.smtp.port) as way:
        channel = EmailChannel(a_server(way, timeout_seconds=1.0), connections=CONNECTIONS)
        way.delay_seconds = 0.1
        await asyncio.gather(*(channel.send(MAIL) for _ in range(CONNECTIONS)))
        way.delay_seconds = 0.0
        assert way.forget_flows() == CONNECTIONS
        began = time.monotonic()
        assert (await channel.send(MAIL)).outcome is AttemptOutcome.ACCEPTED
        await channel.close()
    assert time.monotonic() - began < 2.0


async def test_a_relay_that_hangs_holds_up_no_sms_and_loses_no_mail(notifier: NotifierClient, start: Start) -> None:
    """It answers nothing any more, in the middle of a night; what it may have is unknown and comes again, once."""
    await prepare(notifier)
    async with tcp_forwarder.open_forwarder(notifier.smtp.port, delay_seconds=0.05) as mail:
        service = start(**LEASE, **UNHURRIED, DONDOC_NOTIFIER_SMTP_PORT=str(mail.port))
        await publish(notifier, *AGENCIES)
        await notifier.wait_for_mails(CONNECTIONS * 2)
        mail.is_mute = True
        await eventually(lambda: len(notifier.smsc.messages()) == len(AGENCIES), "every SMS")
        await eventually(lambda: service.readiness().get("routes") is False, "a notifier that says so")
        assert service.read_metric('notifier_route_open{route="smtp"}') == 1.0
        mail.is_mute = False
        minutes = itertools.count(1)

        async def has_every_mail() -> bool:
            # Each poll is a minute: what fails on a busy machine is tried again.
            notifier.set_clock(NOW + timedelta(minutes=next(minutes)))
            await asyncio.sleep(0.2)
            return len({str(one["To"]) for one in notifier.smtp.mails()}) == len(AGENCIES)

        await eventually(has_every_mail, "every mail")
        await eventually(lambda: service.readiness().get("routes"), "a route that works again")
        await notifier.wait_until_idle()
    mails = outcomes_on(await notifier.read_attempts(), Channel.EMAIL)
    assert mails[AttemptOutcome.ACCEPTED] == len(AGENCIES)
    assert mails[AttemptOutcome.UNKNOWN] <= CONNECTIONS
    assert len(notifier.smtp.mails()) - len(AGENCIES) <= mails[AttemptOutcome.UNKNOWN]


async def test_a_centre_that_never_answers_holds_up_no_mail(notifier: NotifierClient, start: Start) -> None:
    """It answers the bind and no submission: at most a window is unknown, and none of that is sent again."""
    await prepare(notifier)
    silent = {number.removeprefix("+"): [{"silent": True, "times": 0}] for number in NUMBERS.values()}
    notifier.smsc.inject_faults(silent)
    service = start(**LEASE)
    await publish(notifier, *AGENCIES)
    await notifier.wait_for_mails(len(AGENCIES))
    await eventually(lambda: service.readiness().get("routes") is False, "a notifier that says so")
    assert service.read_metric('notifier_route_open{route="smpp"}') == 1.0
    await notifier.wait_for_attempts(len(AGENCIES) + WINDOW)
    taken = len(notifier.smsc.messages())
    notifier.smsc.inject_faults({})
    notifier.set_clock(NOW + timedelta(minutes=10))
    await eventually(lambda: service.readiness().get("routes"), "a route that works again")
    await eventually(lambda: len(notifier.smsc.messages()) == len(AGENCIES), "every SMS")
    await notifier.wait_until_idle()
    attempts = await notifier.read_attempts()
    assert outcomes_on(attempts, Channel.EMAIL) == {AttemptOutcome.ACCEPTED: len(AGENCIES)}
    assert outcomes_on(attempts, Channel.SMS)[AttemptOutcome.UNKNOWN] == taken <= WINDOW
    assert max(Counter(str(one["to"]) for one in notifier.smsc.messages()).values()) == 1
