"""`registry.yaml`: the agencies, their names, groups and successions as effective-dated data (contract section 7)."""

from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field

from schemas.plan.plan import DocumentModel
from schemas.plan.values import Bilingual, Identifier, LocalDate, NonBlank

HEIRS_BY_LAW = frozenset({"merge_into", "merge_new", "split"})


class Span(DocumentModel):
    """Half-open local dates [from, to); open on the side that is not given."""

    from_: LocalDate | None = Field(default=None, alias="from")
    to: LocalDate | None = None

    def contains(self, day: date) -> bool:
        """Whether *day* lies in the span."""
        return (self.from_ is None or self.from_ <= day) and (self.to is None or day < self.to)


class Name(Span):
    """A name and the dates on which it was borne."""

    vi: NonBlank
    en: NonBlank | None = None


class Membership(Span):
    """Belonging to a group for a time."""

    id: Identifier


class Group(DocumentModel):
    """A set of agencies that a plan may address."""

    id: Identifier
    name: Bilingual


class Agency(DocumentModel):
    """A body that may owe reports: an opaque permanent id, never its name (ruling 7)."""

    id: Identifier
    valid: Span = Span()
    names: Annotated[tuple[Name, ...], Field(min_length=1)]
    aliases: tuple[NonBlank, ...] = ()
    groups: tuple[Membership, ...] = ()
    parent: Identifier | None = None
    note: NonBlank | None = None

    def name_on(self, day: date, language: str = "vi") -> str:
        """Return the name borne on *day*, or the nearest earlier or first one where there was none."""
        borne = [name for name in self.names if name.contains(day)]
        earlier = [name for name in self.names if name.from_ is not None and name.from_ <= day]
        name = (borne or earlier or list(self.names[:1]))[-1]
        return name.en if language == "en" and name.en else name.vi


class Succession(DocumentModel):
    """A legal act by which agencies end and others take their place."""

    type: Literal["merge_into", "merge_new", "split", "abolish"]
    from_: Annotated[tuple[Identifier, ...], Field(min_length=1, alias="from")]
    to: tuple[Identifier, ...] = ()
    on: LocalDate
    act: NonBlank | None = None
    confirmed: bool = True
    note: NonBlank | None = None


class Holiday(DocumentModel):
    """A day off that the usual calendar does not know, or confirms."""

    date: LocalDate
    name: NonBlank | None = None


class Registry(DocumentModel):
    """One registry of agencies."""

    registry: Identifier
    version: int = Field(ge=1)
    groups: tuple[Group, ...] = ()
    agencies: tuple[Agency, ...] = ()
    successions: tuple[Succession, ...] = ()
    holidays: tuple[Holiday, ...] = ()
    working_days: tuple[Holiday | LocalDate, ...] = ()

    @cached_property
    def by_id(self) -> Mapping[str, Agency]:
        """The agencies by their permanent ids: every alert and every line of a report asks for one."""
        return {one.id: one for one in self.agencies}

    def agency(self, agency_id: str) -> Agency | None:
        """Return the agency of that permanent id, or nothing."""
        return self.by_id.get(agency_id)

    def resolve(self, name_or_id: str) -> str | None:
        """Return the permanent id behind an id or alias, or nothing where the registry knows neither."""
        for agency in self.agencies:
            if agency.id == name_or_id or name_or_id in agency.aliases:
                return agency.id
        return None
