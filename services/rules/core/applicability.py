"""Whether, from when and until when an obligation binds an agency for a period (rulings 7 and 8)."""

from datetime import date

import msgspec

from services.rules.core.agencies import Agencies
from services.rules.core.calendar import Terms


class Unbound(msgspec.Struct, frozen=True, gc=False):
    """The obligation does not bind this agency for this period."""


class Bound(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The duty opens on a local date.

    `ends_on` is the day the agency ends, if it does; `heirs` then owe the duty themselves.
    """

    opens_on: date
    ends_on: date | None = None
    heirs: tuple[str, ...] = ()


class Left(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An undated duty whose agency lives on but left the addressed group on `ends_on`."""

    opens_on: date
    ends_on: date


Binding = Unbound | Bound | Left


def binding(agencies: Agencies, terms: Terms, agency: str) -> Binding:
    """Decide how *terms* bind *agency*.

    A dated duty binds members of an addressed group at the last instant before due, from the day they became one, and
    the members whose agency ends before that. An undated one binds whoever is a member while its period runs.
    """
    stays = agencies.stays(agency, terms.obligation.addressees)
    reached = [stay for stay in stays if stay.from_ <= terms.decided_on and stay.to > terms.opens_on]
    if not reached:
        return Unbound()
    last = reached[-1]
    opens_on = max(terms.opens_on, last.from_)
    is_member = last.contains(terms.decided_on)
    ends_on = agencies.life(agency).to
    if last.to == ends_on and ends_on != date.max and not (is_member and terms.due_at is None):
        # A continuous duty passes on the day the agency ends, whatever becomes of the heir later.
        is_continuous = terms.due_at is None and terms.period is None
        passes_on = ends_on if is_continuous else max(terms.decided_on, ends_on)
        heirs = _bound_heirs(agencies, agency, terms.obligation.addressees, passes_on)
        return Bound(opens_on=opens_on, ends_on=ends_on, heirs=heirs)
    if is_member:
        return Bound(opens_on=opens_on)
    return Left(opens_on=opens_on, ends_on=last.to) if terms.due_at is None else Unbound()


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
