"""The models of `registry.yaml` (contract section 7): agencies with their names, groups and successions; working days.

Vietnamese offices work from Monday to Friday except on public holidays, and on the swapped Saturdays. Public holidays
follow from the Labour Code (2019, art. 112) and come from a library. Which days are swapped the Government decides
every year. The library knows most of these decisions, `SWAPPED_DAYS` the others, and the tables of the registry win
over both.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import cached_property
from itertools import islice
from typing import Annotated, Literal

from holidays.countries.vietnam import Vietnam
from pydantic import Field

from schemas.plan.document_model import DocumentModel
from schemas.plan.periods import YEARS
from schemas.plan.values import Alias, Bilingual, Identifier, LocalDate, NonBlank
from schemas.text import comparison

HEIRS_BY_LAW = frozenset({"merge_into", "merge_new", "split"})

WeekendRule = Literal["none", "next_working_day", "previous_working_day"]

ONE_DAY = timedelta(days=1)

SWAPPED_DAYS = {date(2026, 1, 2): date(2026, 1, 10)}
"""Days off with the Saturday that is worked for each, where the library does not know the decision.

2 January 2026: the Government Office's letter 12729/VPCP-KGVX of 25 December 2025.
"""

_SWAPPED_IN = frozenset(SWAPPED_DAYS.values())

Year = Annotated[int, Field(ge=YEARS[0], le=YEARS[-1])]


class Span(DocumentModel):
    """A half-open span of local dates [from, to), unbounded on a side that is not given."""

    from_: LocalDate | None = Field(default=None, alias="from")
    to: LocalDate | None = None

    def contains(self, day: date) -> bool:
        """Whether *day* lies in the span."""
        return (self.from_ is None or self.from_ <= day) and (self.to is None or day < self.to)


class Name(Span):
    """A name of an agency and the dates on which the agency bore it."""

    vi: NonBlank
    en: NonBlank | None = None


class Membership(Span):
    """Membership in a group for a span of dates."""

    id: Identifier


class ParentSpan(Span):
    """The agency above another one, for a span of dates."""

    id: Identifier


class Group(DocumentModel):
    """A set of agencies that a plan may address."""

    id: Identifier
    name: Bilingual


class Agency(DocumentModel):
    """A body that may owe reports. Its identity is an opaque permanent id, never its name (ruling 7).

    `brief` and `sms` are short names, for sentences and for text messages, dated like `names`.
    """

    id: Identifier
    valid: Span = Span()
    names: Annotated[tuple[Name, ...], Field(min_length=1)]
    brief: tuple[Name, ...] = ()
    sms: tuple[Name, ...] = ()
    aliases: tuple[Alias, ...] = ()
    groups: tuple[Membership, ...] = ()
    parent: Identifier | tuple[ParentSpan, ...] | None = None
    note: NonBlank | None = None

    @property
    def parents(self) -> tuple[ParentSpan, ...]:
        """The agencies above this one by date; a parent without dates is one for all time."""
        if isinstance(self.parent, str):
            return (ParentSpan(id=self.parent),)
        return self.parent or ()

    def name_on(self, day: date, language: str = "vi") -> str:
        """Return the name borne on *day*; if there was none, the last earlier one, or else the first."""
        borne = [name for name in self.names if name.contains(day)]
        earlier = [name for name in self.names if name.from_ is not None and name.from_ <= day]
        name = (borne or earlier or list(self.names[:1]))[-1]
        return name.en if language == "en" and name.en else name.vi


class Succession(DocumentModel):
    """A legal act by which agencies end and others succeed them."""

    type: Literal["merge_into", "merge_new", "split", "abolish"]
    from_: Annotated[tuple[Identifier, ...], Field(min_length=1, alias="from")]
    to: tuple[Identifier, ...] = ()
    on: LocalDate
    act: NonBlank | None = None
    confirmed: bool = True
    note: NonBlank | None = None


class Holiday(DocumentModel):
    """A public holiday: one that the built-in calendar does not know, or confirms."""

    date: LocalDate
    name: NonBlank | None = None


class Registry(DocumentModel):
    """One registry of agencies, with the days that its offices work and do not work.

    `holidays_confirmed` names the years whose swapped days somebody compared with the Government's decisions.
    """

    registry: Identifier
    version: int = Field(ge=1)
    groups: tuple[Group, ...] = ()
    agencies: tuple[Agency, ...] = ()
    successions: tuple[Succession, ...] = ()
    holidays: tuple[Holiday, ...] = ()
    working_days: tuple[Holiday | LocalDate, ...] = ()
    holidays_confirmed: tuple[Year, ...] = ()

    @cached_property
    def by_id(self) -> Mapping[str, Agency]:
        """The agencies by permanent id. Cached, because every alert and every line of a report looks one up."""
        return {one.id: one for one in self.agencies}

    def agency(self, agency_id: str) -> Agency | None:
        """Return the agency with that permanent id, or None."""
        return self.by_id.get(agency_id)

    @cached_property
    def ids_by_name(self) -> Mapping[str, str]:
        """The permanent id behind each alias, and behind each id itself, which takes precedence over an alias."""
        aliases = {alias: agency.id for agency in reversed(self.agencies) for alias in agency.aliases}
        return aliases | {agency.id: agency.id for agency in self.agencies}

    @cached_property
    def _ids_by_key(self) -> Mapping[str, str]:
        """The permanent id behind the key of each name, unless names of several agencies have that key."""
        ids: dict[str, set[str]] = {}
        for name, agency_id in self.ids_by_name.items():
            ids.setdefault(comparison.make_name_key(name), set()).add(agency_id)
        return {key: next(iter(found)) for key, found in ids.items() if len(found) == 1}

    @cached_property
    def lifetimes(self) -> Mapping[str, Span]:
        """When each agency exists; a succession ends it where its own `valid` does not say so."""
        ends: dict[str, date] = {}
        for succession in self.successions:
            for ended in succession.from_:
                if ended not in succession.to:
                    ends[ended] = min(ends.get(ended, succession.on), succession.on)
        # `Span` is built without validation: its dates were validated with the agency and the succession.
        return {
            one.id: one.valid
            if one.valid.to is not None
            else Span.model_construct(from_=one.valid.from_, to=ends.get(one.id))
            for one in self.agencies
        }

    def exists_on(self, agency_id: str, day: date) -> bool:
        """Whether the agency exists on *day*; of a body that the registry does not list nobody knows an end."""
        lifetime = self.lifetimes.get(agency_id)
        return lifetime is None or lifetime.contains(day)

    def parent_on(self, agency_id: str, day: date) -> str | None:
        """Return the agency above on *day*; None where there is none then, or where one of the two does not exist."""
        agency = self.agency(agency_id)
        if agency is None or not self.exists_on(agency_id, day):
            return None
        parents = (one.id for one in agency.parents if one.contains(day))
        return next((one for one in parents if self.exists_on(one, day)), None)

    def resolve(self, name_or_id: str) -> str | None:
        """Return the permanent id for an id or alias, however it is written; None if the registry knows neither.

        Two spellings that `comparison.make_name_key` takes for one name are one.
        """
        # Nearly every name is written exactly as the registry has it.
        return self.ids_by_name.get(name_or_id) or self._ids_by_key.get(comparison.make_name_key(name_or_id))


class WorkingDays:
    """The working days of one registry; without one, those of the usual calendar."""

    def __init__(self, registry: Registry | None = None) -> None:
        self._days_off = _dates_of(registry.holidays if registry else ())
        self._extra_working_days = _dates_of(registry.working_days if registry else ())
        self._public_holidays = Vietnam()  # type: ignore[no-untyped-call]  # the library annotates no constructors
        self._known: dict[date, bool] = {}

    def is_working_day(self, day: date) -> bool:
        """Whether offices work on *day*."""
        is_known = self._known.get(day)
        if is_known is None:
            is_known = self._known[day] = self._decide(day)
        return is_known

    def next_working_day(self, day: date) -> date:
        """Return *day* if offices work on it, else the next day on which they do."""
        while not self.is_working_day(day):
            day += ONE_DAY
        return day

    def previous_working_day(self, day: date) -> date:
        """Return *day* if offices work on it, else the last day before it on which they do."""
        while not self.is_working_day(day):
            day -= ONE_DAY
        return day

    def count_on(self, day: date, count: int) -> date:
        """Return the *count*-th working day after *day*, which does not count (Civil Code 2015, art. 147.2)."""
        return next(islice(self._following(day), count - 1, None))

    def move_off_weekend(self, day: date, rule: WeekendRule) -> date:
        """Return the last good day after *rule* has moved it off weekends and holidays (ruling 3)."""
        match rule:
            case "none":
                return day
            case "next_working_day":
                return self.next_working_day(day)
            case "previous_working_day":
                return self.previous_working_day(day)

    def _decide(self, day: date) -> bool:
        if day in self._extra_working_days:
            return True
        if day in self._days_off:
            return False
        if day in SWAPPED_DAYS or day in _SWAPPED_IN:
            return day in _SWAPPED_IN
        return self._public_holidays.is_working_day(day)

    def _following(self, day: date) -> Iterator[date]:
        while True:
            day = self.next_working_day(day + ONE_DAY)
            yield day


def _dates_of(days: Iterable[Holiday | date]) -> frozenset[date]:
    return frozenset(day.date if isinstance(day, Holiday) else day for day in days)
