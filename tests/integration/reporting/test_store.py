"""Reporting's store on a real mongod whose write concern fails or whose node is interrupted by a fail point."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from schemas.events.ids import DutyKey
from services.reporting.event_decoder import RecordedReceipt
from services.reporting.store import RECEIPTS, DatabaseUnavailableError, ReportingStore
from services.runtime import mongo
from services.runtime.kafka.log_coverage import Coverage
from services.runtime.state.checkpoints import Checkpoint
from tests.support.servers.mongo import Database

RECEIVED = "2026-12-01T02:00:00.000Z"
FAILED_CONCERNS = [{"code": 91, "errmsg": "Replication is being shut down"}, {"code": 64, "errmsg": "timed out"}]


def a_receipt(number: int) -> RecordedReceipt:
    """Return the receipt of an event with *number*."""
    duty = DutyKey(plan="p", agency="h-ba", obligation="o", period="2026")
    named = {"receivedtime": RECEIVED, "event": f"s-{number}", "source": "urn:x", "type": "t"}
    return RecordedReceipt(receiptid=f"{number:032x}", duty=duty, **named)


@pytest.fixture
async def store(database: Database) -> AsyncIterator[ReportingStore]:
    """Return a store on this test's database, which has all that an empty log has."""
    client = mongo.connect(database.url)
    opened = ReportingStore(client, database.name, partitions=1)
    nothing = Checkpoint(coverage=Coverage(next_offset=0), must_reach=0, begun_at=datetime(2026, 12, 1, tzinfo=UTC))
    opened.checkpoints.require({})
    await opened.checkpoints.begin(dict.fromkeys(opened.checkpoints.partitions, nothing), was_known=False)
    yield opened
    client.close()


@pytest.mark.parametrize("concern", FAILED_CONCERNS, ids=lambda one: str(one["code"]))
async def test_a_failed_write_concern_is_tried_again(
    store: ReportingStore, database: Database, concern: dict[str, Any]
) -> None:
    """New receipts and stored ones raise "unavailable" until the majority acknowledges them, and are stored once."""
    receipts = [a_receipt(1), a_receipt(2)]
    with database.fail_commands("insert", writeConcernError=concern):
        for _ in range(2):  # the second time every insert is a duplicate, and still not acknowledged
            with pytest.raises(DatabaseUnavailableError):
                await store.insert_receipts(receipts)
    await store.insert_receipts(receipts)
    assert [one["_id"] for one in database.documents(RECEIPTS)] == [one.receiptid for one in receipts]


@pytest.mark.parametrize("code", [11602, 50])
async def test_an_interrupted_operation_is_tried_again(store: ReportingStore, database: Database, code: int) -> None:
    """A step-down and a time-out raise "unavailable" for writes and queries alike."""
    with database.fail_commands("insert", "find", errorCode=code):
        with pytest.raises(DatabaseUnavailableError):
            await store.insert_receipts([a_receipt(1)])
        with pytest.raises(DatabaseUnavailableError):
            await store.find_receipt(a_receipt(1).receiptid)
    await store.insert_receipts([a_receipt(1)])
    assert await store.find_receipt(a_receipt(1).receiptid) == a_receipt(1)
