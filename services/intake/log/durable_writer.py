"""Make records durable: on the broker, or in the spool while the broker is away.

While the spool holds anything, everything goes there, so the order of an agency's events stays.
"""

import logging
from collections.abc import Sequence

from services.intake.core.event_log import LogUnavailableError
from services.intake.core.fact_record import PartitionBatch
from services.intake.dedup.log_reader import LogReader
from services.intake.log.kafka_connection import KafkaConnection
from services.intake.log.producer import BrokerUnavailableError
from services.intake.spool.replay import SpoolReplay
from services.intake.spool.spool import Spool, SpoolFullError

log = logging.getLogger(__name__)


class DurableWriter:
    """Appends to the broker if it is up, else to the spool."""

    def __init__(self, connection: KafkaConnection, spool: Spool, replay: SpoolReplay, reader: LogReader) -> None:
        self._connection = connection
        self._spool = spool
        self._replay = replay
        self._reader = reader

    async def append(self, batches: Sequence[PartitionBatch]) -> None:
        """Return when no crash can lose the records; raise `LogUnavailableError` if nothing takes them.

        After an append that timed out the records go to the spool although the broker may still write them: the replay
        reads the log first and skips what it holds.
        """
        producer = self._connection.producer
        if producer is None:
            # At the end of a replay the producer is there in a moment.
            await self._replay.wait_until_open()
            producer = self._connection.producer
        if producer is not None:
            try:
                ends = await producer.append(batches)
            except BrokerUnavailableError:
                # From here on everything goes to the spool, so later events of an agency stay behind these.
                self._connection.report_failure(producer)
                log.info("records go to the spool", extra={"action": "spooling", "records": sum(map(len, batches))})
            else:
                # Another replica may have written the same event first: the log tells both replicas the same.
                await self._reader.wait_until_read(ends)
                if self._connection.producer is producer:
                    return
                # The broker was given up meanwhile. If that is because the log has lost its end, these records may have
                # been in it. The replay reads the log first and leaves out what it holds.
        try:
            await self._spool.append([pair for one in batches for pair in zip(one.keys, one.values, strict=True)])
        except SpoolFullError as cause:
            raise LogUnavailableError from cause
        self._replay.add_spooled(batches)
        # The broker may have come back while the spool was written. Then the spool is replayed before anything else
        # is appended.
        self._connection.reconnect()
