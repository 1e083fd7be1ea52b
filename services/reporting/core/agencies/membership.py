"""Of which groups an agency is a member as for a duty (ruling 8): whom a reader's group covers, who counts where.

The day that decides is the last good day that the plan gives. An extension moves the due instant of one agency, and
neither its groups nor the agency above it.
"""

from datetime import date, timedelta

from schemas.events.ids import DutyKey
from schemas.plan import periods
from schemas.plan.calendar import Calendar
from schemas.plan.plan import Plan
from schemas.plan.registry import WorkingDays
from services.reporting.core.registry_index import RegistryIndex


class Memberships:
    """The memberships as for the duties of one version of a plan, in one version of its registry.

    Where the plan gives neither a due instant nor a period, and where it no longer lays the obligation on anybody, the
    day asked about decides.
    """

    def __init__(self, plan: Plan, registry: RegistryIndex) -> None:
        self._plan = plan
        self._registry = registry
        self._calendar = Calendar(plan, WorkingDays(registry.registry))
        # Thousands of agencies share the few days of an obligation's periods.
        self._days: dict[tuple[str, str | None], date | None] = {}

    def decided_on(self, key: DutyKey, today: date) -> date:
        """Return the day on which it is decided of which groups the agency of a duty is a member."""
        place = (key.obligation, key.period)
        if place not in self._days:
            self._days[place] = self._find_day(*place)
        return self._days[place] or today

    def groups_of(self, key: DutyKey, today: date) -> frozenset[str]:
        """Return every group of which the agency of a duty is a member as for the duty, addressed or not."""
        return self._registry.groups_on(key.agency, self.decided_on(key, today))

    def parent_of(self, key: DutyKey, today: date) -> str | None:
        """Return the agency above that of a duty; None where there is none, or it has ended."""
        return self._registry.registry.parent_on(key.agency, self.decided_on(key, today))

    def _find_day(self, obligation_id: str, period_text: str | None) -> date | None:
        period = None if period_text is None else periods.parse(period_text)
        obligation = self._plan.obligation(obligation_id)
        terms = None if obligation is None else self._calendar.terms_of(obligation, period)
        if terms is not None and (terms.due_at is not None or period is not None):
            return terms.membership_decided_on
        return None if period is None else period.ends_on - timedelta(days=1)
