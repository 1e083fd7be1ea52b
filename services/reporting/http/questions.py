"""From query parameters to a question: instants, filters, one page. Every fault is named, all at once."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from starlette.requests import Request

from schemas.events.assessments import Status
from schemas.plan import periods
from services.reporting.core.selection import Filter
from services.reporting.http.problems import BadQuestionError, language_of
from services.reporting.queries import Asked, Moment
from services.runtime.clock import Clock

DEFAULT_LIMIT, MOST_LIMIT = 100, 1_000
LANGUAGES = ("vi", "en")
ONE_OFF = "none"
"""How a duty without a period is asked for."""

Parsed = TypeVar("Parsed")


@dataclass(slots=True)
class Parameters:
    """The query of one request, read with every fault noted; `refuse` raises if there were any."""

    request: Request
    faults: dict[str, str] = field(default_factory=dict)

    def one(self, name: str, read: Callable[[str], Parsed], default: Parsed) -> Parsed:
        """Return one parameter as *read* understands it, or *default* where it is absent or at fault."""
        text = self.request.query_params.get(name)
        if text is None:
            return default
        try:
            return read(text)
        except ValueError as cause:
            self.faults[name] = str(cause)
            return default

    def many(self, name: str) -> tuple[str, ...]:
        """Return the values of a parameter, given several times or parted by commas."""
        return tuple(part for text in self.request.query_params.getlist(name) for part in text.split(",") if part)

    def refuse(self) -> None:
        """Raise `BadQuestionError` if anything was at fault."""
        if self.faults:
            raise BadQuestionError(self.faults)


def moment(parameters: Parameters, clock: Clock) -> Moment:
    """Return as of when and by what was known when; by default now, and what was known at that instant."""
    as_of = parameters.one("as_of", _instant, clock.now())
    known_at = parameters.one("known_at", _instant, as_of)
    language = parameters.one("lang", _language, language_of(parameters.request))
    return Moment(as_of=as_of, known_at=known_at, language=language)


def asked(parameters: Parameters) -> Asked:
    """Return which duties are meant."""
    periods_asked = tuple(_period(text, parameters) for text in parameters.many("period"))
    query = parameters.request.query_params
    return Asked(
        plan=query.get("plan") or None,
        agency=query.get("agency") or None,
        obligation=query.get("obligation") or None,
        periods=periods_asked,
    )


def wanted(parameters: Parameters) -> Filter:
    """Return which of the duties are shown."""
    return Filter(
        statuses=frozenset(_statuses(parameters)),
        groups=frozenset(parameters.many("group")),
        flags=frozenset(parameters.many("flag")),
        words=parameters.request.query_params.get("q", ""),
    )


def limit(parameters: Parameters) -> int:
    """Return how many duties one page holds."""
    return parameters.one("limit", _limit, DEFAULT_LIMIT)


def _statuses(parameters: Parameters) -> list[Status]:
    found = []
    for text in parameters.many("status"):
        try:
            found.append(Status(text))
        except ValueError:
            parameters.faults["status"] = f"{text!r} is no status; choose from {', '.join(Status)}"
    return found


def _period(text: str, parameters: Parameters) -> str | None:
    if text == ONE_OFF:
        return None
    try:
        return periods.parse(text).text
    except ValueError as cause:
        parameters.faults["period"] = str(cause)
        return None


def _instant(text: str) -> datetime:
    # A plus sign that was not percent-encoded arrives as a space.
    try:
        instant = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError as cause:
        raise ValueError(f"{text!r} is no instant; write 2026-12-09T23:59:00+07:00") from cause
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no offset; write 2026-12-09T23:59:00+07:00")
    return instant


def _language(text: str) -> str:
    if text not in LANGUAGES:
        raise ValueError(f"{text!r} is no language of this interface; choose from {', '.join(LANGUAGES)}")
    return text


def _limit(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= MOST_LIMIT:
        raise ValueError(f"write a whole number from 1 to {MOST_LIMIT}")
    return int(text)
