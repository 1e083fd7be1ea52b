"""Wire reporting: settings in, an ASGI application out. Its lifespan opens what it needs and closes it in reverse."""

from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from services.reporting import components as reporting_components
from services.reporting.components import ReportingComponents
from services.reporting.content.attachments import AttachmentFiles
from services.reporting.content.report_compiler import ReportCompiler
from services.reporting.content.results_queries import ResultsQueries
from services.reporting.content.review_queries import ReviewQueries
from services.reporting.content.submission_queries import SubmissionQueries
from services.reporting.core.access.decisions import Access
from services.reporting.current.view import CurrentView
from services.reporting.dashboard import templating
from services.reporting.dashboard.evidence import evidence_pages
from services.reporting.dashboard.evidence.changes_page import ChangesPage
from services.reporting.dashboard.evidence.status_page import Checks, StatusPage
from services.reporting.dashboard.officer.review_page import ReviewMaterials, ReviewPage
from services.reporting.dashboard.page_renderer import PageRenderer
from services.reporting.dashboard.pages import Dashboard
from services.reporting.dashboard.sealed_reports_page import SealedReportsPage
from services.reporting.dashboard.season import season_routes
from services.reporting.dashboard.verification import VerificationPage
from services.reporting.documents import formats
from services.reporting.evidence.change_queries import ChangeQueries
from services.reporting.evidence.season_monitor import SeasonMonitor
from services.reporting.http import api_description, problems
from services.reporting.http.access import open_link
from services.reporting.http.access.guard import AccessRoute, ReaderGuard
from services.reporting.http.api import ReportingApi
from services.reporting.http.compression import CompressionMiddleware
from services.reporting.http.content_api import ContentApi
from services.reporting.http.evaluations_api import EvaluationsApi
from services.reporting.http.evidence import evidence_routes
from services.reporting.http.evidence.change_api import ChangeApi
from services.reporting.http.live.stream_api import StreamApi
from services.reporting.http.rendering import RenderingLimit
from services.reporting.http.report_documents import ReportDocuments
from services.reporting.http.sealed_reports import SealedReportsApi
from services.reporting.http.security_headers import SecurityHeaders
from services.reporting.metrics import SURFACES, surface_of
from services.reporting.queries import ReportingQueries
from services.reporting.sealing.draft_compiler import DraftCompiler
from services.reporting.sealing.log_position import LogReaders
from services.reporting.sealing.sealer import Sealer, SealingMaterials
from services.reporting.sealing.store import SealedReportStore
from services.reporting.settings import ReportingSettings
from services.runtime import bootstrap
from services.runtime.http import server
from services.runtime.http.admin import PUBLIC_PATHS, AdminApp
from services.runtime.http.asgi import AsgiHandler
from services.runtime.http.probes import probe_routes
from services.runtime.http.request_metrics import MeasuredApp, RequestMetrics
from services.runtime.http.server import Halt


class AsgiEndpoint:
    """A plain ASGI handler as a route's endpoint: Starlette takes a bare function for one that wants a `Request`."""

    def __init__(self, handler: AsgiHandler) -> None:
        self._handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._handler(scope, receive, send)


class ReportingApp(Starlette):
    """The application, with that of its admin port."""

    admin: AdminApp

    def build_middleware_stack(self) -> ASGIApp:
        """Return the application with the headers around everything, the answer to an unexpected error included."""
        answer = SecurityHeaders(CompressionMiddleware(super().build_middleware_stack()))
        return MeasuredApp(answer, self.admin.requests, surface_of)


def main() -> None:
    """Serve until the process is asked to stop."""
    settings = bootstrap.initialise("reporting", ReportingSettings)
    bootstrap.collect_garbage_in_portions()
    bootstrap.answer_while_computing()
    halt = Halt()
    app = build_app(settings, halt=halt)
    server.run(app, server.listen(settings.host, settings.port, share_port=False), halt=halt, admin=app.admin)


def build_app(settings: ReportingSettings, *, halt: Halt) -> ReportingApp:
    """Wire reporting; nothing is opened before the lifespan begins. *halt* stops a process that cannot go on."""
    components = reporting_components.build_components(settings, halt)
    queries = _build_queries(components)
    submissions, results = SubmissionQueries(queries, components.store), ResultsQueries(queries, components.store)
    reports = ReportCompiler(queries, components.store, SealedReportStore(components.store), results=results)
    templates = templating.build_environment()
    renderer = PageRenderer(queries, templates, clock=components.clock, freshness=components.freshness)
    admin = _build_admin(components)
    season = SeasonMonitor(queries, components.metrics, components.clock)
    guard = _build_guard(components, queries)
    limit = RenderingLimit()
    documents = _build_documents(components, reports, limit)
    sealed_reports = _build_sealing(components, reports, limit)
    evaluations = _build_evaluations(components, queries)
    app = ReportingApp(
        routes=guard.protect(
            [
                *(_build_admin_route(path, handler) for path, handler in admin.routes_on_service_port()),
                open_link.build_route(guard.authentication, templates),
                *ReportingApi(queries, submissions, clock=components.clock).routes(),
                *documents.routes(),
                *_build_content_api(components, results, submissions).routes(),
                *evaluations.routes(),
                *_build_review_page(components, queries, evaluations, renderer, guard).routes(),
                *sealed_reports.routes(),
                *SealedReportsPage(sealed_reports, renderer, guard, clock=components.clock).routes(),
                *VerificationPage(SealedReportStore(components.store), renderer).routes(),
                *api_description.build_routes(templates),
                *_build_pages(components, queries, results, renderer),
            ]
        ),
        lifespan=reporting_components.build_lifespan(components, season.run),
        exception_handlers=problems.build_handlers(renderer.render_problem, guard.record_refusal),
    )
    # Whoever shows no key learns of no path whether there is anything.
    app.router.default = guard.answer_unknown_path
    app.router.redirect_slashes = False
    app.admin = admin
    return app


