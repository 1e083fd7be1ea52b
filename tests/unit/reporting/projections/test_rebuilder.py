"""What a rebuild sets aside: what nobody else will."""

from aiokafka import ConsumerRecord, TopicPartition

from schemas.events.topics import DELIVERIES
from services.reporting.projections.rebuilder import RefusedRecords
from services.runtime.kafka.log_coverage import LogState


async def test_what_the_group_has_read_is_not_set_aside_again_and_the_rest_once() -> None:
    """The service has set aside what lies before its offset; what the standby was filled with twice is one record."""
    refused = RefusedRecords()
    for offset in (6, 7, 7, 8):
        await refused.set_aside(a_poison_record(partition=0, offset=offset), reason="poison")
    await refused.set_aside(a_poison_record(partition=1, offset=0), reason="poison")
    logs = {
        TopicPartition(DELIVERIES.name, 0): LogState(beginning=0, end=9, committed=7),
        TopicPartition(DELIVERIES.name, 1): LogState(beginning=0, end=1, committed=None),
    }
    unread = refused.list_unread(logs)
    assert [(record.partition, record.offset, reason) for record, reason in unread] == [
        (0, 7, "poison"),
        (0, 8, "poison"),
        (1, 0, "poison"),
    ]


def a_poison_record(*, partition: int, offset: int) -> "ConsumerRecord[bytes, bytes]":
    """Build a record that nobody can decode."""
    return ConsumerRecord(DELIVERIES.name, partition, offset, 0, 0, b"", b"[]", None, 0, 2, ())
