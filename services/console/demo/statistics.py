"""What the log tells a spectator: how the duties of the year stand at an instant, how many alerts went out, every fact.

It reads records as anybody may; that a record is malformed is not its business, so it passes over what it cannot read.
"""

import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiokafka import ConsumerRecord

from schemas.events.assessments import ASSESSED
from schemas.events.deliveries import DELIVERED, AttemptOutcome, Channel
from schemas.events.facts import MODEL_OF
from services.console.demo.events import RESULTS, YEAR
from services.runtime.clock import instant_of

Turn = tuple[datetime, str]


@dataclass(slots=True, kw_only=True)
class Tally:
    """Counts as the records come. `facts` are those that agencies and the authority sent, as `evaluate` reads them."""

    facts: list[dict[str, Any]] = field(default_factory=list)
    _sent: dict[str, set[str]] = field(default_factory=dict)
    _timelines: dict[str, list[Turn]] = field(default_factory=dict)

    def hear(self, record: ConsumerRecord[bytes, bytes]) -> None:
        """Take in one record of facts, verdicts or deliveries."""
        event = json.loads(record.value or b"{}")
        match event.get("type"):
            case kind if kind == ASSESSED:
                self._assess(event["data"])
            case kind if kind == DELIVERED:
                self._deliver(event["data"])
            case kind if kind in MODEL_OF:
                self.facts.append({**event, "recordedtime": instant_of(record.timestamp).isoformat()})

    def statuses(self, at: datetime) -> Mapping[str, int]:
        """Return how many of the year's dated duties have which status at an instant."""
        found = (_status(turns, at) for turns in self._timelines.values())
        return Counter(one for one in found if one is not None)

    @property
    def mails(self) -> int:
        return len(self._sent.get(Channel.EMAIL.value, ()))

    @property
    def messages(self) -> int:
        return len(self._sent.get(Channel.SMS.value, ()))

    def _assess(self, assessed: Mapping[str, Any]) -> None:
        if (assessed["obligation"], assessed["period"]) == (RESULTS, YEAR):
            turns = [(datetime.fromisoformat(one["from"]), one["status"]) for one in assessed["timeline"]]
            self._timelines[assessed["agency"]] = turns

    def _deliver(self, attempted: Mapping[str, Any]) -> None:
        # A digest about several agencies is told once for each of them.
        if attempted["outcome"] == AttemptOutcome.DELIVERED.value:
            self._sent.setdefault(attempted["channel"], set()).add(attempted["alert"])


def _status(turns: list[Turn], at: datetime) -> str | None:
    index = bisect_right(turns, at, key=lambda turn: turn[0])
    return turns[index - 1][1] if index else None
