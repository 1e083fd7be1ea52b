"""Finds the figures of a report that look like a slip, for the answer of a dry run.

They are findings for a person, in both languages. They refuse nothing, and no status follows from them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from schemas.events.facts import SUBMITTED
from schemas.events.ids import DutyKey
from schemas.problems import pointer_of
from services.intake.core.requested_report import PublishedDuty, SubmittedReport
from services.intake.published_plans import SnapshotPlans
from services.runtime.clock import Clock


class _Event(msgspec.Struct):
    type: str
    data: msgspec.Raw


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureReview:
    """Reviews the figures of a report by the plan that asks for them."""

    plans: SnapshotPlans
    clock: Clock

    def find_slips(self, record: bytes, assessment: Mapping[str, Any]) -> list[dict[str, object]]:
        """Return the findings about the event in *record*, which rules answered with *assessment*."""
        event = msgspec.json.decode(record, type=_Event)
        if event.type != SUBMITTED:
            return []
        data = msgspec.json.decode(event.data, type=SubmittedReport)
        duty = PublishedDuty.find(self._key_of(data), self.plans.plan_and_registry(data.plan), self.clock.now())
        if duty is None:
            return []
        due_at = (assessment.get("segment") or {}).get("due_at")
        return [
            {
                "pointer": pointer_of("data", "content", "indicators", one.code),
                "code": one.code,
                "kind": one.kind.value,
                "detail": {"vi": one.words.vi, "en": one.words.in_language("en")},
            }
            for one in duty.find_slips(data.content, None if due_at is None else datetime.fromisoformat(due_at))
        ]

    def _key_of(self, data: SubmittedReport) -> DutyKey:
        index = self.plans.index_of(data.plan)
        named = data.on_behalf_of or data.agency
        agency = (None if index is None else index.resolve(named)) or named
        return DutyKey(plan=data.plan, obligation=data.obligation, period=data.period, agency=agency)
