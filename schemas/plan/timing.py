"""The words in which a plan file dates a duty: which periods of a recurrence, what the figures cover, when it is due.

These are values. `calendar` resolves them to days and instants; `schemas.lint.timing_rules` refuses what contradicts.
"""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from schemas.plan import periods
from schemas.plan.document_model import DocumentModel
from schemas.plan.values import IsoDuration, LocalDate

_TIME_OF_DAY = re.compile(r"^([01][0-9]|2[0-3]):[0-5][0-9]$", re.ASCII)

LONGEST_WAIT = 366
"""Working days after a cut-off: more than a year of them is a typing mistake."""


def _write_part(given: object) -> object:
    """Return a month that is written as a number, 7, as the period has it: `07`."""
    if isinstance(given, str) and len(given) == 1 and given.isdigit():
        return f"0{given}"
    return f"{given:02d}" if isinstance(given, int) and not isinstance(given, bool) else given


def _require_part(part: str) -> str:
    periods.recurrence_of_part(part)
    return part


def _require_time(text: str) -> str:
    if _TIME_OF_DAY.match(text) is None:
        raise ValueError(f'{text!r} is no time of day; write "17:00"')
    return text


PartOfYear = Annotated[
    str,
    BeforeValidator(_write_part),
    AfterValidator(_require_part),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "minLength": 1}, {"type": "integer", "minimum": 1, "maximum": 12}]},
    ),
]
"""What follows the hyphen of a period: `H1`, `9M`, `Q3`, `W07`, or a month as 7 or "07"."""

TimeOfDay = Annotated[
    str, AfterValidator(_require_time), WithJsonSchema({"type": "string", "pattern": _TIME_OF_DAY.pattern})
]
"""A local time of day, `17:00`."""


class Anchor(DocumentModel):
    """A day relative to a period. Without `month` and `day` it is the first day after the period.

    `day` is the day of the month; a day past the month's end means its last day (a fixed month refuses it). `month` is
    the calendar month for a yearly period and the n-th month of the period for shorter ones (default: its last month).
    Of a week `day` is the weekday, 1 for Monday to 7, and there is no `month`. `offset` moves the day forward. `date`
    fixes the day of a one-off duty.
    """

    month: int | None = Field(default=None, ge=1, le=12)
    day: int | None = Field(default=None, ge=1, le=31)
    offset: IsoDuration | None = None
    date: LocalDate | None = None


class DueRule(Anchor):
    """When the duty falls due: the day, its boundary and what moves it (contract section 5, rulings 1 to 3).

    `working_days_after_cut_off` counts from the day after the figures' cut-off. With it or with `time` the day is
    itself the last good day; with `time` the duty is due at that time on it, otherwise as the day ends.
    """

    working_days_after_cut_off: int | None = Field(default=None, ge=1, le=LONGEST_WAIT)
    time: TimeOfDay | None = None
    boundary: Literal["exclusive", "inclusive"] = "exclusive"
    weekend_rule: Literal["none", "next_working_day", "previous_working_day"] = "none"
    basis: Literal["dispatch", "receipt"] = "dispatch"

    @property
    def names_last_good_day(self) -> bool:
        """Whether the day that the rule names is itself the last good day, whatever `boundary` says (ruling 3)."""
        return self.boundary == "inclusive" or self.time is not None or self.working_days_after_cut_off is not None


class WindowEdge(DocumentModel):
    """An edge of a window: a day of the month that lies `months` after the period's first (or last) month."""

    months: int = Field(default=0, ge=-120, le=120)
    day: int | None = Field(default=None, ge=1, le=31)


class Window(DocumentModel):
    """The days that the figures of a report cover, both included, where these are not the period's own.

    `from` counts `months` from the first month of the period, `to` from its last. A day past a month's end is its last
    one. Without `day` the window begins on the first day of the month and ends on the last. Its end is the cut-off.
    """

    from_: WindowEdge = Field(default=WindowEdge(), alias="from")
    to: WindowEdge = WindowEdge()
