"""The handlers of evaluations: the grade that the plan's rules give, and beside it what an officer recorded."""

import logging
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from schemas.events.ids import DutyKey
from schemas.events.reports import EvaluationRecorded
from schemas.plan.plan import PARENT, Plan
from schemas.plan.values import Bilingual, Identifier, NonBlank
from schemas.text import normal_form
from services.reporting.content.evaluation_queries import EvaluationQueries, GradedDuty
from services.reporting.core import json_views
from services.reporting.core.access.decisions import Access
from services.reporting.core.access.readers import Reader, ReaderScope
from services.reporting.core.evaluation import Grade
from services.reporting.http import query_parameters, request_bodies
from services.reporting.http.access import guard
from services.reporting.http.access.guard import AccessRoute
from services.reporting.http.problems import InvalidBodyError
from services.reporting.queries import QueryContext, ReportingQueries
from services.reporting.sealing import report_events
from services.reporting.sealing.report_decoder import RecordedEvaluation
from services.reporting.sealing.report_events import ReportRecord
from services.runtime.clock import Clock

PATH = "/v1/plans/{plan}/periods/{period}/evaluations"
BODY_BYTES_MAX = 64 * 1024
GRADE_CHARACTERS_MAX = 100
SENTENCE_CHARACTERS_MAX = 4_000

log = logging.getLogger(__name__)


class EvaluationStore(Protocol):
    """Finds what officers recorded."""

    async def find_evaluations(self, plan: str, period: str, known_at: datetime) -> list[RecordedEvaluation]: ...


class EvaluationPublisher(Protocol):
    """Publishes an event; raises `KafkaError` if the broker does not take it."""

    async def publish(self, record: ReportRecord) -> None: ...


class EvaluationBody(BaseModel):
    """The body of a request to record an evaluation."""

    model_config = ConfigDict(extra="forbid")

    agency: Identifier
    grade: Annotated[NonBlank, Field(max_length=GRADE_CHARACTERS_MAX)]
    sentence: Annotated[str, Field(max_length=SENTENCE_CHARACTERS_MAX), AfterValidator(normal_form.repair_text)] = ""


