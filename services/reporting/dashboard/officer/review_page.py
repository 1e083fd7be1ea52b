"""The page on which an officer returns, accepts and grades: it shows the forms, posts what they say, and says so.

A return or an acceptance is posted to intake, a grade is published by reporting itself. After either the browser is
sent to the page again (303), so that loading it again posts nothing.
"""

import logging
from dataclasses import dataclass
from http import HTTPStatus
from typing import assert_never
from zoneinfo import ZoneInfo

from aiokafka.errors import KafkaError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from schemas.events.ids import DutyKey
from schemas.plan import periods
from schemas.plan.values import Bilingual
from services.reporting.answer_poster import AnswerPoster, AnswerRefused, IntakeUnavailable, KeyRefused, Receipted
from services.reporting.cited_documents import NotFoundError
from services.reporting.content.review_queries import DutyUnderReview, ReviewQueries
from services.reporting.core.access.decisions import Access
from services.reporting.core.evaluation import Grade
from services.reporting.core.reviews import answers
from services.reporting.core.reviews.answers import AnsweredDuty, InvalidAnswerError
from services.reporting.dashboard.officer import review_forms, review_texts
from services.reporting.dashboard.officer.review_forms import FailedAnswer, GradeChoice, ReviewForms, ReviewKind
from services.reporting.dashboard.page_renderer import PageRenderer
from services.reporting.http import evaluations_api, problems, query_parameters, request_bodies
from services.reporting.http.access import guard
from services.reporting.http.access.guard import AccessRoute, ReaderGuard
from services.reporting.http.evaluations_api import EvaluationBody, EvaluationsApi
from services.reporting.http.query_parameters import QueryParameters
from services.reporting.metrics import AnswerOutcome, ReportingMetrics
from services.reporting.queries import QueryContext
from services.runtime.clock import Clock

PATH = "/duties/{plan}/{agency}/{obligation}/{period}/review"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewMaterials:
    """What the page works with: the question, the ways to record, the templates, and who may."""

    queries: ReviewQueries
    evaluations: EvaluationsApi
    intake: AnswerPoster
    renderer: PageRenderer
    readers: ReaderGuard
    clock: Clock
    metrics: ReportingMetrics


