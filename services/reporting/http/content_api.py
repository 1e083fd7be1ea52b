"""The handlers of what agencies sent: results, one submission with its history, its attached files."""

import re
from functools import partial
from urllib.parse import quote

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute

from schemas.plan import figures
from services.reporting.cited_documents import NotFoundError
from services.reporting.content import attachments, results_encoding
from services.reporting.content.attachments import AttachmentFiles, FileLostError
from services.reporting.content.results_encoding import EncodedResults
from services.reporting.content.results_queries import ResultsQueries
from services.reporting.content.submission_queries import AttachmentReference, SubmissionAnswer, SubmissionQueries
from services.reporting.core import json_views
from services.reporting.core.access.decisions import Access
from services.reporting.core.content import compiled_report
from services.reporting.core.content.figure_review import ReviewedFigure
from services.reporting.core.content.submission_history import DocketFact
from services.reporting.core.evidence import evidence_views
from services.reporting.core.results_document import PlanResults
from services.reporting.current.answer_memo import AnswerMemo
from services.reporting.documents import compiled_workbook
from services.reporting.http import conditional, query_parameters
from services.reporting.http.access.guard import AccessRoute
from services.reporting.http.query_parameters import QueryParameters
from services.reporting.queries import QueryContext
from services.runtime import attachment_store
from services.runtime.clock import Clock

# Types that intake takes with the form. A browser is told no other, whatever an event says.
_OPENED_AS = frozenset({"application/pdf", "image/jpeg", "image/png"})
_UNKNOWN_TYPE = "application/octet-stream"
# The results of ten thousand agencies with one indicator take two megabytes.
_RESULTS_BYTES_KEPT_MAX = 48 * 1024 * 1024
_COMPILED_FORMATS = {"json": conditional.JSON, "xlsx": conditional.XLSX}
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")

# A file comes from outside: the browser saves it, takes its type from nowhere else, and runs nothing in it.
_FILE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-store",
}


class ContentApi:
    """Each handler parses a query, runs it and renders the result."""

    def __init__(
        self,
        results: ResultsQueries,
        submissions: SubmissionQueries,
        *,
        files: AttachmentFiles,
        clock: Clock,
    ) -> None:
        self._results = results
        self._submissions = submissions
        self._files = files
        self._clock = clock
        self._encoded = AnswerMemo[EncodedResults](_RESULTS_BYTES_KEPT_MAX)

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        return [
            AccessRoute("/v1/plans/{plan}/periods/{period}/results", self.get_results, Access.COVERED),
            AccessRoute("/v1/plans/{plan}/periods/{period}/findings", self.get_findings, Access.COVERED),
            AccessRoute("/v1/plans/{plan}/periods/{period}/compiled/{agency}", self.get_compiled, Access.COVERED),
            AccessRoute("/v1/submissions/{receiptid}", self.get_submission, Access.COVERED),
            AccessRoute("/v1/submissions/{receiptid}/attachments/{sha256}", self.get_attachment, Access.COVERED),
        ]

    async def get_results(self, request: Request) -> Response:
        """Return the results of a plan's period as the document of contract section 8, or its figures as CSV."""
        parameters = QueryParameters(request)
        parameters.require_known("obligation", *query_parameters.INSTANTS)
        context = query_parameters.parse_context(parameters, self._clock)
        parameters.raise_errors()
        found = await self._results.find_results(
            request.path_params["plan"], query_parameters.parse_period_of_path(request), context
        )
        ids = parameters.list_values("obligation")
        results = _select_obligations(found.results, ids)
        media_type = conditional.CSV if conditional.prefers_csv(request) else conditional.JSON
        question = results.plan, results.period, ids, context.scope, media_type
        encoded = self._encoded.find(question, found.id)
        if encoded is None:
            encode = (
                results_encoding.render_csv if media_type == conditional.CSV else results_encoding.encode_obligations
            )
            encoded = await run_in_threadpool(encode, results, context.scope)
            self._encoded.keep(question, found.id, encoded, size=len(encoded.content))
        complete = partial(_complete_answer, request, results, encoded, media_type=media_type)
        return await run_in_threadpool(complete)

    async def get_findings(self, request: Request) -> Response:
        """Return what looks like a slip in the figures of a plan's period, for somebody to ask the agency."""
        context = query_parameters.parse_instants(request, self._clock)
        plan, period = request.path_params["plan"], query_parameters.parse_period_of_path(request)
        found = await self._results.find_results(plan, period, context)
        covered = [one for one in found.reviewed.items if context.scope.covers_agency(one.agency, one.groups)]
        findings = [_render_finding(one, context.language) for one in covered]
        head = {"plan": plan, "period": period, "as_of": context.as_of.isoformat()}
        return JSONResponse({**head, "known_at": context.known_at.isoformat(), "findings": findings})

    async def get_compiled(self, request: Request) -> Response:
        """Return the reports that an agency compiles: who below has reported, and what their figures add up to.

        The parameter `format` decides, for the link of the page, and else what the caller accepts.
        """
        parameters = QueryParameters(request)
        parameters.require_known("format", *query_parameters.INSTANTS)
        media_type = parameters.parse("format", _parse_compiled_format, None)
        context = query_parameters.parse_context(parameters, self._clock)
        parameters.raise_errors()
        plan, period = request.path_params["plan"], query_parameters.parse_period_of_path(request)
        found = await self._results.find_compiled_reports(plan, period, request.path_params["agency"], context)
        media_type = media_type or conditional.choose_media_type(request, tuple(_COMPILED_FORMATS.values()))
        if media_type == conditional.JSON:
            return conditional.respond_json(request, compiled_report.build_document(found))
        render = partial(compiled_workbook.render_compiled_xlsx, found, context.language)
        body = await run_in_threadpool(render)
        headers = {"Content-Disposition": 'attachment; filename="compiled.xlsx"'}
        tag = conditional.tag_of(body)
        return conditional.respond(request, body, tag=tag, media_type=conditional.XLSX, headers=headers)

    async def get_submission(self, request: Request) -> Response:
        """Return a submission as it was recorded, its duty, what it corrects and what was done about it since."""
        context = query_parameters.parse_instants(request, self._clock)
        answer = await self._submissions.find_submission(request.path_params["receiptid"], context)
        return Response(_encode_submission(answer, context), media_type=conditional.JSON)

    async def get_attachment(self, request: Request) -> Response:
        """Return an attached file that the form has stored, after its bytes were checked against its digest."""
        context = query_parameters.parse_instants(request, self._clock)
        sha256 = request.path_params["sha256"].lower()
        if not _SHA256.fullmatch(sha256):
            raise NotFoundError(
                en="a file is named by its SHA-256, 64 hexadecimal digits",
                vi="tên tệp là mã băm SHA-256 gồm 64 chữ số thập lục phân",
            )
        named = await self._submissions.find_attachment(request.path_params["receiptid"], sha256, context)
        if named.url != attachment_store.attachment_urn(sha256):
            raise NotFoundError(
                en="the sender keeps this file; its address, if it has one, is in the event",
                vi="tệp này do bên gửi lưu giữ; địa chỉ của tệp, nếu có, nằm trong sự kiện",
            )
        try:
            file = await self._files.open_file(sha256)
        except FileLostError as cause:
            raise NotFoundError(
                en="the file is not in the store of attached files, or was damaged there",
                vi="tệp không có trong kho tệp đính kèm hoặc đã bị hỏng",
            ) from cause
        return StreamingResponse(
            attachments.read_chunks(file), media_type=_media_type_of(named), headers=_describe_file(named)
        )


