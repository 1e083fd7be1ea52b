"""Counts for the demo's progress view, read from the log: statuses at an instant, alerts sent, and every fact.

The records are read as any consumer of the topics may read them. A record that cannot be read is ignored, because
refusing it is the business of the services.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiokafka import ConsumerRecord

from schemas.events.assessments import ASSESSED
from schemas.events.deliveries import DELIVERED, TAKEN, Channel
from schemas.events.facts import MODEL_OF
from services.runtime.clock import instant_of
from services.runtime.decoding import RecordDecoder, UnreadableRecordError

StatusChange = tuple[datetime, str]

_DECODER = RecordDecoder[dict[str, Any]](dict[str, Any])


@dataclass(slots=True, kw_only=True)
class DemoStatistics:
    """Counts that are updated with each record.

    Statuses are counted of the duties in `counted`, pairs of an obligation and a period. `facts` are the events of
    agencies and of the authority in log order, in the form that `dondoc evaluate` reads.
    """

    counted: frozenset[tuple[str, str | None]]
    facts: list[dict[str, Any]] = field(default_factory=list)
    _sent: dict[str, set[str]] = field(default_factory=dict)
    _timelines: dict[tuple[str, str, str | None], list[StatusChange]] = field(default_factory=dict)

    def add_record(self, record: ConsumerRecord[bytes, bytes]) -> None:
        """Count one record of facts, verdicts or deliveries."""
        try:
            event = _DECODER.decode(record.value)
        except UnreadableRecordError:
            return
        match event.get("type"):
            case kind if kind == ASSESSED:
                self._add_assessment(event["data"])
            case kind if kind == DELIVERED:
                self._add_delivery(event["data"])
            case kind if kind in MODEL_OF:
                self.facts.append({**event, "recordedtime": instant_of(record.timestamp).isoformat()})

    def count_statuses(self, at: datetime) -> Mapping[str, int]:
        """Return how many of the counted duties have which status at an instant."""
        found = (_status_at(changes, at) for changes in self._timelines.values())
        return Counter(one for one in found if one is not None)

    @property
    def mail_count(self) -> int:
        return len(self._sent.get(Channel.EMAIL.value, ()))

    @property
    def sms_count(self) -> int:
        return len(self._sent.get(Channel.SMS.value, ()))

    def _add_assessment(self, assessment: Mapping[str, Any]) -> None:
        obligation, period = assessment["obligation"], assessment["period"]
        if (obligation, period) in self.counted:
            # Each assessment has the whole timeline, with the part that lies ahead: the last one read replaces it.
            changes = [(datetime.fromisoformat(one["from"]), one["status"]) for one in assessment["timeline"]]
            self._timelines[assessment["agency"], obligation, period] = changes

    def _add_delivery(self, attempt: Mapping[str, Any]) -> None:
        # A digest about several agencies is recorded once for each of them, with one alert id: a set counts it once.
        if attempt["outcome"] in TAKEN:
            self._sent.setdefault(attempt["channel"], set()).add(attempt["alert"])


def _status_at(changes: list[StatusChange], at: datetime) -> str | None:
    index = bisect_right(changes, at, key=lambda change: change[0])
    return changes[index - 1][1] if index else None
