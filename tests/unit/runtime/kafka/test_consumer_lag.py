"""The lag of several partitions together."""

import math

from services.runtime.kafka import consumer_lag
from services.runtime.kafka.consumer_lag import UNKNOWN_LAG, UP_TO_DATE, PartitionLag


def test_records_are_added_and_the_oldest_counts() -> None:
    """A topic is as old as its oldest unread record."""
    lags = [
        PartitionLag(records=3, oldest_unread_seconds=60),
        PartitionLag(records=1, oldest_unread_seconds=5),
        UP_TO_DATE,
    ]
    assert consumer_lag.add_up(lags) == PartitionLag(records=4, oldest_unread_seconds=60)


def test_what_is_unknown_of_one_is_unknown_of_all() -> None:
    """Neither an unknown partition nor the absence of any may look like a lag of zero."""
    for lags in ([UP_TO_DATE, UNKNOWN_LAG], []):
        together = consumer_lag.add_up(lags)
        assert math.isnan(together.records)
        assert math.isnan(together.oldest_unread_seconds)
