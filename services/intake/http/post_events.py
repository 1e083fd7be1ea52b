"""`POST /v1/events`: authenticate, check the limits, read the body, prepare the events, append them, answer.

The answer is 202 with receipts once every event is durable; anything less is a problem document.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NoReturn

from schemas.plan.values import Bilingual
from services.intake.asgi import BodyTimeout, Request, RequestRefusedError, Response
from services.intake.cloudevents import http_binding, pipeline
from services.intake.cloudevents.http_binding import ContentMode
from services.intake.cloudevents.pipeline import Pipeline, PostedEvents, PreparedEvents
from services.intake.core.fact_record import format_instant
from services.intake.core.problems import Refusal, RequestProblem
from services.intake.core.scopes import ApiKey
from services.intake.http.api_keys import ApiKeys
from services.intake.http.dry_run import DryRunClient
from services.intake.http.limits import InflightLimit, RateLimits
from services.intake.metrics import IntakeMetrics
from services.intake.published_plans import SnapshotPlans
from services.runtime.clock import Clock
from services.runtime.kafka import event_origins
from services.runtime.observability.spans import SpanExporter

DRY_RUN = "dry_run"
TRUE = frozenset({"true", "1", "yes"})
FALSE = frozenset({"false", "0", "no"})
RETRY_AFTER_SECONDS = 5
_SHOWN_CHARS = 40  # of the name of an unknown parameter, in the answer

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostEvents:
    """The endpoint with its dependencies. *wait_until_tried* returns when the broker has been tried once."""

    keys: ApiKeys
    rate_limits: RateLimits
    inflight_limit: InflightLimit
    body_timeout: BodyTimeout
    plans: SnapshotPlans
    wait_until_tried: Callable[[], Awaitable[None]]
    pipeline: Pipeline
    dry_run: DryRunClient
    clock: Clock
    metrics: IntakeMetrics
    spans: SpanExporter | None

    async def post(self, request: Request) -> Response:
        """Answer 202 with receipts once every event is durable; raise `RequestRefusedError` for anything less."""
        key = self.keys.authenticate(request.header(b"authorization"), request.address)
        try:
            return await self._accept(request, key)
        except RequestRefusedError as error:
            _log_refusal(error.refusal, key)
            raise

    async def _accept(self, request: Request, key: ApiKey) -> Response:
        # Before the body is read: a key that floods costs neither memory nor processor time.
        self.rate_limits.refuse_exhausted(key)
        is_dry_run = bool(request.raw_query) and _is_dry_run(request)
        mode = http_binding.mode_of(request.headers)
        # A chunked body announces no length (RFC 9112 section 7.1), so it counts as the largest that would be accepted.
        announced = request.content_length
        reserved = mode.bytes_max if announced is None else min(announced, mode.bytes_max)
        self.inflight_limit.reserve(reserved)
        try:
            body = await request.read_body(mode.bytes_max, self.body_timeout)
            # The time of receipt is when the whole request has arrived (contract section 3), not when it is written.
            receivedtime = format_instant(self.clock.now())
            if not self.plans.is_ready:
                await self._wait_for_plans()
            texts = http_binding.split_events(mode, body)
            # Charged before the events are checked, and an empty batch as one: invalid events cost as much work.
            await self.rate_limits.charge(key, max(1, len(texts)))
            posted = PostedEvents(mode, request.headers, body, key.scope, receivedtime)
            prepared = self.pipeline.prepare(posted, texts)
            if is_dry_run:
                return await self._simulate(prepared, mode)
            started = time.perf_counter()
            answer = await self.pipeline.append(prepared, is_batch=mode is ContentMode.BATCH)
            self.metrics.seconds.observe(time.perf_counter() - started)
            self.metrics.accepted[mode.value].inc(prepared.count)
            if self.spans is not None:
                self._export_receipts(self.spans, prepared)
            return Response(status=202, body=answer)
        finally:
            self.inflight_limit.release(reserved)

    def _export_receipts(self, spans: SpanExporter, prepared: PreparedEvents) -> None:
        """Export a span for each event with a trace: from its receipt until it was durable."""
        now = self.clock.now()
        for value in pipeline.values_of(prepared):
            origin = event_origins.read_fact_origin(value)
            if origin.received_at is not None and origin.trace is not None:
                spans.export("intake: receive", origin.trace, origin.received_at, now)

    async def _wait_for_plans(self) -> None:
        """Wait at the start of the process until the broker has been tried; refuse (503) while there is no plan."""
        await self.wait_until_tried()
        if not self.plans.is_ready:
            raise RequestRefusedError(_NO_PLAN)

    async def _simulate(self, prepared: PreparedEvents, mode: ContentMode) -> Response:
        """Answer with the assessments that rules would make of the events; write nothing."""
        is_batch = mode is ContentMode.BATCH
        await self.pipeline.check_conflicts(prepared, is_batch=is_batch)
        return await self.dry_run.assess(pipeline.values_of(prepared), is_batch=is_batch)


def _log_refusal(refusal: Refusal, key: ApiKey) -> None:
    """Write an audit line: which key, whose, and why; never the secret or the content."""
    pointers = [error.pointer for error in refusal.errors]
    known = {"key": key.id, "system": key.system, "problem": refusal.problem.value.slug, "pointers": pointers}
    log.warning("a request was refused", extra={"action": "refused", **known})


_NO_PLAN = Refusal(
    problem=RequestProblem.UNAVAILABLE,
    detail=Bilingual.of(
        en="no plan is published yet, or it cannot be read now; send the same event again later",
        vi="chưa có kế hoạch được công bố hoặc chưa đọc được kế hoạch; hãy gửi lại đúng sự kiện này sau",
    ),
    retry_after_seconds=RETRY_AFTER_SECONDS,
)


def _is_dry_run(request: Request) -> bool:
    # Anything else is refused and not taken for false: a dry run whose name or value is misspelt, or which is asked
    # for twice in two ways, would record the events.
    for name in request.query:
        if name != DRY_RUN:
            _refuse_query(
                en=f"{name[:_SHOWN_CHARS]!r} is no parameter here; the only one is {DRY_RUN}",
                vi=f"không có tham số {name[:_SHOWN_CHARS]!r}; chỉ có {DRY_RUN}",
            )
    given = {value.lower() for value in request.query.get(DRY_RUN, ["false"])}
    if given <= TRUE:
        return True
    if not given <= FALSE:
        _refuse_query(en=f"{DRY_RUN} must be true or false", vi=f"{DRY_RUN} phải là true hoặc false")
    return False


def _refuse_query(*, en: str, vi: str) -> NoReturn:
    detail = Bilingual.of(en=en, vi=vi)
    raise RequestRefusedError(Refusal(problem=RequestProblem.UNREADABLE, detail=detail))
