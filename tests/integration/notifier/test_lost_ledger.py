"""A ledger that is lost or older than the log learns from the log what was sent, and until then nothing is sent."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from schemas.events.deliveries import AttemptOutcome, Channel
from schemas.events.topics import DELIVERIES, VERDICTS
from services.notifier.settings import GROUP
from tests.integration.notifier.conftest import Start
from tests.support.assertions.eventually import eventually
from tests.support.builders import plans
from tests.support.clients.notifier import AGENCY, DUE, NotifierClient, a_contact, a_step, an_assessment, an_event_of
from tests.support.matrix import matrix
from tests.support.servers.mongo import Database
from tests.support.servers.services import Service

NOW = DUE - timedelta(days=2, hours=12)
NUMBER = "+84912345678"
STEPS = (a_step(30), a_step(14), a_step(7), a_step(3), a_step(1))
LEDGER = ("agendas", "deliveries", "checkpoints", "ended_alerts")


async def send_to_all(notifier: NotifierClient, start: Start) -> Service:
    """Let every agency have one mail and one SMS, from a notifier that is returned running."""
    await notifier.publish_documents()
    await load_contacts(notifier)
    notifier.set_clock(NOW)
    service = start()
    await notifier.publish_assessments(*(an_assessment(*STEPS, agency=agency) for agency in plans.AGENCIES))
    await wait_until_read(notifier)
    await notifier.wait_for_attempts(2 * len(plans.AGENCIES))
    return service


async def load_contacts(notifier: NotifierClient) -> None:
    """Give every agency a mail address and a number."""
    numbered = (
        a_contact(one, channel=Channel.SMS, address=f"{NUMBER[:-1]}{i}") for i, one in enumerate(plans.AGENCIES)
    )
    await notifier.load_contacts(*map(a_contact, plans.AGENCIES), *numbered)


async def wait_until_read(notifier: NotifierClient) -> None:
    """Wait until the notifier has read the verdicts and its own deliveries, and has nothing to send or publish."""
    for topic in (VERDICTS.name, DELIVERIES.name):
        await notifier.bus.wait_until_consumed(GROUP, topic)
    await notifier.wait_until_idle()


async def wait_until_ready(service: Service) -> None:
    """Wait until the service has read again what it must."""
    await eventually(service.is_ready, "a notifier that is ready", timeout=60)


def count_sent(notifier: NotifierClient) -> tuple[int, int]:
    """Return how many mails and SMS were sent."""
    return len(notifier.smtp.mails()), len(notifier.smsc.messages())


@pytest.mark.parametrize(
    "is_running", matrix([True, False], in_every_run=1), ids=["while it runs", "while it is stopped"]
)
async def test_after_the_loss_of_the_database_nothing_is_sent_again(
    notifier: NotifierClient, start: Start, *, is_running: bool
) -> None:
    """What was sent is known from the deliveries; what comes after is sent, once."""
    service = await send_to_all(notifier, start)
    if is_running:
        notifier.database.drop()
        await eventually(lambda: service.readiness().get("ledger") is False, "a notifier that is not ready")
    else:
        service.stop()
        notifier.database.drop()
        service = start(ready=False)
    await load_contacts(notifier)
    await wait_until_ready(service)
    await wait_until_read(notifier)
    assert count_sent(notifier) == (3, 3)
    notifier.set_clock(DUE - timedelta(hours=12))
    await notifier.wait_for_mails(6)
    await notifier.wait_for_attempts(12)
    await wait_until_read(notifier)
    assert count_sent(notifier) == (6, 6)
    steps = Counter((one.to_agency, one.step, one.channel) for one in await notifier.read_attempts())
    assert set(steps.values()) == {1}


@pytest.mark.chaos
async def test_while_it_reads_again_it_refuses_to_be_ready_and_sends_nothing(
    notifier: NotifierClient, start: Start
) -> None:
    """A due alert waits until everything that was sent is known, however long that takes."""
    service = await send_to_all(notifier, start)
    service.stop()
    notifier.database.drop()
    await load_contacts(notifier)
    notifier.set_clock(DUE - timedelta(hours=12))  # the reminder of the last day is due
    service = start(ready=False, DONDOC_NOTIFIER_LEASE_SECONDS="8")
    await eventually(lambda: service.readiness().get("database"), "a notifier that answers", timeout=60)
    await eventually(lambda: notifier.database["agendas"].count_documents({}) == 3, "three schedules", timeout=60)
    assert service.readiness()["ledger"] is False
    assert count_sent(notifier) == (3, 3)
    await wait_until_ready(service)
    await notifier.wait_for_mails(6)
    await notifier.wait_for_attempts(12)
    assert [one.step for one in (await notifier.read_attempts())[6:]] == ["P1D"] * 6


async def test_the_channel_that_was_not_reached_yet_is(notifier: NotifierClient, start: Start) -> None:
    """A mail that went out says nothing about the SMS, which was refused and is sent after the loss."""
    notifier.smsc.inject_faults({f"{NUMBER[1:-1]}0": [{"status": 0x58, "times": 0}]})
    service = await send_to_all(notifier, start)
    service.stop()
    notifier.database.drop()
    notifier.smsc.inject_faults({})
    await load_contacts(notifier)
    service = start(ready=False)
    await wait_until_ready(service)
    await wait_until_read(notifier)
    assert count_sent(notifier) == (3, 3)
    last = (await notifier.wait_for_attempts(7))[-1]
    assert (last.to_agency, last.channel, last.outcome) == (AGENCY, Channel.SMS, AttemptOutcome.ACCEPTED)


def save_ledger(database: Database) -> Callable[[], None]:
    """Copy the ledger; return a function that puts the copy back as a restored file system would: same collections."""
    saved = {name: database.documents(name) for name in LEDGER}

    def restore() -> None:
        for name, documents in saved.items():
            database[name].delete_many({})
            if documents:
                database[name].insert_many(documents)

    return restore


@pytest.mark.parametrize(
    "is_running", matrix([True, False], in_every_run=1), ids=["while it runs", "while it is stopped"]
)
async def test_an_older_ledger_learns_what_was_sent_since(
    notifier: NotifierClient, start: Start, *, is_running: bool
) -> None:
    """Deliveries that the copy has as unsent, and alerts that it has as waiting, are not sent again."""
    notifier.smtp.inject_faults({f"van-thu@{AGENCY}.example": [{"rcpt": "452 4.2.2 Mailbox full"}]})
    service = await send_to_all(notifier, start)
    restore = save_ledger(notifier.database)
    notifier.set_clock(DUE - timedelta(hours=12))
    await notifier.wait_for_mails(6)
    await wait_until_read(notifier)
    sent = count_sent(notifier)
    if is_running:
        service.pause()  # a copy of the files is put back at once, not one collection after another
        restore()
        service.resume()
        await eventually(lambda: service.readiness().get("ledger") is False, "a notifier that is not ready")
    else:
        service.stop()
        restore()
        service = start(ready=False)
    await wait_until_ready(service)
    await wait_until_read(notifier)
    assert count_sent(notifier) == sent
    delivered = [one for one in await notifier.read_attempts() if one.outcome is AttemptOutcome.ACCEPTED]
    assert max(Counter((one.alert, one.channel) for one in delivered).values()) == 1


@pytest.mark.chaos
async def test_without_contacts_alerts_stay_due_after_a_loss(notifier: NotifierClient, start: Start) -> None:
    """Contacts are nowhere else; when they are loaded again, what was not sent goes out."""
    service = await send_to_all(notifier, start)
    notifier.database.drop()
    await wait_until_ready(service)
    notifier.set_clock(DUE - timedelta(hours=12))
    await eventually(lambda: notifier.database["agendas"].count_documents({"unreached": True}) == 3, "three unreached")
    await load_contacts(notifier)
    await notifier.wait_for_attempts(15)
    await wait_until_read(notifier)
    assert count_sent(notifier) == (6, 6)


async def test_another_content_of_the_same_revision_is_refused(notifier: NotifierClient, start: Start) -> None:
    """After a restart and within one batch: the first stays, the other goes to the dead letters, counted."""
    await notifier.publish_documents()
    await notifier.load_contacts()
    notifier.set_clock(DUE - timedelta(days=20))
    first, forged = an_assessment(a_step(7)), an_assessment(a_step(7, at=NOW - timedelta(days=30)))
    await notifier.publish_assessments(first, forged)
    service = start()
    await notifier.wait_until_followed()
    service.restart()
    await notifier.publish_assessments(first, forged)
    await notifier.wait_until_followed()
    await eventually(lambda: len(notifier.database.documents("agendas")) == 1, "a schedule")
    letters = await notifier.bus.records(VERDICTS.dead_letter)
    assert [one.json for one in letters] == [an_event_of(forged)] * 2
    assert all(b"ContentConflict" in one.headers["dondoc-reason"] for one in letters)
    await notifier.wait_until_idle()
    assert not notifier.smtp.mails()


async def test_a_log_that_became_shorter_is_named(notifier: NotifierClient, start: Start) -> None:
    """The verdicts are made anew while the notifier runs: `/readyz` names the log; what is stored is kept."""
    service = await send_to_all(notifier, start)
    kept: list[Any] = notifier.database.documents("deliveries")
    await notifier.bus.recreate_topics(VERDICTS.name)
    await notifier.publish_assessments(an_assessment(a_step(1), agency=AGENCY, revision=9))
    await eventually(lambda: service.readiness().get("log") is False, "a failed check of the log", timeout=60)
    await wait_until_read(notifier)
    assert notifier.database.documents("deliveries") == kept
    assert count_sent(notifier) == (3, 3)
