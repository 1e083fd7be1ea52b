"""The dashboard's pages: the overview, an agency, the style sheet. They ask, and hand what they got to a template."""

from collections.abc import Mapping
from http import HTTPStatus
from importlib import resources
from zoneinfo import ZoneInfo

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from schemas.events.assessments import Status
from schemas.plan import periods
from services.reporting.core import wording
from services.reporting.dashboard.overview import Choice, Overview, chapter_of, shown_lines
from services.reporting.http import questions
from services.reporting.http.problems import BadQuestionError, Told, language_of
from services.reporting.http.questions import Parameters
from services.reporting.queries import Asked, Inquiries, Moment
from services.runtime.clock import Clock

SECURITY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
A_DAY = {"Cache-Control": "public, max-age=86400"}


class Dashboard:
    """The handlers of the pages."""

    def __init__(self, inquiries: Inquiries, clock: Clock, templates: Environment) -> None:
        self._inquiries = inquiries
        self._clock = clock
        self._templates = templates
        self._style = resources.files(__package__).joinpath("style.css").read_text(encoding="utf-8")

    def routes(self) -> list[Route]:
        """Return the routes of the pages."""
        return [Route("/", self.overview), Route("/agencies/{agency}", self.agency), Route("/style.css", self.style)]

    async def style(self, _request: Request) -> Response:
        """Return the style sheet."""
        return Response(self._style, media_type="text/css", headers=A_DAY)

    async def overview(self, request: Request) -> Response:
        """Return the overview of the plan and period chosen, or of the first plan and the running period."""
        parameters = Parameters(request)
        moment = questions.moment(parameters, self._clock)
        choice = _choice(parameters, moment)
        parameters.refuse()
        plans = self._inquiries.plans()
        if not plans:
            return self._page("empty.html", request, moment, {})
        plan = self._inquiries.plan(choice.plan) if choice.plan else plans[0]
        known = await self._inquiries.periods(plan.plan)
        period = choice.period or _running(known, str(moment.as_of.astimezone(ZoneInfo(plan.zone)).year))
        report = await self._inquiries.report(plan.plan, period, moment)
        chapter = chapter_of(report, choice.obligation)
        page = Overview(
            choice=choice,
            plan=report.plan,
            plans=plans,
            periods=tuple(sorted({*known, period})),
            report=report,
            chapter=chapter,
            lines=shown_lines(chapter, choice),
            zone=ZoneInfo(plan.zone),
        )
        return self._page("overview.html", request, moment, {"page": page, "zone": page.zone})

    async def agency(self, request: Request) -> Response:
        """Return the page of one agency: all its duties, plan by plan."""
        parameters = Parameters(request)
        moment = questions.moment(parameters, self._clock)
        parameters.refuse()
        agency = request.path_params["agency"]
        name = self._inquiries.agency_name(agency, moment)
        lines = await self._inquiries.lines(Asked(agency=agency), moment)
        plans = {plan.plan: plan for plan in self._inquiries.plans()}
        shown = [line for line in lines if line.status is not Status.NOT_APPLICABLE]
        values = {
            "agency": agency,
            "name": name,
            "lines": sorted(shown, key=lambda line: line.key.period or "", reverse=True),
            "plans": plans,
            "zones": {plan_id: ZoneInfo(plan.zone) for plan_id, plan in plans.items()},
            "wording": wording,
        }
        return self._page("agency.html", request, moment, values)

    def problem(self, request: Request, told: Told) -> Response:
        """Return the page that says what is wrong and leads back. It asks for nothing, so it can always be drawn."""
        kind = told.problem.value
        language = language_of(request)
        values = {"title": kind.title.in_language(language), "told": told, "kept": {}}
        return self._drawn("problem.html", request, language, values, status=kind.status)

    def _page(self, name: str, request: Request, moment: Moment, values: Mapping[str, object]) -> Response:
        return self._drawn(name, request, moment.language, {**values, "moment": moment, "kept": _kept(request)})

    def _drawn(
        self, name: str, request: Request, language: str, values: Mapping[str, object], *, status: int = HTTPStatus.OK
    ) -> Response:
        switched = request.url.include_query_params(lang="en" if language == "vi" else "vi")
        page = self._templates.get_template(name).render(
            **values, language=language, other_language=f"{switched.path}?{switched.query}"
        )
        return HTMLResponse(
            page, status, headers={**SECURITY, "Content-Language": language, "Vary": "Accept, Accept-Language"}
        )


def _choice(parameters: Parameters, moment: Moment) -> Choice:
    query = parameters.request.query_params
    return Choice(
        plan=query.get("plan") or None,
        period=parameters.one("period", _period, None),
        obligation=query.get("obligation") or None,
        group=query.get("group") or None,
        status=parameters.one("status", _status, None),
        words=query.get("q", ""),
        language=moment.language,
    )


def _period(text: str) -> str | None:
    """Return the period chosen; the form sends an empty text for no choice."""
    return periods.parse(text).text if text else None


def _status(name: str) -> Status | None:
    if not name:
        return None
    try:
        return Status(name)
    except ValueError as cause:
        raise BadQuestionError({"status": f"{name!r} is no status"}) from cause


def _running(known: list[str], this_year: str) -> str:
    """Return the latest year up to this one in which anybody owes anything, else this one."""
    earlier = [period for period in known if period <= this_year]
    return earlier[-1] if earlier else this_year


def _kept(request: Request) -> dict[str, str]:
    """Return the parameters that every link keeps: the instant asked about and the language."""
    return {
        name: value for name, value in request.query_params.items() if name in {"as_of", "known_at", "lang"} and value
    }
