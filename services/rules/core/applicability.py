"""Whether, from when and until when an obligation binds an agency for a period (rulings 7 and 8)."""

from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from services.rules.core import calendar
from services.rules.core.agencies import Agencies
from services.rules.core.calendar import Terms

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unbound:
    """The obligation does not bind this agency for this period."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """The duty opens on a local date.

    `ends_on` is the day the agency ends, if it does; `heirs` then owe the duty themselves.
    """

    opens_on: date
    ends_on: date | None = None
    heirs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """An undated duty whose agency lives on but left the addressed group on `ends_on`."""

    opens_on: date
    ends_on: date


Binding = Unbound | Bound | Left


def binding(agencies: Agencies, terms: Terms, agency: str, zone: ZoneInfo) -> Binding:
    """Decide how *terms* bind *agency*.

    A dated duty binds members of an addressed group at the last instant before due, from the day they became one, and
    the members whose agency ends before that. An undated one binds whoever is a member while its period runs.
    """
    deciding_on = _deciding_day(terms, zone)
    stays = agencies.stays(agency, terms.obligation.addressees)
    reached = [stay for stay in stays if stay.from_ <= deciding_on and stay.to > terms.opens_on]
    if not reached:
        return Unbound()
    last = reached[-1]
    opens_on = max(terms.opens_on, last.from_)
    is_member = last.contains(deciding_on)
    ends_on = agencies.life(agency).to
    if last.to == ends_on and ends_on != date.max and not (is_member and terms.due_at is None):
        # A continuous duty passes on the day the agency ends, whatever becomes of the heir later.
        is_continuous = terms.due_at is None and terms.period is None
        passes_on = ends_on if is_continuous else max(deciding_on, ends_on)
        heirs = _bound_heirs(agencies, agency, terms.obligation.addressees, passes_on)
        return Bound(opens_on=opens_on, ends_on=ends_on, heirs=heirs)
    if is_member:
        return Bound(opens_on=opens_on)
    return Left(opens_on=opens_on, ends_on=last.to) if terms.due_at is None else Unbound()


def _deciding_day(terms: Terms, zone: ZoneInfo) -> date:
    """Return the day on which membership decides; a duty without due instant and period asks about the end of time."""
    if terms.due_at is not None:
        return calendar.last_good_day(terms.due_at, zone)
    return terms.period.ends_on - _DAY if terms.period else date.max - _DAY


def _bound_heirs(agencies: Agencies, agency: str, addressees: tuple[str, ...], on: date) -> tuple[str, ...]:
    """Return the successors that owe the duty themselves; taking over functions inherits nothing."""
    found: dict[str, None] = {}
    seen = {agency}
    waiting = list(agencies.heirs(agency))
    while waiting:
        heir = waiting.pop(0)
        if heir in seen:
            continue
        seen.add(heir)
        if any(stay.contains(on) for stay in agencies.stays(heir, addressees)):
            found[heir] = None
        else:
            waiting.extend(agencies.heirs(heir))
    return tuple(found)
