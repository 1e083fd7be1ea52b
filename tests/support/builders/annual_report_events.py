"""Build the events of assessments and alerts as rules and the notifier publish them."""

from typing import Any

from schemas.events.assessments import ASSESSED
from schemas.events.deliveries import DELIVERED
from services.reporting.core.projections import Assessed, Attempt, Standing


def a_verdict(assessed: Assessed) -> dict[str, Any]:
    """Return an assessment as the CloudEvent that rules publishes."""
    key = assessed.key
    return {
        "specversion": "1.0",
        "id": assessed.event,
        "source": "dondoc/rules",
        "type": ASSESSED,
        "subject": key.agency,
        "time": assessed.recorded_at.isoformat(),
        "datacontenttype": "application/json",
        "data": {
            "plan": key.plan,
            "plan_version": assessed.plan_version,
            "registry": assessed.registry,
            "registry_version": assessed.registry_version,
            "agency": key.agency,
            "obligation": key.obligation,
            "period": key.period,
            "clause": assessed.clause,
            "opens_at": assessed.opens_at.isoformat() if assessed.opens_at else None,
            "recorded_at": assessed.recorded_at.isoformat(),
            "revision": assessed.revision,
            "timeline": [_segment(standing) for standing in assessed.timeline],
            "steps": [],
        },
    }


def a_delivery(attempt: Attempt) -> dict[str, Any]:
    """Return an attempt as the CloudEvent that the notifier publishes."""
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


def _segment(standing: Standing) -> dict[str, Any]:
    return {
        "from": standing.from_at.isoformat(),
        "status": standing.status.value,
        "due_at": standing.due_at.isoformat() if standing.due_at else None,
        "effective_at": standing.effective_at.isoformat() if standing.effective_at else None,
        "submissions": standing.submissions,
        "flags": list(standing.flags),
        "missing": list(standing.missing),
        "evidence": list(standing.evidence),
    }
