"""Claims, begun attempts and their leases on a real mongod, also in a ledger of an earlier version."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.events.assessments import StepKind
from schemas.events.deliveries import AttemptOutcome, Channel
from schemas.events.ids import DutyKey
from services.notifier import ledger_documents
from services.notifier.address_vault import IN_CLEAR
from services.notifier.contacts.store import ContactStore
from services.notifier.core.dispatch.receipts import DeliveryReceipt
from services.notifier.core.scheduling.delivery_events import DeliveryAttempt
from services.notifier.core.scheduling.holds import SendingHolds
from services.notifier.core.scheduling.routing import Delivery
from services.notifier.core.scheduling.scheduled_alert import DutyAlert, ScheduledAlert
from services.notifier.dispatch.receipt_store import ReceiptStore
from services.notifier.dispatch.store import ClaimLease, DeliveryStore, RouteScope
from tests.support.servers.mongo import DRIVERS, Database, open_client

NOW = datetime(2026, 12, 3, 5, tzinfo=UTC)
PAST = datetime(2020, 1, 1, tzinfo=UTC)
MAIL = RouteScope(channel=Channel.EMAIL, name="smtp", is_first=True, others=("other",))
OTHER = RouteScope(channel=Channel.EMAIL, name="other", is_first=False, others=("smtp",))
FREE = SendingHolds()
LONG, OVER = timedelta(minutes=1), timedelta(0)
ALERT = ScheduledAlert(kind=StepKind.REMINDER, step="P7D", at=NOW, send_at=NOW, due_at=None, first_at=NOW)
DUTY = DutyKey(plan="P-1", agency="h-mot", obligation="results", period="2026")


def a_delivery(identity: str = "d-1") -> Delivery:
    """Return a mail that is due."""
    alert = DutyAlert(duty=DUTY, plan_version=1, registry="th", registry_version=1, clause="III.1", alert=ALERT)
    return Delivery(
        id=identity,
        alert_id="a-1",
        to_agency="h-mot",
        channel=Channel.EMAIL,
        address="a@x.example",
        language="vi",
        alerts=(alert,),
    )


@pytest.fixture(params=DRIVERS)
async def client(request: pytest.FixtureRequest, database: Database) -> AsyncIterator[Any]:
    """Return a client as the notifier opens it, of either driver."""
    async with open_client(request.param, database.url) as opened:
        yield opened


@pytest.fixture
def store(client: Any, database: Database) -> DeliveryStore:
    """Return the deliveries of a complete ledger with one mail due."""

    async def is_complete() -> bool:
        return True

    database["deliveries"].insert_one(ledger_documents.encode_new_delivery(a_delivery(), NOW))
    return DeliveryStore(client, database.name, is_complete=is_complete)


async def claim(store: DeliveryStore, scope: RouteScope = MAIL, duration: timedelta = LONG, name: str = "p-1") -> Any:
    """Claim what is due."""
    return await store.claim(scope, FREE, NOW, ClaimLease(name=name, duration=duration, limit=10))


async def test_a_claim_whose_process_died_leaves_no_trace(store: DeliveryStore, database: Database) -> None:
    """It is freed when its lease ends, not before; the document is as it was."""
    before = database["deliveries"].find_one()
    assert len(await claim(store)) == 1
    assert (await claim(store, name="p-2"), await store.free_lost_claims()) == ([], 0)
    database["deliveries"].update_one({}, {"$set": {"leased_until": PAST}})
    assert (await store.find_abandoned(), await store.free_lost_claims()) == ([], 1)
    assert database["deliveries"].find_one() == before


async def test_only_what_was_begun_is_found_abandoned(store: DeliveryStore) -> None:
    """Its attempt is counted once, however often the holder of the claim begins it, and nobody else can."""
    found = await claim(store)
    (begun,) = await store.begin(found, "smtp", OVER)
    (again,) = await store.begin(found, "smtp", OVER)
    assert (begun.attempt, again.attempt) == (1, 1)
    assert await store.begin([replace(found[0], claim="p-2")], "smtp", OVER) == []
    (abandoned,) = await store.find_abandoned()
    assert (abandoned.attempt, abandoned.route) == (1, "smtp")
    assert await store.free_lost_claims() == 0


async def test_what_was_begun_and_not_sent_is_taken_back(store: DeliveryStore) -> None:
    """The attempt does not count, and the delivery is due."""
    begun = await store.begin(await claim(store), "smtp", LONG)
    await store.take_back(begun, NOW)
    (again,) = await claim(store, name="p-2")
    assert (again.attempt, again.spent) == (0, 0)


async def test_an_unknown_mail_is_tried_again_by_its_own_route_alone(store: DeliveryStore) -> None:
    """Another provider would not recognise the copy; a route that is configured no longer is taken over."""
    (begun,) = await store.begin(await claim(store, OTHER), "other", LONG)
    unknown = DeliveryAttempt(delivery=begun, outcome=AttemptOutcome.UNKNOWN, at=NOW, next_at=NOW, route="other")
    await store.record([unknown])
    assert await claim(store, MAIL, name="p-2") == []
    (bound,) = await claim(store, OTHER, name="p-3")
    await store.release([(bound, None)])
    alone = RouteScope(channel=Channel.EMAIL, name="smtp", is_first=True)
    assert len(await claim(store, alone, name="p-4")) == 1


async def test_what_one_provider_could_not_deliver_is_sent_by_the_next(
    store: DeliveryStore, client: Any, database: Database
) -> None:
    """Whether it says so at once or reports it later: due at once, for the next route alone, which works beside it."""
    (begun,) = await store.begin(await claim(store), "smtp", LONG)
    accepted = DeliveryAttempt(
        delivery=begun,
        outcome=AttemptOutcome.ACCEPTED,
        at=NOW,
        route="smtp",
        provider_ids=("7",),
        falls_back_to="other",
    )
    await store.record([accepted])
    failed = DeliveryReceipt(ids=("7",), outcome=AttemptOutcome.BOUNCED, reason="receipt")
    receipts = ReceiptStore(client, database.name, contacts=ContactStore(client, database.name), vault=IN_CLEAR)
    assert (await receipts.record(failed, NOW), await receipts.record(failed, NOW)) == (1, 0)
    assert await claim(store, MAIL, name="p-2") == []
    only_bound = ClaimLease(name="p-3", duration=LONG, limit=10, only_bound=True)
    (again,) = await store.begin(await store.claim(OTHER, FREE, NOW, only_bound), "other", LONG)
    elsewhere = DeliveryAttempt(
        delivery=again, outcome=AttemptOutcome.TEMPORARY_FAILURE, at=NOW, route="other", next_at=NOW, bound_to="smtp"
    )
    await store.record([elsewhere])
    (back,) = await store.claim(MAIL, FREE, NOW, replace(only_bound, name="p-4"))
    assert (back.attempt, back.alerts) == (2, begun.alerts)


async def test_what_is_held_back_is_not_claimed(store: DeliveryStore) -> None:
    """Neither by its plan nor by an agency that it is about."""
    lease = ClaimLease(name="p-1", duration=LONG, limit=10)
    for holds in (SendingHolds(plans=frozenset({"P-1"})), SendingHolds(agencies=frozenset({"h-mot"}))):
        assert await store.claim(MAIL, holds, NOW, lease) == []
    assert len(await store.claim(MAIL, SendingHolds(plans=frozenset({"P-2"})), NOW, lease)) == 1


async def test_a_ledger_of_an_earlier_version_is_read_on(store: DeliveryStore, client: Any, database: Database) -> None:
    """What it was sending is unknown, what it delivered can still be confirmed, and its attempts were all spent."""
    old = {"claim": "q-1", "leased_until": PAST, "state": "sending", "attempt": 3}
    database["deliveries"].update_one(
        {}, {"$set": old, "$unset": {"next_at": "", "spent": "", "created_at": "", "route": ""}}
    )
    (abandoned,) = await store.find_abandoned()
    assert (abandoned.attempt, abandoned.spent, abandoned.created_at) == (3, 3, None)
    done = {"state": "delivered", "provider_ids": ["0000000a"], "events": []}
    database["deliveries"].update_one({}, {"$set": done, "$unset": {"claim": "", "leased_until": ""}})
    database["receipts"].insert_one({"_id": "0000000a", "failed": None, "at": NOW})
    await ReceiptStore(client, database.name, contacts=ContactStore(client, database.name), vault=IN_CLEAR).apply(
        ["0000000a"], NOW
    )
    corrected = database["deliveries"].find_one()
    assert corrected is not None
    assert (corrected["state"], len(corrected["events"])) == ("confirmed", 1)
