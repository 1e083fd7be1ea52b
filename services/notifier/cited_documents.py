"""The plan and registry versions that assessments cite, and the sending hours of a plan."""

from datetime import time
from zoneinfo import ZoneInfo

from schemas.plan.plan import Plan
from schemas.plan.registry import Registry, WorkingDays
from services.notifier.core.scheduling.schedule import SendingHours
from services.notifier.errors import DocumentsMissingError
from services.runtime.kafka.published_documents import PLAN, REGISTRY, PublishedDocuments


class CitedDocuments:
    """Looks up documents among those that this process has read from the references topic."""

    def __init__(self, references: PublishedDocuments, *, opens: time, closes: time) -> None:
        self._references = references
        self._opens = opens
        self._closes = closes
        self._usual_days = WorkingDays()
        self._working_days: dict[str, tuple[int, WorkingDays]] = {}

    def plan(self, plan_id: str, version: int) -> Plan:
        """Return that version; raise `DocumentsMissingError` if it has not been read."""
        found = self._references.version(PLAN, plan_id, version)
        if not isinstance(found, Plan):
            raise DocumentsMissingError(f"plan {plan_id}@{version}")
        return found

    def find_latest_plan(self, plan_id: str) -> Plan | None:
        """Return the latest version of a plan that has been read, or None."""
        return self._references.plan(plan_id)

    def registry(self, registry_id: str, version: int) -> Registry:
        """Return that version; raise `DocumentsMissingError` if it has not been read."""
        found = self._references.version(REGISTRY, registry_id, version)
        if not isinstance(found, Registry):
            raise DocumentsMissingError(f"registry {registry_id}@{version}")
        return found

    def hours(self, plan_id: str, version: int) -> SendingHours:
        """Return the sending hours in the plan's time zone, on the working days of its newest registry.

        Swapped days are decided late, so the newest registry knows them best, whichever one an assessment cites.
        """
        plan = self.plan(plan_id, version)
        days = self._working_days_of(self._references.registry(plan.registry))
        return SendingHours(opens=self._opens, closes=self._closes, zone=ZoneInfo(plan.zone), days=days)

    def _working_days_of(self, registry: Registry | None) -> WorkingDays:
        """Return the working days of *registry*, once computed for each version; the usual ones where there is none."""
        if registry is None:
            return self._usual_days
        version, days = self._working_days.get(registry.registry, (None, self._usual_days))
        if version != registry.version:
            days = WorkingDays(registry)
            self._working_days[registry.registry] = registry.version, days
        return days

    async def catch_up(self) -> None:
        """Return when everything that was published by now has been read."""
        await self._references.catch_up()