def _parse_compiled_format(text: str) -> str:
    if text not in _COMPILED_FORMATS:
        raise ValueError(f"{text[:20]!r} is no format; choose from {', '.join(_COMPILED_FORMATS)}")
    return _COMPILED_FORMATS[text]


def _select_obligations(results: PlanResults, ids: tuple[str, ...]) -> PlanResults:
    if not ids:
        return results
    unknown = set(ids) - {one.obligation for one in results.obligations}
    if unknown:
        raise NotFoundError(
            en=f"{', '.join(sorted(unknown))}: no such obligation in {results.period}",
            vi=f"kỳ {results.period} không có nhiệm vụ {', '.join(sorted(unknown))}",
        )
    return results.select_obligations(ids)


def _complete_answer(request: Request, results: PlanResults, encoded: EncodedResults, *, media_type: str) -> Response:
    """Return the answer about *results*; about now its tag is a weak one, which the passing of time does not change."""
    is_csv = media_type == conditional.CSV
    body = encoded.content if is_csv else results_encoding.complete_document(results, encoded)
    if "as_of" in request.query_params:
        tag = conditional.tag_of(body)
    else:
        named = f"{media_type}\x1f{results.plan}\x1f{results.period}\x1f{encoded.digest}"
        tag = conditional.tag_of(named.encode(), is_weak=True)
    return conditional.respond(request, body, tag=tag, media_type=media_type)


def _render_finding(one: ReviewedFigure, language: str) -> dict[str, str | None]:
    return {
        "obligation": one.obligation,
        "agency": one.agency,
        "code": one.finding.code,
        "kind": one.finding.kind.value,
        "value": None if one.value is None else figures.write_plainly(one.value),
        "sentence": one.finding.words.in_language(language),
        "source": one.source,
        "id": one.id,
    }


def _encode_submission(answer: SubmissionAnswer, context: QueryContext) -> bytes:
    fact, history = answer.fact, answer.history
    return msgspec.json.encode(
        {
            "receiptid": fact.receiptid,
            "as_of": context.as_of.isoformat(),
            "known_at": context.known_at.isoformat(),
            "recordedtime": json_views.render_instant(fact.recorded_at),
            # As recorded: every figure with the digits that it was written with.
            "event": msgspec.Raw(fact.record),
            "duty": None if answer.duty is None else json_views.render_duty(answer.duty),
            "stands": answer.stands,
            "corrects": None if history.corrects is None else _render_reference(history.corrects),
            "differences": evidence_views.render_differences(answer.differences),
            "corrected_by": [_render_reference(one) for one in history.corrected_by],
            "acts": [{"type": one.type, **_render_reference(one)} for one in history.acts],
            "unreadable": json_views.render_unreadable(answer.unreadable),
        }
    )


def _render_reference(fact: DocketFact) -> dict[str, str | None]:
    source, event_id = fact.identity
    received_at = json_views.render_instant(fact.received_at)
    return {"receiptid": fact.receiptid, "source": source, "id": event_id, "receivedtime": received_at}


def _media_type_of(file: AttachmentReference) -> str:
    return file.media_type if file.media_type in _OPENED_AS else _UNKNOWN_TYPE


def _describe_file(file: AttachmentReference) -> dict[str, str]:
    # RFC 6266: a name with letters beyond ASCII is percent-encoded, which leaves no character that could end a header.
    name = quote(file.name or file.sha256, safe="", errors="replace")
    return {**_FILE_HEADERS, "Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
