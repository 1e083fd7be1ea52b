"""A duty: one obligation of one agency for one reporting period, with everything needed to assess it from facts."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import msgspec

from schemas.events.ids import DutyKey
from schemas.plan import calendar, values
from schemas.plan.plan import Obligation, ObligationVersion
from services.rules.core.agencies import Addressee, Superior
from services.rules.core.completeness import NOTHING_REQUIRED, DutyRequirements
from services.rules.core.facts import Submission


class Duty(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one agency owes for one period.

    `opens_at` is None where the obligation never binds the agency for the period; `version` is then None too.
    `agency_ends_at` is the instant at which the agency ends. Its `heirs` are the agencies that owe the duty from then
    on (ruling 7). `left_group_at` is the instant at which an undated duty stops binding an agency that continues to
    exist. `successors` holds all successors, near and far; each of them may file on the agency's behalf.
    `recurs_after` is the ISO 8601 duration after which the next duty of the kind falls due.
    `requirements` is what a report must contain to be complete. An untracked duty bound the agency by law while nobody
    watched. `superseded_at` is the instant from which another plan stands in the place of this one. `carried_from` are
    the duties of an earlier plan whose reports count for this one. `superiors` are listed where an alert goes to them.
    `addressed_successors` are told in the agency's place once it has ended.
    """

    key: DutyKey
    obligation: Obligation
    version: ObligationVersion | None
    zone: ZoneInfo
    plan_issued_on: date
    opens_at: datetime | None
    due_at: datetime | None
    recurs_after: str = "P12M"
    agency_ends_at: datetime | None = None
    heirs: tuple[str, ...] = ()
    left_group_at: datetime | None = None
    successors: frozenset[str] = frozenset()
    requirements: DutyRequirements = NOTHING_REQUIRED
    is_untracked: bool = False
    superseded_at: datetime | None = None
    carried_from: tuple["Duty", ...] = ()
    superiors: tuple[Superior, ...] = ()
    co_operators: tuple[Addressee, ...] = ()
    addressed_successors: tuple[Addressee, ...] = ()

    @property
    def is_binding(self) -> bool:
        """Whether the agency owes this duty at any time."""
        return self.opens_at is not None

    def superior_at(self, instant: datetime) -> Superior | None:
        """Return who stands above the agency at *instant*, if an alert goes there."""
        day = values.move_to_zone(instant, self.zone).date()
        return next((one for one in self.superiors if one.dates.contains(day)), None)

    def origin_of(self, submission: Submission) -> "Duty":
        """Return the duty under which *submission* was filed: this one, or one that it is carried over from."""
        filed = submission.plan, submission.obligation
        if filed == (self.key.plan, self.key.obligation):
            return self
        return next((one for one in self.carried_from if (one.key.plan, one.key.obligation) == filed), self)

    def one_period_after(self, due_at: datetime) -> datetime:
        """Return when the next duty of the kind falls due, counted from *due_at*; one year later for a one-off duty."""
        return calendar.shift_instant(due_at, self.recurs_after, self.zone)
