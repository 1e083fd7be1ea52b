"""Killed anywhere between its writes, the notifier loses no alert, and records what it may have sent twice."""

import ast
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schemas.events.deliveries import AttemptOutcome, Channel
from schemas.events.topics import VERDICTS
from services.notifier.settings import GROUP
from tests.integration.notifier.conftest import Start
from tests.support.assertions.eventually import eventually
from tests.support.builders import plans
from tests.support.clients.notifier import DUE, NotifierClient, a_contact, a_step, an_assessment, an_urging
from tests.support.faults import await_points, fault_plan
from tests.support.faults.await_points import AwaitPoint
from tests.support.matrix import matrix

NOW = DUE - timedelta(days=6, hours=12)
OVERDUE = DUE + timedelta(days=1, hours=12)  # the letter of an urging tells of the past, which is read on the way
EMAIL = "services.notifier.channels.email"
SMS = "services.notifier.channels.sms_smpp"

# Everything that runs between a verdict that is stored and an event that is published.
DISPATCHING = (
    "services.notifier.dispatch.dispatcher",
    "services.notifier.dispatch.store",
    "services.notifier.digest_scheduler",
    "services.notifier.outbox",
    "services.notifier.ledger",
    "services.notifier.dispatch.attempts",
    "services.notifier.dispatch.receipt_store",
    "services.notifier.dispatch.next_channel",
    "services.notifier.history.letter_store",
    "services.notifier.control.store",
    EMAIL,
    "services.notifier.channels.smtp_session",
    SMS,
    "services.notifier.channels.smpp_session",
)
# What the digest of a plan's officer takes besides.
OFFICER_DIGEST = ("services.notifier.officers.digest_scheduler", "services.notifier.officers.digest_store")
MONDAY = datetime(2026, 12, 14, 1, tzinfo=UTC)  # 08:00 in Viet Nam, the week after the deadline
OFFICER_ADDRESS = "can-bo@bank.example"
IN_EVERY_RUN = 10
NUMBER = "+84912345678"
# What commands call, and what runs before the first verdict: no message is under way there.
NOT_DISPATCHING = {
    "services.notifier.dispatch.configured_routes",
    "services.notifier.dispatch.delivery_record_store",
    "services.notifier.dispatch.route_file",
}