class EvaluationsApi:
    """The handlers."""

    def __init__(
        self,
        queries: ReportingQueries,
        store: EvaluationStore,
        publisher: EvaluationPublisher,
        *,
        clock: Clock,
    ) -> None:
        self._queries = queries
        self._grades = EvaluationQueries(queries)
        self._store = store
        self._publisher = publisher
        self._clock = clock

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        return [
            AccessRoute(PATH, self.get_evaluations, Access.COVERED, methods=["GET"]),
            AccessRoute(PATH, self.post_evaluation, Access.REVIEWS, methods=["POST"]),
        ]

    async def get_evaluations(self, request: Request) -> Response:
        """Return the grade of each duty of a period with its reason, and what officers recorded about its agencies."""
        context = query_parameters.parse_instants(request, self._clock)
        plan, period = request.path_params["plan"], query_parameters.parse_period_of_path(request)
        grades = await self._grades.grade_period(plan, period, context)
        recorded = await self._store.find_evaluations(plan, period, min(context.known_at, context.as_of))
        shown = {one.key.agency for one in grades.duties}
        return JSONResponse(
            {
                "plan": plan,
                "period": period,
                "as_of": context.as_of.isoformat(),
                "known_at": context.known_at.isoformat(),
                "grades": [_render_graded_duty(one, context.language) for one in grades.duties],
                "recorded": [_render_recorded(one) for one in _select_covered(recorded, shown, context.scope)],
                "unreadable": json_views.render_unreadable(grades.unreadable),
            }
        )

    async def post_evaluation(self, request: Request) -> Response:
        """Record an officer's evaluation of an agency; 201 once the broker has it. It stands beside the grade."""
        context = query_parameters.parse_instants(request, self._clock)
        plan, period = self._queries.plan(request.path_params["plan"]), query_parameters.parse_period_of_path(request)
        body = await _parse_body(request)
        body = body.model_copy(update={"agency": self._queries.resolve_agency(body.agency, plan.plan)})
        self._require_known(plan, body, context)
        evaluation, now = await self.record(plan, period, body, at=self._clock.now(), reader=guard.reader_of(request))
        return JSONResponse({**evaluation.model_dump(mode="json"), "recordedtime": now.isoformat()}, 201)

    async def record(
        self, plan: Plan, period: str, body: EvaluationBody, *, at: datetime, reader: Reader
    ) -> tuple[EvaluationRecorded, datetime]:
        """Record what an officer says at the instant *at*, and write the audit line; raise `KafkaError`.

        The same content at the same instant is one event, however often it is recorded.
        """
        evaluation = EvaluationRecorded(
            plan=plan.plan,
            period=period,
            agency=body.agency,
            grade=body.grade,
            sentence=body.sentence,
            evaluated_by=find_evaluator(plan),
        )
        await self._publisher.publish(report_events.build_evaluation(evaluation, recorded_at=at))
        details = {"plan": plan.plan, "period": period, "agency": body.agency, "reader": reader.name}
        log.info("an evaluation was recorded", extra={"action": "evaluation_recorded", **details})
        return evaluation, at

    async def find_grade(
        self, key: DutyKey, context: QueryContext
    ) -> tuple[GradedDuty | None, RecordedEvaluation | None]:
        """Return the grade of one duty that has a period, and what an officer recorded last about its agency."""
        period = key.period or ""
        grades = await self._grades.grade_period(key.plan, period, context, agency=key.agency)
        recorded = await self._store.find_evaluations(key.plan, period, min(context.known_at, context.as_of))
        graded = next((one for one in grades.duties if one.key == key), None)
        return graded, next((one for one in reversed(recorded) if one.evaluation.agency == key.agency), None)

    def _require_known(self, plan: Plan, body: EvaluationBody, context: QueryContext) -> None:
        """Raise `InvalidBodyError` for a grade that the plan does not have, `NotFoundError` for an unknown agency."""
        self._queries.agency_name(body.agency, context)
        self._queries.require_agency(body.agency, context.scope)
        grades = [rule.grade for rule in plan.grading]
        if grades and body.grade not in grades:
            known = ", ".join(grades)
            detail = Bilingual.of(
                en=f"the plan has no grade {body.grade!r}; choose from {known}",
                vi=f"kế hoạch không có mức xếp loại {body.grade!r}; hãy chọn {known}",
            )
            raise InvalidBodyError({"/grade": detail})


def find_evaluator(plan: Plan) -> str:
    """Return whom an evaluation is by: the recipient of the plan's first report that has one, else who issued it."""
    recipients = (one.recipient for one in plan.obligations if one.recipient not in {None, PARENT})
    return next(recipients, plan.issuer or plan.plan)


async def _parse_body(request: Request) -> EvaluationBody:
    body = await request_bodies.read_body(request, BODY_BYTES_MAX)
    try:
        return EvaluationBody.model_validate_json(body)
    except ValidationError as cause:
        raise request_bodies.describe_invalid_body(cause) from cause


def _select_covered(
    recorded: Iterable[RecordedEvaluation], shown: set[str], scope: ReaderScope
) -> list[RecordedEvaluation]:
    return [one for one in recorded if scope.is_everything or one.evaluation.agency in shown]


def _render_graded_duty(duty: GradedDuty, language: str) -> dict[str, object]:
    work, outcome = duty.work, duty.outcome
    grade = outcome if isinstance(outcome, Grade) else None
    return {
        "obligation": duty.key.obligation,
        "agency": duty.key.agency,
        "grade": None if grade is None else grade.grade,
        "title": None if grade is None else grade.title.in_language(language),
        "reason": outcome.reason.in_language(language),
        "values": {**asdict(work), "status": work.status.value},
    }


def _render_recorded(recorded: RecordedEvaluation) -> dict[str, object]:
    evaluation = recorded.evaluation
    return {
        "agency": evaluation.agency,
        "grade": evaluation.grade,
        "sentence": evaluation.sentence,
        "evaluated_by": evaluation.evaluated_by,
        "recordedtime": json_views.render_instant(recorded.recorded_at),
        "id": recorded.event,
    }
