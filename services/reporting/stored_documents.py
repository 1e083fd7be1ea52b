"""The documents that the database of reporting holds: a record as it is in the log, beside what it is found by.

The field names are those of databases in operation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from schemas.events.ids import DutyKey
from services.reporting.core.timeline import EventIdentity
from services.reporting.event_decoder import DecodedFact, RecordedAssessment, RecordedAttempt, StoredRecord

REVISION_DIGITS = 19  # of the largest offset that Kafka has, so that keys sort as revisions do
# Intake takes no control characters in a source or an id, so the separator stands in neither.
IDENTITY_SEPARATOR, AFTER_SEPARATOR = "\x1e", "\x1f"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFact:
    """A fact as it was stored: when the log recorded it, and its record; None is what the document has lost."""

    receiptid: str
    recorded_at: datetime | None
    record: bytes | None

    def recording_order(self) -> tuple[datetime, str]:
        """Return the key by which facts are sorted in the order of the log, to the millisecond."""
        return self.recorded_at or datetime.max.replace(tzinfo=UTC), self.receiptid


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


def read_record(document: Mapping[str, Any]) -> StoredRecord:
    """Return the record in *document*."""
    # A damaged document, or one that somebody has edited, must be as harmless as a damaged record.
    record = document.get("record")
    return StoredRecord(id=str(document["_id"]), record=record if isinstance(record, bytes) else None)


def read_fact(document: Mapping[str, Any]) -> StoredFact:
    """Return the fact in *document*."""
    recorded_at = document.get("recorded_at")
    return StoredFact(
        receiptid=str(document["_id"]),
        recorded_at=recorded_at if isinstance(recorded_at, datetime) else None,
        record=read_record(document).record,
    )
