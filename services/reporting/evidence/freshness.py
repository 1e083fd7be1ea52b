"""Up to when everything that happened is in the figures: what the lag of the consumer group says in one instant."""

import math
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from aiokafka import TopicPartition

from schemas.events.topics import Topic
from services.runtime.clock import Clock
from services.runtime.kafka import consumer_lag
from services.runtime.kafka.consumer_lag import LagByPartition, PartitionLag


class Freshness:
    """Keeps the last measurement of the lag that said something; while none does, the figures stay as old as then."""

    def __init__(self, topics: Iterable[Topic], clock: Clock) -> None:
        self._topics = tuple(topics)
        self._clock = clock
        self._lags: Mapping[str, PartitionLag] = {}
        self.complete_until: datetime | None = None

    def note_lag(self, lags: LagByPartition) -> None:
        """Note what the monitor of the lag has measured just now."""
        self._lags = {topic.name: _add_up_topic(lags, topic) for topic in self._topics}
        ages = [one.oldest_unread_seconds for one in self._lags.values()]
        if not any(math.isnan(age) for age in ages):
            self.complete_until = self._clock.now() - timedelta(seconds=max(ages, default=0.0))

    def lag_of(self, topic: Topic) -> PartitionLag:
        """Return how far the group is behind in *topic*; unknown until it is measured, and while it cannot be."""
        return self._lags.get(topic.name, consumer_lag.UNKNOWN_LAG)


def _add_up_topic(lags: LagByPartition, topic: Topic) -> PartitionLag:
    places: list[TopicPartition] = [place for place in lags if place.topic == topic.name]
    return consumer_lag.add_up(lags[place] for place in places)
