"""Events of rules and the notifier as another producer may write them: no optional fields, and one unknown field."""

import json
from typing import Any

from schemas.events.assessments import ASSESSED
from schemas.events.deliveries import ACKNOWLEDGED, DELIVERED

AT = "2026-12-01T02:00:00Z"
ASSESSMENT: dict[str, Any] = {
    "plan": "P-1",
    "plan_version": 1,
    "registry": "th",
    "registry_version": 1,
    "agency": "h-mot",
    "obligation": "results",
    "clause": "III.1",
    "recorded_at": AT,
    "revision": 7,
    "timeline": [{"from": AT, "status": "pending"}],
}
ALERTED_DUTY: dict[str, Any] = {
    "plan": "P-1",
    "agency": "h-mot",
    "obligation": "results",
    "kind": "urging",
    "step": "P1D",
}
ATTEMPT: dict[str, Any] = {
    "alert": "a-1",
    "channel": "email",
    "to_agency": "h-mot",
    "kind": "urging",
    "step": "P1D",
    "duties": [ALERTED_DUTY],
    "attempt": 1,
    "outcome": "delivered",
    "attempted_at": AT,
}


def an_assessment_event(kind: str = ASSESSED, **data: object) -> dict[str, Any]:
    """Build an event with the data of an assessment, in which *data* is changed or added."""
    return {"id": "e-1", "source": "dondoc/rules", "type": kind, "data": ASSESSMENT | data, "traceparent": "00-1"}


def an_attempt_event(kind: str = DELIVERED, **data: object) -> dict[str, Any]:
    """Build an event with the data of an attempt at an alert, in which *data* is changed or added."""
    return {"id": "e-2", "source": "dondoc/notifier", "type": kind, "data": ATTEMPT | data, "traceparent": "00-1"}


def an_acknowledgement_event(**data: object) -> dict[str, Any]:
    """Build an event by which an agency says that it has read an alert, in which *data* is changed or added."""
    said = {"agency": "h-mot", "alert": "a-1", "duties": [ALERTED_DUTY], "promised_on": "2026-12-05"}
    return {"id": "e-3", "source": "dondoc/notifier", "type": ACKNOWLEDGED, "data": said | data}


def encode(event: dict[str, Any], *, without: str | None = None) -> bytes:
    """Encode *event*, without the attribute of the envelope that *without* names."""
    return json.dumps({name: value for name, value in event.items() if name != without}).encode()
