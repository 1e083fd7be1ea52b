"""The documents that the database of reporting holds: a record as it is in the log, beside what it is found by.

The field names are those of databases in operation.
"""

from typing import Any

from schemas.events.ids import DutyKey
from services.reporting.core.timeline import EventIdentity
from services.reporting.event_decoder import DecodedFact, RecordedAssessment, RecordedAttempt

REVISION_DIGITS = 19  # of the largest offset that Kafka has, so that keys sort as revisions do
# Intake takes no control characters in a source or an id, so the separator stands in neither.
IDENTITY_SEPARATOR, AFTER_SEPARATOR = "\x1e", "\x1f"


def build_revision_key(duty: DutyKey, revision: int) -> str:
    """Return the key of one revision; keys sort as the revisions of a duty do."""
    return f"{duty}|{revision:0{REVISION_DIGITS}d}"


def build_assessment(recorded: RecordedAssessment) -> dict[str, Any]:
    """Return the document of one revision of an assessment."""
    assessment = recorded.assessment
    return {
        "_id": build_revision_key(assessment.key, assessment.revision),
        "plan": assessment.key.plan,
        "period": assessment.key.period,
        "agency": assessment.key.agency,
        "obligation": assessment.key.obligation,
        "revision": assessment.revision,
        "recorded_at": assessment.recorded_at,
        "record": recorded.record,
    }


def build_attempt(recorded: RecordedAttempt) -> dict[str, Any]:
    """Return the document of one attempt at an alert."""
    return {
        "_id": recorded.event,
        "duties": [str(attempt.key) for attempt in recorded.attempts],
        "attempted_at": recorded.attempted_at,
        "record": recorded.record,
    }


def build_fact(fact: DecodedFact) -> dict[str, Any]:
    """Return the document of one fact."""
    return {
        "_id": fact.receiptid,
        "identity": join_identity((fact.source, fact.event)),
        "duty": str(fact.duty),
        "recorded_at": fact.recorded_at,
        "digest": fact.digest,
        "record": fact.record,
    }


def join_identity(identity: EventIdentity) -> str:
    """Return source and id of an event as the text by which a fact is found."""
    return IDENTITY_SEPARATOR.join(identity)
