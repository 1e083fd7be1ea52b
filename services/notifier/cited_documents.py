"""The published documents as the notifier asks for them: by the version that an assessment cites."""

from datetime import time
from zoneinfo import ZoneInfo

from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.notifier.core.scheduling.quiet_hours import SendingHours
from services.notifier.errors import DocumentsMissingError
from services.runtime.published_documents import PLAN, REGISTRY, PublishedDocuments


class PublishedLibrary:
    """Looks documents up in the references that this process follows."""

    def __init__(self, references: PublishedDocuments, *, opens: time, closes: time) -> None:
        self._references = references
        self._opens = opens
        self._closes = closes

    def plan(self, plan_id: str, version: int) -> Plan:
        """Return that version; raise `DocumentsMissingError` where it has not come."""
        found = self._references.version(PLAN, plan_id, version)
        if not isinstance(found, Plan):
            raise DocumentsMissingError(f"plan {plan_id}@{version}")
        return found

    def registry(self, registry_id: str, version: int) -> Registry:
        """Return that version; raise `DocumentsMissingError` where it has not come."""
        found = self._references.version(REGISTRY, registry_id, version)
        if not isinstance(found, Registry):
            raise DocumentsMissingError(f"registry {registry_id}@{version}")
        return found

    def hours(self, plan_id: str, version: int) -> SendingHours:
        """Return the sending hours in the plan's zone."""
        zone = ZoneInfo(self.plan(plan_id, version).zone)
        return SendingHours(opens=self._opens, closes=self._closes, zone=zone)

    async def catch_up(self) -> None:
        """Return when everything that was published by now is known."""
        await self._references.catch_up()
