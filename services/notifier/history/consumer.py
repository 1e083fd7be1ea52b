"""Consume `dondoc.deliveries.v1`, the notifier's own events, to learn what a lost or older ledger does not know.

As long as the ledger is complete its record is older than the events that were published from it, so they tell it
nothing. While it lacks something, each event of an ended alert is remembered, and nothing is sent.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from aiokafka import TopicPartition

from schemas.events.deliveries import DELIVERED
from schemas.events.wire import WireAlertAttempted
from services.notifier.core.scheduling.ended_alerts import LoggedAttempt
from services.notifier.history.store import HistoryStore
from services.runtime import decoding
from services.runtime.decoding import RecordDecoder, UnreadableRecordError
from services.runtime.kafka.batch_consumer import Records
from services.runtime.kafka.observed_consumer import ObservedConsumer

log = logging.getLogger(__name__)


class _AttemptedEvent(msgspec.Struct, frozen=True):
    """All that the notifier requires of the envelope; the data of another type of event is not even decoded."""

    id: str
    type: str
    data: msgspec.Raw
    subject: str = ""


_EVENT_DECODER = RecordDecoder[_AttemptedEvent](_AttemptedEvent)
_DATA_DECODER = RecordDecoder[WireAlertAttempted](WireAlertAttempted)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryHistory:
    """The handler of `dondoc.deliveries.v1`. *is_complete* says whether the ledger has all of a partition."""

    store: HistoryStore
    is_complete: Callable[[TopicPartition], bool]

    async def on_batch(self, records: Records, _consumer: ObservedConsumer) -> None:
        """Learn from the records of those partitions that the ledger has not read up to where it must."""
        attempts = [
            attempt
            for record in records
            if not self.is_complete(TopicPartition(record.topic, record.partition))
            and (attempt := decode_attempt(record.value)) is not None
        ]
        if attempts:
            await self.store.learn_attempts(attempts)


def decode_attempt(value: bytes | None) -> LoggedAttempt | None:
    """Return the attempt in the value of a record; None for an event of another type, and for what is no event."""
    try:
        event = _EVENT_DECODER.decode(value)
        if event.type != DELIVERED:
            return None
        data = _DATA_DECODER.decode_member(event.data, "/data")
        # An instant out of reach can be neither compared nor stored.
        for instant in filter(None, (data.attempted_at, *(one.due_at for one in data.duties))):
            decoding.require_instant(instant, "/data")
        return LoggedAttempt(event=event.id, agency=event.subject, data=data)
    except UnreadableRecordError:
        # Reporting reads the same record and sets it aside.
        log.warning("an event of a delivery cannot be read", extra={"action": "event_unreadable"})
        return None
