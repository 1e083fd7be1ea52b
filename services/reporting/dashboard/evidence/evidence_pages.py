"""Wire the pages of evidence: their queries and their handlers."""

from starlette.routing import BaseRoute

from services.reporting.dashboard.evidence.agency_page import AgencyPage
from services.reporting.dashboard.evidence.document_pages import DocumentPages
from services.reporting.dashboard.evidence.duty_page import DutyPage
from services.reporting.dashboard.evidence.event_page import EventPage
from services.reporting.dashboard.page_renderer import PageRenderer
from services.reporting.evidence.archive import EvidenceArchive
from services.reporting.evidence.document_queries import DocumentQueries, DocumentVersionSource
from services.reporting.evidence.duty_queries import DutyQueries
from services.reporting.evidence.event_queries import EventQueries
from services.reporting.http.evidence.event_api import EventApi
from services.reporting.queries import ReportingQueries
from services.runtime.clock import Clock


def build_routes(
    queries: ReportingQueries,
    store: EvidenceArchive,
    documents: DocumentVersionSource,
    *,
    renderer: PageRenderer,
    clock: Clock,
) -> list[BaseRoute]:
    """Return the routes of the pages."""
    duties, events = DutyQueries(queries, store), EventApi(EventQueries(queries, store), clock=clock)
    return [
        *DutyPage(duties, renderer, clock=clock).routes(),
        *AgencyPage(queries, duties, documents, renderer=renderer, clock=clock).routes(),
        *EventPage(queries, events, renderer, clock=clock).routes(),
        *DocumentPages(DocumentQueries(documents, queries), renderer, clock=clock).routes(),
    ]
