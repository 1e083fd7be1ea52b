"""The template environment: everything escaped, and the few filters that pages need."""

from datetime import date, datetime, tzinfo
from decimal import Decimal
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined

from schemas.events.assessments import Status
from services.reporting.core import vietnamese, wording
from services.reporting.dashboard.texts import text


def environment() -> Environment:
    """Return the environment; an unknown name in a template is an error, not an empty place."""
    made = Environment(
        loader=PackageLoader("services.reporting.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(text=text, urlencode=urlencode, status_name=wording.status)
    made.filters.update(day=day, moment=moment, deadline=deadline, rate=rate)
    return made


def day(value: date | None, language: str) -> str:
    """Write a date: 09/12/2026, or 9 December 2026."""
    if value is None:
        return ""
    return vietnamese.short_date(value) if language == "vi" else f"{value.day} {value:%B %Y}"


def moment(value: datetime | None, zone: tzinfo, language: str) -> str:
    """Write an instant in local time to the minute."""
    if value is None:
        return ""
    local = value.astimezone(zone)
    return f"{local:%H:%M} {day(local.date(), language)}"


def deadline(value: datetime, zone: tzinfo, language: str) -> str:
    """Write a due instant in plain words."""
    if language == "vi":
        return vietnamese.deadline(value, zone)
    local = value.astimezone(zone)
    if local.hour or local.minute or local.second:
        return f"before {moment(value, zone, language)}"
    return f"end of {day(vietnamese.last_good_day(value, zone), language)}"


def rate(value: Decimal | None, language: str) -> str:
    """Write a ratio as a percentage."""
    if value is None or language == "vi":
        return vietnamese.percent(value)
    return f"{value * 100:.1f}%"


def weekday(value: date, language: str) -> str:
    """Return the day of the week in words."""
    return text("weekdays", language).split(",")[value.weekday()]


SHOWN = (Status.ON_TIME, Status.LATE, Status.INCOMPLETE, Status.OVERDUE, Status.PENDING)
APART = (Status.EXEMPT, Status.SUPERSEDED, Status.ENDED_NO_SUCCESSOR)
