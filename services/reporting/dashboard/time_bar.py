"""The bar on every page that says of which moment it is, and leads to any other, without a script."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from starlette.requests import Request

from services.reporting.http import problems
from services.reporting.http.query_parameters import ZONE
from services.reporting.queries import QueryContext

AS_OF, KNOWN_AT = "as_of", "known_at"
MOMENT_PARAMETERS = (AS_OF, KNOWN_AT, ZONE)
_DAY, _WEEK = timedelta(days=1), timedelta(weeks=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Jump:
    """A link to the same page at another moment; `text` is the name of its words."""

    text: str
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeBar:
    """The form that asks the same question about another moment, and links to some.

    The fields hold local times of `zone`, as `<input type="datetime-local">` writes them; `hidden` passes the rest of
    the question on. `complete_until` is up to when everything that happened is in the figures, if that is known.
    """

    action: str
    hidden: tuple[tuple[str, str], ...]
    as_of: str
    known_at: str
    zone: str
    jumps: tuple[Jump, ...]
    compare: str
    complete_until: datetime | None


def build_time_bar(
    request: Request, context: QueryContext, *, zone: ZoneInfo, now: datetime, complete_until: datetime | None
) -> TimeBar:
    """Return the bar of the page that *request* asks for about the moment of *context*."""
    kept = tuple((name, value) for name, value in request.query_params.multi_items() if name not in MOMENT_PARAMETERS)
    action = problems.local_reference(request)
    is_known_apart = context.known_at != context.as_of

    def refer(as_of: datetime, known_at: datetime | None = None) -> str:
        known = [] if known_at is None else [(KNOWN_AT, known_at.isoformat())]
        return f"{action}?{urlencode([*kept, (AS_OF, as_of.isoformat()), *known])}"

    jumps = [
        Jump(text="moment_day_earlier", href=refer(context.as_of - _DAY)),
        Jump(text="moment_week_earlier", href=refer(context.as_of - _WEEK)),
    ]
    if context.as_of + _DAY <= now:
        jumps.append(Jump(text="moment_day_later", href=refer(context.as_of + _DAY)))
    if context.as_of < now and context.known_at < now:
        jumps.append(Jump(text="moment_known_now", href=refer(context.as_of, now)))
    return TimeBar(
        action=action,
        hidden=kept,
        as_of=_write_local(context.as_of, zone),
        known_at=_write_local(context.known_at, zone) if is_known_apart else "",
        zone=zone.key,
        jumps=tuple(jumps),
        compare=f"/changes?{urlencode(_list_compared(request, context, now))}",
        complete_until=complete_until,
    )


def _list_compared(request: Request, context: QueryContext, now: datetime) -> list[tuple[str, str]]:
    """Return the question that compares the moment of the page with now, or a week ago with now."""
    asked = {**request.query_params, **request.path_params}
    chosen = [(name, str(asked[name])) for name in ("plan", "period", "lang") if asked.get(name)]
    since = context.as_of if request.query_params.get(AS_OF) else now - _WEEK
    return [*chosen, ("since", since.isoformat())]


def _write_local(instant: datetime, zone: ZoneInfo) -> str:
    return instant.astimezone(zone).replace(tzinfo=None).isoformat(timespec="minutes")
