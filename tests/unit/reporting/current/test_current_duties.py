"""What is known of duties, asked in turns by questions that have some of them in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from schemas.events.assessments import Status
from services.reporting.core.timeline import AssessmentRevision
from services.reporting.current import view_documents
from services.reporting.current.current_duties import CurrentDuties
from services.reporting.current.view import Version
from services.reporting.store import PlanDutyFilter
from tests.support.builders.annual_report import DUE, a_key, a_revision, a_timeline

PLAN = a_key().plan
LATER = DUE + timedelta(hours=5)


@dataclass
class View:
    """The documents of a view, and how often it was written."""

    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    writes: int = 0

    def write(self, revision: AssessmentRevision) -> None:
        """Fold one revision into it."""
        self.writes += 1
        ((key, update),) = view_documents.fold_assessments([revision]).items()
        self.documents[str(key)] = {"_id": str(key), "last_write": str(self.writes), **update["$max"]}

    async def find_version(self, duties: PlanDutyFilter) -> Version:
        """Return the mark of all periods."""
        del duties
        return (("all", str(self.writes)),)

    async def find_last_writes(self, duties: PlanDutyFilter) -> Mapping[str, str]:
        """Return the last write of every document."""
        del duties
        return {key: one["last_write"] for key, one in self.documents.items()}

    async def find_documents(self, keys: Sequence[str]) -> list[dict[str, Any]]:
        """Return the documents with *keys*."""
        return [self.documents[key] for key in keys]

    async def find_periods(self, plan: str) -> Sequence[str | None]:
        """Return the only period."""
        del plan
        return ["2026"]

    async def require_assessed(self, plan: str) -> None:
        """Something always is."""


async def test_a_duty_that_another_question_has_read_has_its_boundaries_in_both() -> None:
    """Without them an answer would be shown beyond the instant at which a status of that duty begins."""
    view = View()
    view.write(a_revision(revision=1, spans=a_timeline(Status.ON_TIME, effective_at=DUE)))
    duties = CurrentDuties(view, lambda _record: None)
    one, other = (PlanDutyFilter(plan=PLAN, periods=periods) for periods in (("2026",), ("2026", None)))
    for question in (one, other):
        assert LATER not in (await duties.find(question)).boundaries
    view.write(a_revision(revision=2, spans=a_timeline(Status.LATE, effective_at=LATER)))
    for question in (one, other):
        known = await duties.find(question)
        begins = {span.from_at for revision in known.assessments for span in revision.timeline}
        assert LATER in begins
        assert begins <= set(known.boundaries)
