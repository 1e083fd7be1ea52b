"""Audits on a schedule, as a process of its own with probes and metrics; `dondoc audit --every PT1H` starts it.

A difference is logged and counted. A run that cannot compare is tried again sooner, and never ends the process.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from services.console.audit.auditor import AuditResult, AuditTarget
from services.console.audit.comparison import Difference
from services.console.audit.log_indexer import LogLostError
from services.console.audit.metrics import AuditMetrics
from services.console.audit.projection_lag import BehindError
from services.console.audit.run import AuditRequest, AuditRun
from services.console.audit.settings import AuditSettings
from services.console.support.inputs import UnusableInputError
from services.reporting.app import AsgiEndpoint
from services.runtime import background, logs
from services.runtime.clock import clock_from
from services.runtime.http import server
from services.runtime.http.probes import probe_routes
from services.runtime.http.request_metrics import OPERATIONS, MeasuredApp, RequestMetrics
from services.runtime.http.server import Halt
from services.runtime.metrics import new_registry

RETRY_SECONDS = 60.0  # after a run that could not compare
MOST_LOGGED_DIFFERENCES = 20  # one fault may show in every duty of a period; the command prints all of them

log = logging.getLogger(__name__)


class SilentProgress:
    """Shows nothing: a process in the background has no terminal."""

    def on_records_read(self, count: int) -> None:
        del count

    def on_agencies_planned(self, count: int) -> None:
        del count

    def on_agency_compared(self) -> None:
        return


class ScheduledAudit:
    """Audits again and again until it is cancelled."""

    def __init__(self, run: AuditRun, metrics: AuditMetrics, *, every_seconds: float) -> None:
        self._run = run
        self._metrics = metrics
        self._every_seconds = every_seconds
        self._logged = 0
        self._has_compared = False

    async def has_compared(self) -> bool:
        """Whether the last run could compare everything: a readiness check."""
        return self._has_compared

    async def run_forever(self) -> None:
        """Audit, wait, audit again."""
        while True:
            begun = time.perf_counter()
            outcome = await self._audit()
            self._has_compared = outcome in {"agreed", "differed"}
            self._metrics.runs.labels(outcome).inc()
            self._metrics.run_seconds.set(time.perf_counter() - begun)
            wait = self._every_seconds if self._has_compared else min(RETRY_SECONDS, self._every_seconds)
            await asyncio.sleep(wait)

    async def _audit(self) -> str:
        """Audit once and return how it ended: one of `OUTCOMES`."""
        self._logged = 0
        try:
            results = await self._run.audit(SilentProgress(), self._log_difference)
        except UnusableInputError as cause:
            log.error("nothing could be compared", extra={"action": "audit_failed", "reason": str(cause)})  # noqa: TRY400 - the reason is in the line
            match cause:
                case BehindError():
                    return "behind"
                case LogLostError():
                    return "log_lost"
                case _:
                    return "failed"
        return self._report(results)

    def _report(self, results: Sequence[AuditResult]) -> str:
        differences = sum(one.differences for one in results)
        self._metrics.differences.set(differences)
        self._metrics.duties.set(sum(one.duties for one in results))
        self._metrics.unreadable.set(max((one.unreadable for one in results), default=0))
        self._metrics.last_success.set_to_current_time()
        for one in results:
            figures = {"plan": one.target.plan, "period": one.target.period, "differences": one.differences}
            log.info("a period was audited", extra={"action": "audited", "duties": one.duties, **figures})
        return "differed" if differences else "agreed"

    def _log_difference(self, target: AuditTarget, found: Difference) -> None:
        self._logged += 1
        if self._logged <= MOST_LOGGED_DIFFERENCES:
            details = {"action": "audit_difference", "plan": target.plan, **found}
            log.error("reporting differs from the log", extra=details)


def serve(settings: AuditSettings, request: AuditRequest, *, every_seconds: float) -> None:
    """Audit on a schedule until the process is asked to stop."""
    logs.configure("audit", settings.log_level, clock_from(settings.clock))
    halt = Halt()
    app = build_app(settings, request, every_seconds=every_seconds, halt=halt)
    server.run(app, server.listen(settings.host, settings.port, share_port=False), halt=halt)


def build_app(settings: AuditSettings, request: AuditRequest, *, every_seconds: float, halt: Halt) -> Starlette:
    """Return the application: probes, metrics, and the schedule in its lifespan."""
    registry = new_registry()
    run = AuditRun(settings, request)
    audit = ScheduledAudit(run, AuditMetrics(registry), every_seconds=every_seconds)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        task = background.start(audit.run_forever(), halt=halt, failure="the audit failed")
        try:
            yield
        finally:
            await background.cancel(task)
            run.close()

    probes = probe_routes({"compared": audit.has_compared}, registry)
    measured = Middleware(MeasuredApp, RequestMetrics(registry, (OPERATIONS,)), lambda _path: OPERATIONS)
    routes = [Route(path, AsgiEndpoint(handler)) for path, handler in probes]
    return Starlette(routes=routes, lifespan=lifespan, middleware=[measured])
