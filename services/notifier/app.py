"""The application: the consumer of verdicts, the background loops that send, and the HTTP endpoints.

Nothing is opened before the application starts, and everything is closed in reverse order.
"""

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from services.notifier.dispatch.route_file import RouteFileError
from services.notifier.errors import LedgerRefusedError, LedgerUnavailableError
from services.notifier.officer_file import OfficerFileError
from services.notifier.outbox import OUTBOX_PATH, outbox_endpoint
from services.notifier.settings import NotifierSettings
from services.notifier.wiring import NotifierComponents
from services.runtime import bootstrap, mongo, startup
from services.runtime.http import admin, server
from services.runtime.http.admin import AdminApp
from services.runtime.http.application import ServiceApp
from services.runtime.http.probes import probe_routes
from services.runtime.http.request_metrics import OPERATIONS, RequestMetrics
from services.runtime.http.server import Halt
from services.runtime.kafka.batch_consumer import ConsumingBroker
from services.runtime.metrics import new_registry
from services.runtime.observability import spans
from services.runtime.observability.certificate_expiry import export_expiry
from services.runtime.settings import EXIT_UNUSABLE
from services.runtime.startup import Startup


def main() -> None:
    """Serve until the process is asked to stop."""
    bootstrap.relax_garbage_collection()
    settings = bootstrap.initialise("notifier", NotifierSettings)
    halt = Halt()
    try:
        app = build_app(settings, halt=halt)
    except (RouteFileError, OfficerFileError) as cause:
        sys.stderr.write(f"{cause}\n")
        sys.exit(EXIT_UNUSABLE)
    server.run(app, server.listen(settings.host, settings.port, share_port=False), halt=halt, admin=app.admin)


def build_app(settings: NotifierSettings | None = None, *, halt: Callable[[], None] | None = None) -> ServiceApp:
    """Return the application; *halt* ends the process after a failure that cannot be recovered from."""
    settings = settings or NotifierSettings()
    halt = halt or Halt()
    registry = new_registry()
    export_expiry(registry, settings.certificates)
    components = NotifierComponents(settings, registry, halt)
    broker = ConsumingBroker(settings.kafka, halt=halt, registry=registry)
    components.subscribe(broker)
    servers = {"broker": startup.BROKER, "database": startup.DATABASE}
    start = Startup(servers, LedgerUnavailableError, LedgerRefusedError)
    exporter = spans.open_exporter("notifier", settings.otlp_endpoint)
    components.export_spans(exporter)

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        open_all = partial(components.open, start=start, broker=broker, halt=halt)
        try:
            async with startup.open_in_background(open_all, halt=halt):
                yield
        finally:
            await spans.close_exporter(exporter)

    ready = {
        "broker": start.check("broker", components.references.is_broker_reachable),
        "references": components.references.is_ready,
        "database": start.check("database", lambda: mongo.is_answering(components.client)),
        "consumer": broker.is_consuming,
        "ledger": components.consumption.is_complete,
        "log": components.consumption.is_log_intact,
        "assessments": components.has_schedules,
        "routes": components.has_routes,
    }
    asyncapi = admin.asyncapi_route(broker, title="Đôn Đốc notifier", description="Who is told what, and when.")
    backlog = (OUTBOX_PATH, outbox_endpoint(components.ledger, components.clock))
    requests = RequestMetrics(registry, (OPERATIONS,))
    operations = [*probe_routes(ready, registry), asyncapi, backlog]
    admin_app = AdminApp(settings.admin_port, operations, requests, service_port=settings.port)
    routes = [*components.receipt_routes(), *components.acknowledge_routes()]
    return ServiceApp(broker, lifespan=lifespan, routes=routes, admin=admin_app)
