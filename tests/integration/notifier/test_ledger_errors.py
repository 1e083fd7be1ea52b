"""The notifier's ledger and contacts on a real mongod whose write concern fails, or that refuses an operation."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from schemas.events.ids import DutyKey
from services.notifier.contacts.store import ContactStore
from services.notifier.core.scheduling.schedule import AlertSchedule
from services.notifier.errors import LedgerRefusedError, LedgerUnavailableError
from services.notifier.ledger import Ledger
from services.notifier.ledger_documents import StoredSchedule
from tests.support.servers.mongo import DRIVERS, Database, open_client

SHUTDOWN = {"code": 91, "errmsg": "Replication is being shut down"}
NOT_AUTHORIZED = 13
DUTY = DutyKey(plan="p", agency="h-ba", obligation="o", period="2026")

SCHEDULE = AlertSchedule(
    duty=DUTY,
    plan_version=1,
    registry="r",
    registry_version=1,
    clause="III.1",
    revision=1,
    known_since=datetime(2026, 12, 1, tzinfo=UTC),
)


def a_ledger(client: Any, database: Database) -> Ledger:
    """Return a ledger on this test's database."""
    return Ledger(client, database.name, partitions=1, hours="07:30:00-17:30:00")


@pytest.fixture(params=DRIVERS)
async def client(request: pytest.FixtureRequest, database: Database) -> AsyncIterator[Any]:
    """Return a client as the notifier opens it, of either driver."""
    async with open_client(request.param, database.url) as opened:
        yield opened


async def test_a_schedule_without_its_write_concern_is_not_written(client: Any, database: Database) -> None:
    """An upsert raises "unavailable" until the majority acknowledges it, the second time beside its duplicate too."""
    ledger = a_ledger(client, database)
    changes = [StoredSchedule(schedule=SCHEDULE, version=0)]
    with database.fail_commands("update", writeConcernError=SHUTDOWN):
        for _ in range(2):
            with pytest.raises(LedgerUnavailableError):
                await ledger.put_schedules(changes)
    assert await ledger.put_schedules(changes) is False  # what was written stands: read it, and decide anew
    assert list(await ledger.find_schedules([str(DUTY)])) == [str(DUTY)]


@pytest.mark.parametrize("command", ["find", "delete"])
async def test_contacts_of_a_server_that_steps_down_are_tried_again(
    client: Any, database: Database, command: str
) -> None:
    """A step-down raises "unavailable" for a query and within a transaction."""
    store = ContactStore(client, database.name)
    with database.fail_commands(command, errorCode=11602), pytest.raises(LedgerUnavailableError):
        await (store.load_book() if command == "find" else store.replace([]))


async def test_what_the_database_refuses_for_good_is_not_called_unavailable(client: Any, database: Database) -> None:
    """Missing rights raise "refused", which ends the process instead of being repeated for ever."""
    with database.fail_commands("find", errorCode=NOT_AUTHORIZED):
        with pytest.raises(LedgerRefusedError):
            await a_ledger(client, database).find_schedules([str(DUTY)])
        with pytest.raises(LedgerRefusedError):
            await ContactStore(client, database.name).load_book()
