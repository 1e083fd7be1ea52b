"""Parse query parameters: instants, filters, one page. Every invalid parameter is named, all in one answer."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from starlette.requests import Request

from schemas import validation_messages
from schemas.events.assessments import Status
from schemas.plan import periods
from schemas.plan.values import Bilingual, Language
from services.reporting.cited_documents import NotFoundError
from services.reporting.core.access.readers import ReaderScope
from services.reporting.core.lists import sorting
from services.reporting.core.lists.filters import LineFilter
from services.reporting.core.lists.queues import Queue
from services.reporting.core.lists.sorting import LinePlace, SortOrder
from services.reporting.http import problems
from services.reporting.http.access import guard
from services.reporting.http.problems import InvalidQueryError
from services.reporting.queries import DutyFilter, QueryContext
from services.runtime.clock import Clock

_SHOWN_CHARS = 100  # of an invalid value, in the answer
DEFAULT_LIMIT, MAX_LIMIT = 100, 1_000
LANGUAGES: tuple[Language, ...] = ("vi", "en")

# The parameter that names the zone of the local times which the form of a page sends, and the zone if it names none.
ZONE = "zone"
DEFAULT_ZONE = "Asia/Ho_Chi_Minh"

# What every question may name besides its own parameters.
INSTANTS = ("as_of", "known_at", "lang")

# What a question about the duties of an agency may name, and what one about those of all.
AGENCY_DUTIES = ("plan", "period", "obligation", "status", "group", "flag", "missing", "queue", "q", "sort", "limit",
                 "cursor", *INSTANTS)  # fmt: skip
DUTIES = ("agency", "format", *AGENCY_DUTIES)

_INSTANT_VI = "phải là thời điểm kèm múi giờ trong các năm 1900 đến 2199, ví dụ 2026-12-09T23:59:00+07:00"
# What a parameter must be, in the language in which the parsers do not say it.
_VIETNAMESE = {
    **dict.fromkeys(("as_of", "known_at", "since", "since_known_at"), _INSTANT_VI),
    "lang": "phải là vi hoặc en",
    "limit": f"phải là số nguyên từ 1 đến {MAX_LIMIT}",
    "cursor": "không phải con trỏ của danh sách này; hãy dùng `next_cursor` của trang trước hoặc bỏ đi",
    "sort": f"không có cột này; hãy chọn {', '.join(sorting.COLUMNS)}, thêm - phía trước để đảo thứ tự",
    "period": f"phải là kỳ báo cáo như {periods.FORMS_VI}",
    "format": "không có dạng này; hãy bỏ tham số để nhận dạng mặc định",
    "version": "phải là số nguyên từ 1",
}

# The value of `period` that selects duties without a period.
ONE_OFF = "none"

# An instant as a question names it (RFC 3339; the seconds may be left out), of a day that there is. The years are those
# of `periods.YEARS`, far enough from the ends of the calendar that no zone and no date arithmetic leads beyond them.
_CENTURY = "(19|20|21)"
_DAY = (
    rf"({_CENTURY}[0-9]{{2}}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    rf"|02-(0[1-9]|1[0-9]|2[0-8]))|({_CENTURY}(0[48]|[2468][048]|[13579][26])|2000)-02-29)"
)
_HOUR = "([01][0-9]|2[0-3]):[0-5][0-9]"
INSTANT_PATTERN = rf"^{_DAY}T{_HOUR}(:[0-5][0-9](\.[0-9]{{1,9}})?)?(Z|[+-]{_HOUR})$"
_INSTANT = re.compile(INSTANT_PATTERN)

Parsed = TypeVar("Parsed")
Member = TypeVar("Member", bound=StrEnum)


@dataclass(slots=True)
class QueryParameters:
    """The query of one request; invalid parameters are collected until `raise_errors` is called."""

    request: Request
    errors: dict[str, Bilingual] = field(default_factory=dict)

    def parse(self, name: str, parser: Callable[[str], Parsed], default: Parsed) -> Parsed:
        """Return one parameter as *parser* reads it, or *default* where it is absent or invalid."""
        text = self.request.query_params.get(name)
        if text is None:
            return default
        try:
            return parser(text)
        except ValueError as cause:
            self.errors[name] = Bilingual.of(en=str(cause), vi=_VIETNAMESE.get(name, validation_messages.NOT_VALID))
            return default

    def list_values(self, name: str) -> tuple[str, ...]:
        """Return the values of a parameter, given several times or separated by commas."""
        return tuple(part for text in self.request.query_params.getlist(name) for part in text.split(",") if part)

    def require_known(self, *names: str) -> None:
        """Note an error for each parameter that is none of *names*: an ignored one would read as one that holds."""
        known = names if self.is_of_api else (*names, ZONE)
        for name in self.request.query_params:
            if name not in known:
                self.errors[name] = Bilingual.of(
                    en=f"is no parameter here; choose from {', '.join(names)}",
                    vi=f"không có tham số này; hãy chọn {', '.join(names)}",
                )

    @property
    def is_of_api(self) -> bool:
        """Whether a program asks, and no form of a page."""
        return self.request.url.path.startswith("/v1/")

    def raise_errors(self) -> None:
        """Raise `InvalidQueryError` if any parameter was invalid."""
        if self.errors:
            raise InvalidQueryError(self.errors)


@dataclass(frozen=True, slots=True, kw_only=True)
class DutiesQuery:
    """A query for duties: which duties, which of their lines, and which page of them."""

    context: QueryContext
    duty_filter: DutyFilter
    line_filter: LineFilter
    order: SortOrder
    limit: int | None
    after: LinePlace | None


def parse_duties_query(parameters: QueryParameters, clock: Clock, *known: str) -> DutiesQuery:
    """Return the whole query for duties, which may name the parameters *known*.

    Raises `InvalidQueryError` if any parameter is invalid or is none of them.
    """
    parameters.require_known(*known)
    order = parameters.parse("sort", sorting.parse_order, SortOrder())
    query = DutiesQuery(
        context=parse_context(parameters, clock),
        duty_filter=parse_duty_filter(parameters),
        line_filter=parse_line_filter(parameters),
        order=order,
        limit=parameters.parse("limit", _parse_limit, None),
        after=parameters.parse("cursor", lambda text: sorting.parse_cursor(text, order), None),
    )
    parameters.raise_errors()
    return query


def parse_context(parameters: QueryParameters, clock: Clock) -> QueryContext:
    """Return the instants, the scope of the reader who asks, and the language.

    `as_of` is now by default, and `known_at` is `as_of`.
    """
    as_of = parse_instant_parameter(parameters, "as_of", clock.now())
    known_at = parse_instant_parameter(parameters, "known_at", as_of)
    language = parameters.parse("lang", _parse_language, problems.language_of(parameters.request))
    return QueryContext(as_of=as_of, known_at=known_at, scope=guard.scope_of(parameters.request), language=language)


def find_moment(parameters: QueryParameters, context: QueryContext) -> datetime | None:
    """Return up to when records count, if the question names an instant; None where it is about now."""
    names_instant = any(parameters.request.query_params.get(name) for name in ("as_of", "known_at"))
    return context.known_at if names_instant else None


def parse_instant_parameter(parameters: QueryParameters, name: str, default: datetime) -> datetime:
    """Return an instant of the query, else *default*.

    The API is told every instant with its offset. The form of a page sends local times of the `zone` beside them, and
    an empty text for a field that was left empty.
    """
    if parameters.is_of_api:
        return parameters.parse(name, parse_instant, default)
    if not parameters.request.query_params.get(name):
        return default
    zone = _parse_zone(parameters.request.query_params.get(ZONE, ""))
    return parameters.parse(name, partial(_parse_local_instant, zone), default)


def _parse_local_instant(zone: ZoneInfo, text: str) -> datetime:
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        return parse_instant(text)
    return parse_instant((local if local.tzinfo else local.replace(tzinfo=zone)).isoformat())


def _parse_zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name or DEFAULT_ZONE)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(DEFAULT_ZONE)


def parse_instants(request: Request, clock: Clock) -> QueryContext:
    """Return the context of a question that has no parameters of its own; raise `InvalidQueryError`."""
    parameters = QueryParameters(request)
    parameters.require_known(*INSTANTS)
    context = parse_context(parameters, clock)
    parameters.raise_errors()
    return context


def with_scope(context: QueryContext, scope: ReaderScope) -> QueryContext:
    """Return the same question as a reader of *scope* asks it."""
    return replace(context, scope=scope)


def parse_period_of_path(request: Request) -> str:
    """Return the period that the path names; raise `NotFoundError` where it is none."""
    try:
        return periods.parse(request.path_params["period"]).text
    except ValueError as cause:
        raise NotFoundError(en=str(cause), vi=f"kỳ báo cáo phải có dạng như {periods.FORMS_VI}") from cause


def parse_duty_filter(parameters: QueryParameters) -> DutyFilter:
    """Return the conditions on duties, which the database evaluates."""
    duty_periods = tuple(_parse_period(text, parameters) for text in parameters.list_values("period"))
    query = parameters.request.query_params
    return DutyFilter(
        plan=query.get("plan") or None,
        agency=query.get("agency") or None,
        obligation=query.get("obligation") or None,
        periods=duty_periods,
    )


def parse_line_filter(parameters: QueryParameters) -> LineFilter:
    """Return the conditions on lines, which are evaluated once the status of each duty is known."""
    return LineFilter(
        statuses=frozenset(_parse_members("status", Status, parameters)),
        groups=frozenset(parameters.list_values("group")),
        flags=frozenset(parameters.list_values("flag")),
        missing=frozenset(parameters.list_values("missing")),
        queues=frozenset(_parse_members("queue", Queue, parameters)),
        words=parameters.request.query_params.get("q", ""),
    )


def _parse_members(name: str, kind: type[Member], parameters: QueryParameters) -> list[Member]:
    members = []
    for text in parameters.list_values(name):
        try:
            members.append(kind(text))
        except ValueError:
            parameters.errors[name] = Bilingual.of(
                en=f"{text[:_SHOWN_CHARS]!r} is no {name}; choose from {', '.join(kind)}",
                vi=f"không có giá trị {text[:_SHOWN_CHARS]!r}; hãy chọn {', '.join(kind)}",
            )
    return members


def _parse_period(text: str, parameters: QueryParameters) -> str | None:
    if text == ONE_OFF:
        return None
    try:
        return periods.parse(text).text
    except ValueError as cause:
        parameters.errors["period"] = Bilingual.of(en=str(cause), vi=_VIETNAMESE["period"])
        return None


def parse_instant(text: str) -> datetime:
    """Return the instant that *text* names with its offset; raise `ValueError` with the remedy."""
    shown = text[:_SHOWN_CHARS]
    # A plus sign that was not percent-encoded arrives as a space.
    try:
        instant = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError as cause:
        raise ValueError(f"{shown!r} is no instant; write 2026-12-09T23:59:00+07:00") from cause
    if instant.tzinfo is None:
        raise ValueError(f"{shown!r} has no offset; write 2026-12-09T23:59:00+07:00")
    if instant.year not in periods.YEARS:
        raise ValueError(f"{shown!r} lies out of reach; write an instant of the years 1900 to 2199")
    # Python reads more than RFC 3339 knows, such as the day of a week.
    if not _INSTANT.fullmatch(text.replace(" ", "+")):
        raise ValueError(f"{shown!r} is no instant; write 2026-12-09T23:59:00+07:00")
    return instant


def _parse_language(text: str) -> Language:
    for language in LANGUAGES:
        if text == language:
            return language
    raise ValueError(f"{text!r} is no language of this interface; choose from {', '.join(LANGUAGES)}")


def _parse_limit(text: str) -> int:
    # `isdigit` alone admits digits such as `²` that `int` refuses; six digits are enough to see that a number is too
    # large, and `int` takes quadratic time for very long texts.
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= MAX_LIMIT:
        raise ValueError(f"write a whole number from 1 to {MAX_LIMIT}")
    return int(text)