class ReviewPage:
    """The handlers."""

    def __init__(self, materials: ReviewMaterials) -> None:
        self._with = materials

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        return [
            AccessRoute(PATH, self.get_page, Access.REVIEWS, methods=["GET"]),
            AccessRoute(PATH, self.post_answer, Access.REVIEWS, methods=["POST"]),
        ]

    async def get_page(self, request: Request) -> Response:
        """Return the page, with a sentence about what was just done."""
        context = self._parse_context(request)
        duty = await self._with.queries.find_duty(_parse_key(request), context)
        return await self._show(request, duty, context)

    async def post_answer(self, request: Request) -> Response:
        """Record what the form says, or show it again with what is wrong and all that was typed."""
        context = self._parse_context(request)
        duty = await self._with.queries.find_duty(_parse_key(request), context)
        fields = await request_bodies.read_form(request)
        kind = _parse_kind(fields.get("answer", ""))
        failed = await self._record(request, duty, kind, fields, context=context)
        if failed is None:
            place = f"{review_forms.review_path(duty.line.key)}?lang={context.language}&done={kind.participle}"
            return RedirectResponse(place, HTTPStatus.SEE_OTHER)
        shown = await self._show(request, duty, context, failed=failed)
        shown.status_code = HTTPStatus.UNPROCESSABLE_ENTITY if failed.errors else HTTPStatus.SERVICE_UNAVAILABLE
        return shown

    async def _record(
        self,
        request: Request,
        duty: DutyUnderReview,
        kind: ReviewKind,
        fields: dict[str, str],
        *,
        context: QueryContext,
    ) -> FailedAnswer | None:
        """Record an answer; return why it is not known to be recorded, or None."""
        words = review_texts.choose_texts(context.language)
        try:
            if kind is ReviewKind.GRADE:
                return await self._record_grade(request, duty, fields, context=context)
            return await self._post(request, duty, kind, fields, context=context)
        except InvalidAnswerError as invalid:
            errors = {name: error.in_language(context.language) for name, error in invalid.errors.items()}
            return FailedAnswer(kind=kind, values=fields, errors=errors, notice=words["invalid"])

    async def _post(
        self,
        request: Request,
        duty: DutyUnderReview,
        kind: ReviewKind,
        fields: dict[str, str],
        *,
        context: QueryContext,
    ) -> FailedAnswer | None:
        answered = _describe_answered(duty)
        parse = answers.parse_return if kind is ReviewKind.RETURN else answers.parse_acceptance
        answer = parse(fields, answered, context.as_of)
        outcome = await self._with.intake.post(answers.build_event(answer, answered), language=context.language)
        self._write_audit_line(request, duty.line.key, kind, outcome)
        words = review_texts.choose_texts(context.language)
        match outcome:
            case Receipted():
                return None
            case IntakeUnavailable():
                return FailedAnswer(kind=kind, values=fields, notice=words["unavailable"])
            case KeyRefused():
                return FailedAnswer(kind=kind, values=fields, notice=words["key_refused"])
            case AnswerRefused():
                notice = words["refused"].format(detail="; ".join(detail for _, detail in outcome.errors))
                errors = {pointer.removeprefix("/data/"): detail for pointer, detail in outcome.errors}
                return FailedAnswer(kind=kind, values=fields, errors=errors, notice=notice)
            case _:
                assert_never(outcome)

    async def _record_grade(
        self, request: Request, duty: DutyUnderReview, fields: dict[str, str], *, context: QueryContext
    ) -> FailedAnswer | None:
        key, plan = duty.line.key, duty.plan
        if key.period is None:
            raise NotFoundError(
                en="an agency is graded for a period, and this duty has none",
                vi="chỉ xếp loại theo kỳ báo cáo, nhiệm vụ này không có kỳ",
            )
        grades = [rule.grade for rule in plan.grading]
        answer = answers.parse_grade(fields, grades, evaluations_api.GRADE_CHARACTERS_MAX, context.as_of)
        body = EvaluationBody(agency=key.agency, grade=answer.grade, sentence=answer.sentence)
        reader = guard.reader_of(request)
        try:
            await self._with.evaluations.record(plan, key.period, body, at=answer.opened_at, reader=reader)
        except KafkaError:
            self._with.metrics.answers.labels(ReviewKind.GRADE.value, AnswerOutcome.UNAVAILABLE.value).inc()
            words = review_texts.choose_texts(context.language)
            return FailedAnswer(kind=ReviewKind.GRADE, values=fields, notice=words["unavailable"])
        self._with.metrics.answers.labels(ReviewKind.GRADE.value, AnswerOutcome.RECORDED.value).inc()
        return None

    async def _show(
        self, request: Request, duty: DutyUnderReview, context: QueryContext, *, failed: FailedAnswer | None = None
    ) -> Response:
        zone = ZoneInfo(duty.plan.zone)
        forms = ReviewForms(
            duty=duty,
            form_token=self._with.readers.form_token(request),
            opened_at=context.as_of,
            today=context.as_of.astimezone(zone).date(),
            has_key=self._with.intake.has_key,
            grading=await self._find_grading(duty, context),
            words=review_texts.choose_texts(context.language),
            language=context.language,
            done="" if failed is not None else request.query_params.get("done", ""),
            failed=failed,
        )
        values = {"forms": forms, "zone": zone, "words": forms.words, "kinds": ReviewKind}
        return self._with.renderer.render_open_page("review.html", request, values=values)

    async def _find_grading(self, duty: DutyUnderReview, context: QueryContext) -> GradeChoice | None:
        key, language = duty.line.key, context.language
        if key.period is None:
            return None
        graded, recorded = await self._with.evaluations.find_grade(key, context)
        outcome = None if graded is None else graded.outcome
        opinion = None if recorded is None else recorded.evaluation
        by_rules = f"{outcome.grade} – {outcome.title.in_language(language)}" if isinstance(outcome, Grade) else ""
        return GradeChoice(
            rules=duty.plan.grading,
            by_rules=by_rules,
            reason="" if outcome is None else outcome.reason.in_language(language),
            recorded="" if opinion is None else ": ".join(filter(None, (opinion.grade, opinion.sentence))),
        )

    def _write_audit_line(self, request: Request, key: DutyKey, kind: ReviewKind, outcome: object) -> None:
        """Write who has answered what, with what outcome; the words of the answer are in the log of events alone."""
        named = _name_outcome(outcome)
        self._with.metrics.answers.labels(kind.value, named.value).inc()
        details = {
            "action": "report_answered",
            "answer": kind.value,
            "outcome": named.value,
            "duty": str(key),
            "reader": guard.reader_of(request).name,
            "receiptid": outcome.receiptid if isinstance(outcome, Receipted) else None,
        }
        log.info("an officer answered a report", extra=details)

    def _parse_context(self, request: Request) -> QueryContext:
        """Return the context of now: an answer is given now, to what is known now."""
        parameters = QueryParameters(request)
        parameters.require_known("lang", "done")
        parameters.parse("done", _require_done, "")
        context = query_parameters.parse_context(parameters, self._with.clock)
        parameters.raise_errors()
        return context


def _parse_key(request: Request) -> DutyKey:
    place = request.path_params
    period = place["period"]
    if period == review_forms.NO_PERIOD:
        parsed = None
    else:
        try:
            parsed = periods.parse(period).text
        except ValueError as cause:
            raise NotFoundError(en=str(cause), vi=f"kỳ báo cáo phải có dạng như {periods.FORMS_VI}") from cause
    return DutyKey(plan=place["plan"], agency=place["agency"], obligation=place["obligation"], period=parsed)


_CHOOSE_ANSWER = Bilingual.of(
    en=f"choose from {', '.join(ReviewKind)}", vi=f"hãy chọn một trong: {', '.join(ReviewKind)}"
)


def _parse_kind(text: str) -> ReviewKind:
    try:
        return ReviewKind(text)
    except ValueError as cause:
        raise problems.InvalidBodyError({"/answer": _CHOOSE_ANSWER}) from cause


def _require_done(text: str) -> str:
    if text not in review_forms.DONE:
        raise ValueError(f"choose from {', '.join(sorted(review_forms.DONE))}")
    return text


def _describe_answered(duty: DutyUnderReview) -> AnsweredDuty:
    return AnsweredDuty(
        key=duty.line.key,
        submissions=[report.event for report in duty.reports],
        recipient=duty.recipient,
        zone=ZoneInfo(duty.plan.zone),
    )


def _name_outcome(outcome: object) -> AnswerOutcome:
    match outcome:
        case Receipted():
            return AnswerOutcome.RECORDED
        case AnswerRefused():
            return AnswerOutcome.REFUSED
        case KeyRefused():
            return AnswerOutcome.KEY_REFUSED
        case _:
            return AnswerOutcome.UNAVAILABLE
