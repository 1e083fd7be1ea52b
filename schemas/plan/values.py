"""Value types that documents and events consist of: ids, instants, local dates, durations, bilingual text."""

import re
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints, WithJsonSchema

from schemas.plan import durations
from schemas.text import normal_form

Language = Literal["en", "vi"]
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
NonBlank = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Alias = Annotated[NonBlank, AfterValidator(normal_form.normalize)]
"""Another name of an agency, in Unicode NFC as the names in all events are."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{64}$")]
MediaType = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+$")]

# Far enough from the ends of Python's calendar (1 and 9999) that no date arithmetic overflows.
_YEARS = range(1000, 3000)

# ASCII: elsewhere `\d` matches the digits of every script, which RFC 3339 does not know.
_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})?", re.ASCII)
_LOCAL_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _require_rfc3339(value: object) -> object:
    """Refuse numbers, also in a string: pydantic would take them for an epoch, in seconds or in milliseconds."""
    if isinstance(value, datetime) or (isinstance(value, str) and _RFC3339.fullmatch(value)):
        return value
    raise ValueError("write an RFC 3339 instant such as 2026-12-09T23:59:00+07:00")


def _require_offset(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("the time has no offset; write it as RFC 3339, for example 2026-12-09T23:59:00+07:00")
    return value


def _require_year_in_range(value: date) -> date:
    if value.year not in _YEARS:
        raise ValueError(f"{value} lies out of reach; write a date from {_YEARS[0]} to {_YEARS[-1]}")
    return value


def _require_local_date(value: object) -> object:
    # Asked first, because in Python a datetime is a date.
    if isinstance(value, datetime):
        raise ValueError("write a local date such as 2026-12-09, without a time")  # noqa: TRY004 - pydantic reports ValueError
    if isinstance(value, date) or (isinstance(value, str) and _LOCAL_DATE.fullmatch(value)):
        return value
    raise ValueError("write a local date such as 2026-12-09")


# An RFC 3339 instant with an offset.
Instant = Annotated[datetime, BeforeValidator(_require_rfc3339), AfterValidator(_require_offset)]

# A calendar date in the plan's zone, ISO 8601, quoted or not.
LocalDate = Annotated[date, BeforeValidator(_require_local_date), AfterValidator(_require_year_in_range)]

# An ISO 8601 duration, kept as its author wrote it: `P7D`, `PT0S`, `P1M`.
IsoDuration = Annotated[
    str, AfterValidator(durations.validate), WithJsonSchema({"type": "string", "format": "duration"})
]


class Bilingual(BaseModel):
    """A text in Vietnamese, and in English if there is a translation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vi: NonBlank
    en: NonBlank | None = None

    @classmethod
    def of(cls, *, en: str, vi: str) -> "Bilingual":
        """Build a text without validation: one of the program's own, which may repeat what a user wrote."""
        return cls.model_construct(vi=vi, en=en)

    def in_language(self, language: str) -> str:
        """Return the text in *language* (`vi` or `en`), the Vietnamese one if there is no translation."""
        return self.en if language == "en" and self.en else self.vi
