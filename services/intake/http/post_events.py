"""`POST /v1/events`: from the bytes of a request to the receipts of its events, one step a line."""

import logging
import time
from dataclasses import dataclass

from services.intake.asgi import Request, RequestRefusedError, Response
from services.intake.cloudevents import http_binding, pipeline
from services.intake.cloudevents.http_binding import ContentMode
from services.intake.cloudevents.pipeline import Handed, Issued, Issuer
from services.intake.core.event_id import format_instant
from services.intake.core.problems import Refusal, RequestProblem, Said
from services.intake.core.scopes import ApiKey
from services.intake.dedup.deduplicator import Register
from services.intake.http.api_keys import ApiKeys
from services.intake.http.dry_run import DryRunClient
from services.intake.http.inflight_limit import Room
from services.intake.http.rate_limits import Limits
from services.intake.http.timeouts import Patience
from services.intake.log.kafka_connection import Bus
from services.intake.metrics import IntakeMetrics
from services.intake.published_plans import PublishedPlans
from services.intake.receipts.signing import SigningKeys
from services.intake.workers.supervisor import Staff
from services.runtime.clock import Clock

TRUE = frozenset({"true", "1", "yes"})
RETRY_AFTER_SECONDS = 5
FALSE = frozenset({"false", "0", "no"})

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    """What it takes to receive an event."""

    keys: ApiKeys
    bus: Bus
    library: PublishedPlans
    room: Room
    issuer: Issuer
    staff: Staff
    register: Register
    limits: Limits
    signing_keys: SigningKeys
    dry_run: DryRunClient
    clock: Clock
    metrics: IntakeMetrics
    patience: Patience

    async def receive(self, request: Request) -> Response:
        """Answer 202 with receipts once every event is durable; raise `RequestRefusedError` for anything less."""
        key = self.keys.authenticate(request.header(b"authorization"))
        try:
            return await self._received(request, key)
        except RequestRefusedError as error:
            _put_on_record(error.refusal, key)
            raise

    async def _received(self, request: Request, key: ApiKey) -> Response:
        self.limits.refuse_excess(key)
        is_dry = _is_dry_run(request)
        mode = http_binding.mode_of(request.headers)
        room = self.room.take(request, mode.bytes_max)
        try:
            body = await request.read_body(mode.bytes_max, self.patience)
            receivedtime = format_instant(self.clock.now())
            await self._opened()
            handed = Handed(mode, request.headers, body, key.scope, receivedtime)
            issued = await self._issued(handed, key)
            return await (self._tried(issued, mode) if is_dry else self._taken(issued, mode))
        finally:
            self.room.give_back(room)

    async def _opened(self) -> None:
        await self.bus.settled()
        if not self.library.is_ready:
            raise RequestRefusedError(_NO_PLAN)

    async def _issued(self, handed: Handed, key: ApiKey) -> Issued:
        """Have a clerk issue what was handed in, or do it here, where its faults are told."""
        issued = await self.staff.issued(handed)
        if issued is not None:
            self.limits.charge(key, max(1, len(issued)))
            return issued
        texts = http_binding.split_events(handed.mode, handed.body)
        self.limits.charge(key, max(1, len(texts)))
        return self.issuer.issue(handed, texts, self.signing_keys.signer)

    async def _tried(self, issued: Issued, mode: ContentMode) -> Response:
        """Answer what would be said: what was issued stays here, records and receipts."""
        self.register.refuse_conflicts(issued, is_batch=mode is ContentMode.BATCH)
        return await self.dry_run.assess(pipeline.values_of(issued), is_batch=mode is ContentMode.BATCH)

    async def _taken(self, issued: Issued, mode: ContentMode) -> Response:
        began = time.perf_counter()
        answer = await self.register.enter(issued, is_batch=mode is ContentMode.BATCH)
        self.metrics.seconds.observe(time.perf_counter() - began)
        self.metrics.accepted[mode].inc(len(issued))
        return Response(status=202, body=answer)


def _put_on_record(refusal: Refusal, key: ApiKey) -> None:
    """Leave a line for the audit: which key, whose, and why; never the secret or what was sent."""
    pointers = [error.pointer for error in refusal.errors]
    known = {"key": key.id, "system": key.system, "problem": refusal.problem.value.slug, "pointers": pointers}
    log.warning("a request was refused", extra={"action": "refused", **known})


_NO_PLAN = Refusal(
    problem=RequestProblem.UNAVAILABLE,
    detail=Said(
        en="no plan is published yet, or it cannot be read now; send the same event again later",
        vi="chưa có kế hoạch được công bố hoặc chưa đọc được kế hoạch; hãy gửi lại đúng sự kiện này sau",
    ),
    retry_after_seconds=RETRY_AFTER_SECONDS,
)


def _is_dry_run(request: Request) -> bool:
    if not request.has_query:
        return False
    given = request.query.get("dry_run", ["false"])[-1].lower()
    if given in TRUE:
        return True
    if given in FALSE:
        return False
    detail = Said(en="dry_run must be true or false", vi="dry_run phải là true hoặc false")
    raise RequestRefusedError(Refusal(problem=RequestProblem.UNREADABLE, detail=detail))
