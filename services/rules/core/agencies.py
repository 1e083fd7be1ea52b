"""Who the agencies are over time, and how an obligation binds them (rulings 7 and 8).

The registry gives aliases, lifetimes, group memberships and successions; from these `decide_binding` tells whether,
from when and until when an agency owes what the plan asks for one period.

The questions are asked once for all agencies that are bound alike (`DutyCatalogue.shared_duty`).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise

import msgspec

from schemas.plan.calendar import PeriodTerms
from schemas.plan.registry import HEIRS_BY_LAW, Agency, Registry, Succession


class DateRange(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Local dates from `from_` up to, but not including, `to`."""

    from_: date
    to: date

    def contains(self, day: date) -> bool:
        """Whether *day* lies in the range."""
        return self.from_ <= day < self.to


class Superior(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The agency above another one on the days of `dates`; `ends_on` is the day on which it ends itself, if it does."""

    agency: str
    dates: DateRange
    ends_on: date | None


class Addressee(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who is told of a duty of another agency on the days of `dates`: one that co-operates in it, or its successor."""

    agency: str
    dates: tuple[DateRange, ...]


class NotBound(msgspec.Struct, frozen=True, gc=False):
    """The obligation does not bind this agency for this period."""


class Bound(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The obligation binds the agency from the local date `opens_on`.

    `ends_on` is the day on which the agency ends, if it does; from then on its `heirs` owe the duty themselves.
    """

    opens_on: date
    ends_on: date | None = None
    heirs: tuple[str, ...] = ()


class LeftGroup(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An undated duty binds the agency until it leaves the addressed group on `ends_on`; the agency itself goes on."""

    opens_on: date
    ends_on: date


Binding = NotBound | Bound | LeftGroup


class Agencies:
    """One version of a registry, indexed by agency."""

    def __init__(self, registry: Registry) -> None:
        self._agencies = {agency.id: agency for agency in registry.agencies}
        self._registry = registry
        self._ending_successions: dict[str, list[Succession]] = {}
        for one in registry.successions:
            for ending in set(one.from_) - set(one.to):
                self._ending_successions.setdefault(ending, []).append(one)
        self._children: dict[date, Mapping[str, list[str]]] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._agencies)

    def __contains__(self, agency_id: object) -> bool:
        return agency_id in self._agencies

    def resolve(self, name_or_id: str) -> str | None:
        """Return the permanent id of an id or alias, however it is written, or None where no agency has it."""
        # Nearly every fact names an id.
        return name_or_id if name_or_id in self._agencies else self._registry.resolve(name_or_id)

    def superiors(self, agency_id: str) -> tuple[Superior, ...]:
        """Return who stands above the agency, and when; an office stands above nobody once it has ended."""
        own = self.lifetime(agency_id)
        found = []
        for one in self._agencies[agency_id].parents:
            above = self.lifetime(one.id) if one.id in self._agencies else DateRange(from_=date.min, to=date.max)
            begins = max(one.from_ or date.min, own.from_, above.from_)
            ends = min(one.to or date.max, own.to, above.to)
            if begins < ends:
                ends_on = None if above.to == date.max else above.to
                found.append(Superior(agency=one.id, dates=DateRange(from_=begins, to=ends), ends_on=ends_on))
        return tuple(found)

    def children_on(self, agency_id: str, day: date) -> Sequence[str]:
        """Return the agencies directly below one on *day*, in the order of their ids."""
        if day not in self._children:
            children: dict[str, list[str]] = {}
            for one in sorted(self._agencies):
                parent = self._registry.parent_on(one, day)
                if parent is not None:
                    children.setdefault(parent, []).append(one)
            self._children[day] = children
        return self._children[day].get(agency_id, ())

    def names_of(self, agency_id: str) -> frozenset[str]:
        """Return the id of the agency and its aliases."""
        return frozenset((agency_id, *self._agencies[agency_id].aliases))

    def lifetime(self, agency_id: str) -> DateRange:
        """Return the dates on which the agency exists; a succession ends it where its own entry does not say so."""
        valid = self._registry.lifetimes[agency_id]
        return DateRange(from_=valid.from_ or date.min, to=valid.to or date.max)

    def memberships(self, agency_id: str, addressees: tuple[str, ...]) -> tuple[DateRange, ...]:
        """Return when the agency was addressed, by name or as member of a group, in order and without overlap."""
        lifetime = self.lifetime(agency_id)
        ranges = [lifetime] if agency_id in addressees else _group_memberships(self._agencies[agency_id], addressees)
        clipped = [DateRange(from_=max(one.from_, lifetime.from_), to=min(one.to, lifetime.to)) for one in ranges]
        return _merge_ranges([one for one in clipped if one.from_ < one.to])

    def heirs(self, agency_id: str) -> tuple[str, ...]:
        """Return the agencies that directly took the place of one that ended; none after an abolition."""
        successions = [one for one in self._ending_successions.get(agency_id, ()) if one.type in HEIRS_BY_LAW]
        # An agency may take part in several successions; those on the day of its end decide, if there are any.
        on_end = [one for one in successions if one.on == self.lifetime(agency_id).to] or successions
        return tuple(dict.fromkeys(heir for one in on_end for heir in one.to if heir in self._agencies))

    def successors(self, agency_id: str) -> frozenset[str]:
        """Return all successors, near and far: the heirs, their heirs, and so on."""
        found: set[str] = set()
        pending = list(self.heirs(agency_id))
        while pending:
            heir = pending.pop()
            if heir not in found:
                found.add(heir)
                pending.extend(self.heirs(heir))
        return frozenset(found - {agency_id})


def decide_binding(agencies: Agencies, terms: PeriodTerms, agency: str) -> Binding:
    """Decide how *terms* bind *agency* (ruling 8).

    A dated duty binds the members of an addressed group at the last instant before due, from the day on which they
    became members, and the members whose agency ends before that. An undated duty binds every agency that is a member
    while its period runs.
    """
    memberships = agencies.memberships(agency, terms.obligation.bearers)
    reached = [one for one in memberships if one.from_ <= terms.membership_decided_on and one.to > terms.opens_on]
    if not reached:
        return NotBound()
    last = reached[-1]
    opens_on = max(terms.opens_on, last.from_)
    is_member = last.contains(terms.membership_decided_on)
    ends_on = agencies.lifetime(agency).to
    if last.to == ends_on and ends_on != date.max and not (is_member and terms.due_at is None):
        # A continuous duty passes on the day on which the agency ends, whatever becomes of the heir later.
        is_continuous = terms.due_at is None and terms.period is None
        inherited_on = ends_on if is_continuous else max(terms.membership_decided_on, ends_on)
        heirs = _find_bound_heirs(agencies, agency, terms.obligation.bearers, inherited_on)
        return Bound(opens_on=opens_on, ends_on=ends_on, heirs=heirs)
    if is_member:
        return Bound(opens_on=opens_on)
    return LeftGroup(opens_on=opens_on, ends_on=last.to) if terms.due_at is None else NotBound()


def list_co_operators(agencies: Agencies, named: tuple[str, ...]) -> tuple[Addressee, ...]:
    """Return the agencies that are *named*, themselves or as members of a named group, and when."""
    found = ((one, agencies.memberships(one, named)) for one in agencies)
    return tuple(Addressee(agency=agency, dates=dates) for agency, dates in found if dates)


def list_addressed_successors(agencies: Agencies, agency: str, addressees: tuple[str, ...]) -> tuple[Addressee, ...]:
    """Return the addressed agencies that stand in the place of one that ends, and when.

    An heir that ends in its turn gives way to its own heirs: a commune that was merged in January and again in July has
    one successor until July and another one from then on.
    """
    ends_on, successors = agencies.lifetime(agency).to, agencies.successors(agency)
    if not successors:
        return ()
    spans = [span for one in successors for span in agencies.memberships(one, addressees)]
    turns = sorted({ends_on, *(day for one in spans for day in (one.from_, one.to) if ends_on < day < date.max)})
    found: dict[str, list[DateRange]] = {}
    for day, following in pairwise((*turns, date.max)):
        for heir in _find_bound_heirs(agencies, agency, addressees, day):
            found.setdefault(heir, []).append(DateRange(from_=day, to=following))
    return tuple(Addressee(agency=heir, dates=_merge_ranges(dates)) for heir, dates in found.items())


def _find_bound_heirs(agencies: Agencies, agency: str, addressees: tuple[str, ...], on: date) -> tuple[str, ...]:
    """Return the successors that owe the duty themselves (ruling 7).

    An heir outside the addressed groups inherits no duty by taking over functions; the search goes on to its own heirs.
    The set of seen agencies ends the search where an impossible record makes two agencies each other's heirs.
    """
    found: dict[str, None] = {}
    seen = {agency}
    pending = list(agencies.heirs(agency))
    while pending:
        heir = pending.pop(0)  # breadth first: the nearest heirs are named first
        if heir in seen:
            continue
        seen.add(heir)
        if any(one.contains(on) for one in agencies.memberships(heir, addressees)):
            found[heir] = None
        else:
            pending.extend(agencies.heirs(heir))
    return tuple(found)


def _group_memberships(agency: Agency, addressees: tuple[str, ...]) -> Iterator[DateRange]:
    for membership in agency.groups:
        if membership.id in addressees:
            yield DateRange(from_=membership.from_ or date.min, to=membership.to or date.max)


def _merge_ranges(ranges: list[DateRange]) -> tuple[DateRange, ...]:
    """Return *ranges* in order, with those that overlap or touch merged into one."""
    merged: list[DateRange] = []
    for one in sorted(ranges, key=lambda found: found.from_):
        if merged and one.from_ <= merged[-1].to:
            merged[-1] = DateRange(from_=merged[-1].from_, to=max(merged[-1].to, one.to))
        else:
            merged.append(one)
    return tuple(merged)