def _build_queries(components: ReportingComponents) -> ReportingQueries:
    return ReportingQueries(
        components.store,
        components.references,
        view=CurrentView(components.store),
        on_unreadable=lambda _record: components.metrics.stored_unreadable.inc(),
    )


def _build_evidence(
    components: ReportingComponents, queries: ReportingQueries, results: ResultsQueries, renderer: PageRenderer
) -> list[BaseRoute]:
    """Return the API and the pages of what statuses and figures rest on, and of the service's own health."""
    store, documents, clock = components.store, components.references, components.clock
    checks, registry = _build_checks(components), components.registry
    changes = ChangeQueries(queries, results)
    return [
        *evidence_routes.build_routes(queries, store, documents, clock=clock),
        *evidence_pages.build_routes(queries, store, documents, renderer=renderer, clock=clock),
        *ChangeApi(queries, changes, clock=clock).routes(),
        *ChangesPage(queries, changes, renderer, clock=clock).routes(),
        *StatusPage(renderer, components.freshness, checks, registry=registry, clock=clock).routes(),
    ]


def _build_guard(components: ReportingComponents, queries: ReportingQueries) -> ReaderGuard:
    return ReaderGuard(
        authentication=components.authentication,
        agencies=queries,
        are_figures_public=components.settings.public == "figures",
        refusals=components.refusals,
    )


def _build_admin_route(path: str, handler: AsgiHandler) -> BaseRoute:
    """Return a route for operators: the probes are open, the others are there on a development machine alone."""
    access = Access.OPEN if path in PUBLIC_PATHS else Access.THIS_MACHINE
    return AccessRoute(path, AsgiEndpoint(handler), access)


def _build_checks(components: ReportingComponents) -> Checks:
    """Return what has to hold for the service to be ready, by the name under which it is told."""
    return {
        "kafka": components.startup.check("kafka", components.dead_letters.is_answering),
        "mongo": components.startup.check("mongo", components.store.is_answering),
        "references": components.references.is_ready,
        "consumer": components.projections.broker.is_consuming,
        "projections": components.projections.consumption.is_complete,
        "log": components.projections.consumption.is_log_intact,
        "assessments": components.has_assessments,
    }


def _build_admin(components: ReportingComponents) -> AdminApp:
    settings = components.settings
    routes = [*probe_routes(_build_checks(components), components.registry), api_description.asyncapi_route()]
    requests = RequestMetrics(components.registry, SURFACES)
    return AdminApp(settings.admin_port, routes, requests, service_port=settings.port)


def _build_pages(
    components: ReportingComponents, queries: ReportingQueries, results: ResultsQueries, renderer: PageRenderer
) -> list[BaseRoute]:
    clock = components.clock
    return [
        *Dashboard(queries, clock, renderer).routes(),
        *season_routes.build_routes(queries, results, renderer, clock=clock),
        *_build_evidence(components, queries, results, renderer),
        *StreamApi(
            components.feed,
            require_agency=queries.require_agency,
            require_in_force=components.authentication.identify,
        ).routes(),
    ]


def _build_documents(
    components: ReportingComponents, reports: ReportCompiler, limit: RenderingLimit
) -> ReportDocuments:
    drafts = DraftCompiler(reports, SealedReportStore(components.store))
    return ReportDocuments(drafts, limit, clock=components.clock, metrics=components.metrics)


def _build_sealing(components: ReportingComponents, reports: ReportCompiler, limit: RenderingLimit) -> SealedReportsApi:
    settings, store = components.settings, SealedReportStore(components.store)
    readers = LogReaders(
        kafka=settings.kafka,
        reporting_group=settings.group,
        rules_group=settings.rules_group,
        partitions=settings.partitions,
    )
    materials = SealingMaterials(
        source=reports,
        render=formats.render_documents,
        public_url=str(settings.dashboard_url).rstrip("/"),
    )
    sealer = Sealer(readers, store, materials, clock=components.clock, metrics=components.metrics)
    return SealedReportsApi(reports, store, sealer, limit=limit, clock=components.clock)


def _build_content_api(
    components: ReportingComponents, results: ResultsQueries, submissions: SubmissionQueries
) -> ContentApi:
    return ContentApi(
        results,
        submissions,
        files=AttachmentFiles(components.settings.attachments),
        clock=components.clock,
    )


def _build_evaluations(components: ReportingComponents, queries: ReportingQueries) -> EvaluationsApi:
    store = SealedReportStore(components.store)
    return EvaluationsApi(queries, store, components.publisher, clock=components.clock)


def _build_review_page(
    components: ReportingComponents,
    queries: ReportingQueries,
    evaluations: EvaluationsApi,
    renderer: PageRenderer,
    guard: ReaderGuard,
) -> ReviewPage:
    return ReviewPage(
        ReviewMaterials(
            queries=ReviewQueries(queries, components.store),
            evaluations=evaluations,
            intake=components.intake,
            renderer=renderer,
            readers=guard,
            clock=components.clock,
            metrics=components.metrics,
        )
    )
