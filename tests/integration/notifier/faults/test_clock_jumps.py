"""The clock of the process jumps while messages are on the wire: leases are judged by the database's clock alone."""

import asyncio
from collections import Counter
from datetime import timedelta

from schemas.events.deliveries import AttemptOutcome
from tests.integration.notifier.conftest import Start
from tests.support.assertions.eventually import eventually
from tests.support.builders import plans
from tests.support.clients.notifier import DUE, NotifierClient, a_contact, a_step, an_assessment
from tests.support.faults import tcp_forwarder

FALLS_DUE = DUE - timedelta(days=6, hours=12)
AGENCIES = [f"a-{number:03d}" for number in range(120)]
LEASE_SECONDS = 30  # longer than the test
JUMP = timedelta(hours=2)  # far beyond the lease, and within the sending hours
ANSWER_SECONDS = 0.05


async def test_no_jump_of_the_clock_makes_a_live_claim_unknown_or_sends_twice(
    notifier: NotifierClient, start: Start
) -> None:
    """Forward and back by two hours, again and again, with two notifiers that could take each other for dead."""
    await notifier.publish_documents(plans.a_registry(*map(plans.an_agency, AGENCIES)), plans.a_plan())
    await notifier.load_contacts(*map(a_contact, AGENCIES))
    notifier.set_clock(FALLS_DUE)
    begun = {"state": "begun", "claim": {"$exists": True}}
    jumps = 0
    async with tcp_forwarder.open_forwarder(notifier.smtp.port, delay_seconds=ANSWER_SECONDS) as mail:
        settings = {
            "DONDOC_NOTIFIER_SMTP_PORT": str(mail.port),
            "DONDOC_NOTIFIER_SMTP_TIMEOUT_SECONDS": str(LEASE_SECONDS),
            "DONDOC_NOTIFIER_LEASE_SECONDS": str(LEASE_SECONDS),
        }
        for _ in range(2):
            start(**settings)
        await notifier.publish_assessments(*(an_assessment(a_step(7), agency=one) for one in AGENCIES))
        deliveries = notifier.database["deliveries"]
        await eventually(lambda: deliveries.count_documents(begun), "mails on the wire")
        while deliveries.count_documents({"state": "accepted"}) < len(AGENCIES):
            jumps += deliveries.count_documents(begun) > 0
            notifier.set_clock(FALLS_DUE + JUMP * (jumps % 2))
            await asyncio.sleep(1.1)  # past a look for what dead processes left
        await notifier.wait_until_idle()
    attempts = await notifier.wait_for_attempts(len(AGENCIES))
    print(
        f"\n{jumps} jumps of the clock while mails were on the wire: {Counter(one.outcome.value for one in attempts)}"
    )
    assert jumps > 1
    assert Counter(one.outcome for one in attempts) == {AttemptOutcome.ACCEPTED: len(AGENCIES)}
    assert len(notifier.smtp.mails()) == len(AGENCIES)
