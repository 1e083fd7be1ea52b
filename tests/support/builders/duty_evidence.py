"""Build the evidence of a duty: facts with their content, and everything else that its status is explained from."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from schemas.events.facts import SUBMITTED
from services.reporting.core import duty_lines, timeline
from services.reporting.core.content.submission_history import DocketFact
from services.reporting.core.evidence import duty_evidence, duty_facts
from services.reporting.core.evidence.duty_evidence import DutyEvidence
from services.reporting.core.evidence.duty_facts import DutyFact, FactDetails, ReportDetails
from services.reporting.core.timeline import StatusSpan
from services.reporting.core.urging import AlertAttempt
from tests.support.builders.annual_report import a_key, a_line_context, a_plan, a_revision

SOURCE = "qlvb"


def a_fact(event: str, *, at: datetime, details: FactDetails, **changes: Any) -> DutyFact:
    """Build a fact of the usual duty; *changes* are fields of its `DocketFact`."""
    fields: dict[str, Any] = {
        "identity": (SOURCE, event),
        "type": SUBMITTED,
        "receiptid": f"receipt-{event}",
        "received_at": at,
        "recorded_at": at,
        "period": a_key().period,
    }
    return DutyFact(fact=DocketFact(**fields | changes), details=details)


def a_report_fact(event: str, *, at: datetime, corrects: str | None = None, **content: Any) -> DutyFact:
    """Build a submission, which *content* describes."""
    details = ReportDetails(**{"number": f"{event}/BC", **content})
    return a_fact(event, at=at, details=details, names=corrects, is_submission=True)


def some_evidence(
    spans: Iterable[StatusSpan],
    facts: Iterable[DutyFact] = (),
    *,
    as_of: datetime,
    attempts: Iterable[AlertAttempt] = (),
    language: str = "vi",
) -> DutyEvidence:
    """Build what is known of the usual duty as of *as_of*."""
    assessment = a_revision(spans=spans)
    state = timeline.state_at(assessment, as_of)
    context = a_line_context(as_of, language)
    (obligation,) = [one for one in a_plan().obligations if one.id == state.key.obligation]
    known = list(attempts)
    return DutyEvidence(
        state=state,
        line=duty_lines.build_lines([state], {state.key: known}, context)[0],
        obligation=obligation,
        facts=duty_facts.select_facts_of_duty(facts, state.key, assessment.timeline, as_of=as_of),
        alerts=duty_evidence.group_alerts(known),
        context=context,
    )
