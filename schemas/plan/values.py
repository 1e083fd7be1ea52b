"""Small value types that documents and events are made of: ids, instants, local dates, durations, bilingual text."""

import re
from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints, WithJsonSchema

from schemas.plan import durations

Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
NonBlank = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{64}$")]
MediaType = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+$")]

_YEARS = range(1000, 3000)  # so far from the ends of the calendar that no sum of dates runs over them
_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})?", re.ASCII)
_LOCAL_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _text_of_time(value: object) -> object:
    """Refuse numbers as times, written as a string or not: an epoch says nothing of its unit."""
    if isinstance(value, datetime) or (isinstance(value, str) and _RFC3339.fullmatch(value)):
        return value
    raise ValueError("write an RFC 3339 instant such as 2026-12-09T23:59:00+07:00")


def _with_offset(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("the time has no offset; write it as RFC 3339, for example 2026-12-09T23:59:00+07:00")
    return value


def _within_reach(value: date) -> date:
    if value.year not in _YEARS:
        raise ValueError(f"{value} lies out of reach; write a date from {_YEARS[0]} to {_YEARS[-1]}")
    return value


def _text_of_date(value: object) -> object:
    if isinstance(value, datetime):
        raise ValueError("write a local date such as 2026-12-09, without a time")  # noqa: TRY004 - pydantic reports ValueError
    if isinstance(value, date) or (isinstance(value, str) and _LOCAL_DATE.fullmatch(value)):
        return value
    raise ValueError("write a local date such as 2026-12-09")


Instant = Annotated[datetime, BeforeValidator(_text_of_time), AfterValidator(_with_offset)]
"""An RFC 3339 instant with an offset."""

LocalDate = Annotated[date, BeforeValidator(_text_of_date), AfterValidator(_within_reach)]
"""A calendar date in the plan's zone, ISO 8601, quoted or not."""

IsoDuration = Annotated[
    str, AfterValidator(durations.validate), WithJsonSchema({"type": "string", "format": "duration"})
]
"""An ISO 8601 duration, kept as written: `P7D`, `PT0S`, `P1M`."""


class Bilingual(BaseModel):
    """A text in Vietnamese, and in English where somebody translated it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vi: NonBlank
    en: NonBlank | None = None

    def in_language(self, language: str) -> str:
        """Return the text in *language* (`vi` or `en`), Vietnamese where there is no other."""
        return self.en if language == "en" and self.en else self.vi
