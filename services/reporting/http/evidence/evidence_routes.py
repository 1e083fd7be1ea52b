"""Wire the API of evidence: its queries and its handlers."""

from starlette.routing import BaseRoute

from services.reporting.evidence.archive import EvidenceArchive
from services.reporting.evidence.document_queries import DocumentQueries, DocumentVersionSource
from services.reporting.evidence.duty_queries import DutyQueries
from services.reporting.evidence.event_queries import EventQueries
from services.reporting.http.evidence.document_api import DocumentApi
from services.reporting.http.evidence.duty_api import DutyApi
from services.reporting.http.evidence.event_api import EventApi
from services.reporting.queries import ReportingQueries
from services.runtime.clock import Clock


def build_routes(
    queries: ReportingQueries, store: EvidenceArchive, documents: DocumentVersionSource, *, clock: Clock
) -> list[BaseRoute]:
    """Return the routes of what statuses and figures rest on."""
    return [
        *DutyApi(DutyQueries(queries, store), clock=clock).routes(),
        *EventApi(EventQueries(queries, store), clock=clock).routes(),
        *DocumentApi(DocumentQueries(documents, queries), clock=clock).routes(),
    ]
