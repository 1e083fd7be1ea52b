"""The reads of the database that the questions about evidence need."""

from typing import Protocol

from services.reporting.content.submission_contents import EventSource
from services.reporting.evidence.duty_queries import DutyArchive
from services.reporting.evidence.event_queries import EventArchive


class EvidenceArchive(DutyArchive, EventArchive, EventSource, Protocol):
    """Finds the records of duties, events and results."""
