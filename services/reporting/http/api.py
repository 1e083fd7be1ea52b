"""The questions of contract section 4 over HTTP: duties, an agency, a period's figures, a period's report."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from schemas.plan import periods
from services.reporting.core import views
from services.reporting.core.annual_report import AnnualReport
from services.reporting.core.selection import page_of, select
from services.reporting.documents import csv_json, docx, pdf, xlsx
from services.reporting.documents.letterhead import Letterhead
from services.reporting.http import questions
from services.reporting.http.questions import Parameters
from services.reporting.metrics import Metrics
from services.reporting.queries import Asked, Inquiries, Moment, Receipts, UnknownError
from services.runtime.clock import Clock

Maker = Callable[[AnnualReport, Letterhead], bytes]

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMATS: dict[str, tuple[str, Maker]] = {
    "docx": (WORD, docx.docx_bytes),
    "pdf": ("application/pdf", pdf.pdf),
    "xlsx": (SHEET, lambda report, _letterhead: xlsx.xlsx(report)),
    "csv": ("text/csv; charset=utf-8", lambda report, _letterhead: csv_json.csv_bytes(report)),
    "json": ("application/json", lambda report, _letterhead: csv_json.json_bytes(report)),
}


class Api:
    """The handlers, over the inquiries they put into words."""

    def __init__(
        self, inquiries: Inquiries, receipts: Receipts, *, clock: Clock, letterhead: Letterhead, metrics: Metrics
    ) -> None:
        self._inquiries = inquiries
        self._receipts = receipts
        self._clock = clock
        self._letterhead = letterhead
        self._metrics = metrics

    def routes(self) -> list[Route]:
        """Return the routes; the report's format is the end of its path."""
        return [
            Route("/v1/duties", self.duties),
            Route("/v1/agencies/{agency}", self.agency),
            Route("/v1/receipts/{receiptid}", self.receipt),
            Route("/v1/plans/{plan}/periods/{period}", self.period),
            Route("/v1/plans/{plan}/periods/{period}/report.{extension}", self.report),
        ]

    async def duties(self, request: Request) -> Response:
        """Return the duties asked about, a page at a time."""
        parameters = Parameters(request)
        moment, asked = questions.moment(parameters, self._clock), questions.asked(parameters)
        wanted, limit = questions.wanted(parameters), questions.limit(parameters)
        parameters.refuse()
        lines = select(await self._inquiries.lines(asked, moment), wanted)
        page = page_of(lines, limit=limit, cursor=request.query_params.get("cursor"))
        return JSONResponse(
            {
                **_asked(moment),
                "total": page.total,
                "duties": [views.duty(line) for line in page.lines],
                "next_cursor": page.next_cursor,
            }
        )

    async def agency(self, request: Request) -> Response:
        """Return one agency's duties in every plan and period, or in those asked for."""
        parameters = Parameters(request)
        moment, asked = questions.moment(parameters, self._clock), questions.asked(parameters)
        wanted, limit = questions.wanted(parameters), questions.limit(parameters)
        parameters.refuse()
        agency = request.path_params["agency"]
        name = self._inquiries.agency_name(agency, moment)
        owed = replace(asked, agency=agency)
        lines = select(await self._inquiries.lines(owed, moment), wanted)
        page = page_of(lines, limit=limit, cursor=request.query_params.get("cursor"))
        shown = [views.duty(line) for line in page.lines]
        described = {"agency": agency, "name": name, **_asked(moment), "total": page.total}
        return JSONResponse({**described, "duties": shown, "next_cursor": page.next_cursor})

    async def receipt(self, request: Request) -> Response:
        """Return the event that a receipt confirms, and how the duty it is about stands."""
        parameters = Parameters(request)
        moment = questions.moment(parameters, self._clock)
        parameters.refuse()
        receiptid = request.path_params["receiptid"]
        found = await self._receipts.receipt(receiptid)
        if found is None:
            raise UnknownError(f"no receipt {receiptid!r} is on record; it appears a moment after it was given")
        key = found.duty
        asked = Asked(plan=key.plan, agency=key.agency, obligation=key.obligation, periods=(key.period,))
        lines = await self._inquiries.lines(asked, moment)
        confirmed = {"id": found.event, "source": found.source, "type": found.type, "receivedtime": found.receivedtime}
        duty = views.duty(lines[0]) if lines else None
        return JSONResponse({"receiptid": receiptid, **confirmed, **_asked(moment), "duty": duty})

    async def period(self, request: Request) -> Response:
        """Return the figures of a plan's period, overall, by obligation and by group."""
        return JSONResponse(views.summary(await self._report(request)))

    async def report(self, request: Request) -> Response:
        """Return the annual report in the format its path names."""
        extension = request.path_params["extension"]
        if extension not in FORMATS:
            raise UnknownError(f"no report in the format {extension!r}; choose from {', '.join(FORMATS)}")
        media_type, make = FORMATS[extension]
        with self._metrics.document_seconds.labels(extension).time():
            report = await self._report(request)
            # Laying out takes tenths of a second; the loop goes on answering meanwhile.
            body = await run_in_threadpool(partial(make, report, self._letterhead))
        self._metrics.documents.labels(extension).inc()
        headers = {
            "Content-Disposition": f'attachment; filename="{report.plan.plan}-{report.period}.{extension}"',
            "X-Dondoc-Digest": report.digest,
        }
        return Response(body, headers=headers, media_type=media_type)

    async def _report(self, request: Request) -> AnnualReport:
        parameters = Parameters(request)
        moment = questions.moment(parameters, self._clock)
        parameters.refuse()
        try:
            period = periods.parse(request.path_params["period"]).text
        except ValueError as cause:
            raise UnknownError(str(cause)) from cause
        return await self._inquiries.report(request.path_params["plan"], period, moment)


def _asked(moment: Moment) -> dict[str, str]:
    return {"as_of": moment.as_of.isoformat(), "known_at": moment.known_at.isoformat()}
