"""What the log tells a spectator: how the duties of the year stand at an instant, and how many alerts went out.

It reads records as anybody may; that a record is malformed is not its business, so it passes over what it cannot read.
"""

import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from schemas.assessments import ASSESSED
from schemas.deliveries import DELIVERED, Channel, Outcome
from services.console.demo.papers import RESULTS, YEAR

Turn = tuple[datetime, str]


@dataclass(slots=True, kw_only=True)
class Tally:
    """Counts as the records come."""

    _sent: dict[str, set[str]] = field(default_factory=dict)
    _timelines: dict[str, list[Turn]] = field(default_factory=dict)

    def hear(self, value: bytes) -> None:
        """Take in one record of verdicts or deliveries; any other is nothing to count."""
        event = json.loads(value)
        match event.get("type"):
            case kind if kind == ASSESSED:
                self._assess(event["data"])
            case kind if kind == DELIVERED:
                self._deliver(event["data"])

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
        if attempted["outcome"] == Outcome.DELIVERED.value:
            self._sent.setdefault(attempted["channel"], set()).add(attempted["alert"])


def _status(turns: list[Turn], at: datetime) -> str | None:
    index = bisect_right(turns, at, key=lambda turn: turn[0])
    return turns[index - 1][1] if index else None