def spread_points() -> list[AwaitPoint]:
    """Return every await of dispatching, those first that `make test` takes: evenly from the first three modules."""
    points = await_points.find_await_points(DISPATCHING)
    core = [one for one in points if one.module in DISPATCHING[:3]]
    first = core[:: len(core) // IN_EVERY_RUN][:IN_EVERY_RUN]
    return first + [one for one in points if one not in first]


POINTS = spread_points()
OFFICER_POINTS = await_points.find_await_points(OFFICER_DIGEST)


def test_every_await_of_dispatching_is_a_place_to_be_killed_at() -> None:
    """The list is made from the code: no module of dispatching is left out, and a kill can be planted at each await."""
    found = {f"services.notifier.dispatch.{one.stem}" for one in Path("services/notifier/dispatch").glob("[a-z]*.py")}
    assert found - NOT_DISPATCHING <= set(DISPATCHING)
    assert len(set(map(str, POINTS))) == len(POINTS) > 100
    for module in (*DISPATCHING, *OFFICER_DIGEST):
        source = await_points.read_source(module)
        counted = sum(isinstance(node, ast.Await) for node in ast.walk(ast.parse(source)))
        mine = [one for one in (*POINTS, *OFFICER_POINTS) if one.module == module]
        assert len(mine) == counted, module
        for point in mine:
            assert await_points.KILL in ast.dump(await_points.plant_kill(source, point)), point


@pytest.fixture(scope="module")
def counts() -> Iterator[Counter[str]]:
    """Return the counts of all kills together, printed at the end: of each kill the test itself asserts."""
    counts = Counter(kills=0, unknown=0, doubled=0, doubled_unseen=0, lost=0)
    yield counts
    print("\nkills at the awaits of dispatching:", ", ".join(f"{name} {count}" for name, count in counts.items()))


@pytest.mark.parametrize("point", matrix(POINTS, in_every_run=IN_EVERY_RUN), ids=map(str, POINTS))
async def test_killed_at_any_await_it_loses_nothing_and_doubles_nothing_unseen(
    notifier: NotifierClient, start: Start, counts: Counter[str], point: AwaitPoint
) -> None:
    """Two mails and an SMS arrive; a second copy has an `unknown` beside it, and so has an SMS that was not sent."""
    named = plans.AGENCIES[:2]
    await notifier.publish_documents()
    await notifier.load_contacts(*map(a_contact, named), a_contact(named[0], channel=Channel.SMS, address=NUMBER))
    notifier.set_clock(OVERDUE)
    dying = start(faults=[fault_plan.kill_after_await(point)], ready=False)
    await notifier.publish_assessments(*(an_assessment(an_urging(1), agency=agency) for agency in named))
    await eventually(lambda: not dying.is_running or _has_arrived(notifier), "a dead process, or all messages")
    start()
    await notifier.wait_until_followed()
    await notifier.wait_until_recovered()
    notifier.set_clock(OVERDUE + timedelta(minutes=1))  # past the backoff before a second attempt
    await notifier.wait_for_mails(2)
    await notifier.wait_until_idle()
    attempts = await notifier.wait_for_attempts(3)
    unknown = Counter((one.to_agency, one.channel) for one in attempts if one.outcome is AttemptOutcome.UNKNOWN)
    mails = Counter(str(mail["To"]).removeprefix("van-thu@").removesuffix(".example") for mail in notifier.smtp.mails())
    over = {agency: count - 1 for agency, count in mails.items() if count > 1}
    counts.update(kills=not dying.is_running, unknown=unknown.total(), doubled=sum(over.values()))
    counts.update(doubled_unseen=sum(max(0, more - unknown[one, Channel.EMAIL]) for one, more in over.items()))
    counts.update(lost=len(set(named) - set(mails)))
    assert set(mails) == set(named)
    assert all(count <= 1 + unknown[agency, Channel.EMAIL] for agency, count in mails.items())
    assert len({(str(mail["To"]), str(mail["Message-ID"])) for mail in notifier.smtp.mails()}) == len(named)
    assert len(notifier.smsc.messages()) in ({0, 1} if unknown[named[0], Channel.SMS] else {1})


@pytest.mark.parametrize("point", matrix(OFFICER_POINTS, in_every_run=1), ids=map(str, OFFICER_POINTS))
async def test_killed_while_it_writes_the_officers_digest_it_sends_one(
    notifier: NotifierClient, start: Start, tmp_path: Path, point: AwaitPoint
) -> None:
    """The next process sends the digest of the week, and no second one: nothing was begun when the first one died."""
    officers = tmp_path / "officers.yaml"
    officers.write_text(f"{plans.PLAN}: {{name: Nguyễn Thị Mẫu, phone: '02373000000', email: {OFFICER_ADDRESS}}}\n")
    notifier.addresses.add(OFFICER_ADDRESS)
    await notifier.publish_documents()
    await notifier.load_contacts(a_contact())
    notifier.set_clock(MONDAY)
    dying = start(faults=[fault_plan.kill_after_await(point)], ready=False, DONDOC_NOTIFIER_OFFICERS=str(officers))

    def count_digests() -> int:
        return sum(str(one["To"]) == OFFICER_ADDRESS for one in notifier.smtp.mails())

    await notifier.publish_assessments(an_assessment(an_urging(1)))
    await eventually(lambda: not dying.is_running or notifier.smtp.mails(), "a dead process, or the urging")
    notifier.set_clock(MONDAY.replace(hour=2))  # the officer's first morning hour
    await dying.wait_until_ended()
    start(DONDOC_NOTIFIER_OFFICERS=str(officers))
    await notifier.wait_until_recovered()
    await eventually(count_digests, "the digest of the week")
    await notifier.wait_until_idle()
    assert count_digests() == 1


def _has_arrived(notifier: NotifierClient) -> bool:
    return len(notifier.smtp.mails()) == 2 and len(notifier.smsc.messages()) == 1


async def test_a_mail_of_unknown_outcome_is_sent_again_under_the_same_message_id(
    notifier: NotifierClient, start: Start
) -> None:
    """After a kill between the server's answer and the record, both attempts are recorded, with one Message-ID."""
    await notifier.load_contacts()
    await _kill_and_restart(notifier, start, fault_plan.kill_after(EMAIL, "EmailChannel.send"), agencies=1)
    first, second = await notifier.wait_for_mails(2)
    await notifier.wait_until_idle()
    attempts = await notifier.wait_for_attempts(2)
    assert first["Message-ID"] == second["Message-ID"]
    assert [(one.attempt, one.outcome) for one in attempts] == [
        (1, AttemptOutcome.UNKNOWN),
        (2, AttemptOutcome.ACCEPTED),
    ]
    assert {one.message_id for one in attempts} == {first["Message-ID"]}


async def test_an_sms_of_unknown_outcome_is_not_sent_again(notifier: NotifierClient, start: Start) -> None:
    """After a kill between the centre's answer and the record there is one SMS, recorded as `unknown`."""
    await notifier.load_contacts(a_contact(channel=Channel.SMS, address="+84912345678"))
    await _kill_and_restart(notifier, start, fault_plan.kill_after(SMS, "SmsChannel.send"), agencies=1, load=False)
    (attempt,) = await notifier.wait_for_attempts(1)
    await notifier.wait_until_idle()
    assert (attempt.channel, attempt.attempt, attempt.outcome) == (Channel.SMS, 1, AttemptOutcome.UNKNOWN)
    assert len(notifier.smsc.messages()) == 1


async def _kill_and_restart(
    notifier: NotifierClient, start: Start, fault: str, *, agencies: int = 2, load: bool = True
) -> None:
    """Let alerts fall due in a process that dies at *fault*, then start another one."""
    named = plans.AGENCIES[:agencies]
    await notifier.publish_documents()
    if load:
        await notifier.load_contacts(*map(a_contact, named))
    notifier.set_clock(NOW)
    dying = start(faults=[fault])
    await notifier.publish_assessments(*(an_assessment(a_step(7), agency=agency) for agency in named))
    await dying.wait_until_ended()
    start()
    await notifier.bus.wait_until_consumed(GROUP, VERDICTS.name)
    await notifier.wait_until_recovered()
    notifier.set_clock(NOW + timedelta(minutes=1))  # past the backoff before a second attempt
