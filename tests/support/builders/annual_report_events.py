"""Build the events that rules and the notifier publish of an assessment revision and of an alert attempt."""

from typing import Any

from schemas.events.assessments import ASSESSED
from schemas.events.deliveries import DELIVERED
from services.reporting.core.timeline import AssessmentRevision, StatusSpan
from services.reporting.core.urging import AlertAttempt


def a_verdict_event(revision: AssessmentRevision) -> dict[str, Any]:
    """Build the CloudEvent that rules publishes of an assessment."""
    key = revision.key
    return {
        "specversion": "1.0",
        "id": revision.event,
        "source": "dondoc/rules",
        "type": ASSESSED,
        "subject": key.agency,
        "time": revision.recorded_at.isoformat(),
        "datacontenttype": "application/json",
        "data": {
            "plan": key.plan,
            "plan_version": revision.plan_version,
            "registry": revision.registry,
            "registry_version": revision.registry_version,
            "agency": key.agency,
            "obligation": key.obligation,
            "period": key.period,
            "clause": revision.clause,
            "opens_at": revision.opens_at.isoformat() if revision.opens_at else None,
            "recorded_at": revision.recorded_at.isoformat(),
            "revision": revision.revision,
            "timeline": [_build_segment(span) for span in revision.timeline],
            "steps": [],
        },
    }


def a_delivery_event(attempt: AlertAttempt) -> dict[str, Any]:
    """Build the CloudEvent that the notifier publishes of an attempt."""
    key = attempt.key
    duty = {
        "plan": key.plan,
        "agency": key.agency,
        "obligation": key.obligation,
        "period": key.period,
        "kind": attempt.kind.value,
        "step": attempt.step,
        "due_at": attempt.due_at.isoformat() if attempt.due_at else None,
    }
    return {
        "specversion": "1.0",
        "id": attempt.event,
        "source": "dondoc/notifier",
        "type": DELIVERED,
        "subject": key.agency,
        "time": attempt.attempted_at.isoformat(),
        "datacontenttype": "application/json",
        "data": {
            "alert": attempt.alert,
            "channel": attempt.channel.value,
            "to_agency": attempt.to_agency,
            "kind": attempt.kind.value,
            "step": attempt.step,
            "duties": [duty],
            "attempt": 1,
            "outcome": attempt.outcome.value,
            "attempted_at": attempt.attempted_at.isoformat(),
        },
    }


def _build_segment(span: StatusSpan) -> dict[str, Any]:
    return {
        "from": span.from_at.isoformat(),
        "status": span.status.value,
        "due_at": span.due_at.isoformat() if span.due_at else None,
        "effective_at": span.effective_at.isoformat() if span.effective_at else None,
        "submissions": span.submissions,
        "flags": list(span.flags),
        "missing": list(span.missing),
        "evidence": list(span.evidence),
        **({} if span.standing is None else {"standing": dict(zip(("source", "id"), span.standing, strict=True))}),
    }
