"""Runs an audit: opens its two sides, audits each period that is asked for, and closes them again."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar
from zoneinfo import ZoneInfo

from schemas.events.topics import DELIVERIES, FACTS
from services.console.audit import sealed_audit
from services.console.audit.auditor import Auditor, AuditProgress, AuditResult, AuditSources, AuditTarget
from services.console.audit.comparison import Difference
from services.console.audit.live_duties import LiveDuties
from services.console.audit.log_index import DamagedIndexError, LogIndex
from services.console.audit.log_indexer import LogIndexer
from services.console.audit.projection_lag import ConsumerGroups
from services.console.audit.sealed_audit import SealedAuditResult
from services.console.audit.settings import AuditSettings
from services.console.support import topic_reader
from services.console.support.inputs import UnusableInputError
from services.reporting.settings import ReportingSettings
from services.rules.settings import RulesSettings
from services.runtime.clock import clock_from
from services.runtime.kafka.published_documents import PublishedDocuments
from services.runtime.observability import version as code_version

Result = TypeVar("Result")

# Called with every difference and the period in which it was found.
OnDifference = Callable[[AuditTarget, Difference], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRequest:
    """What is audited; without a target every published plan in this year and the last, without an instant now."""

    url: str
    target: AuditTarget | None = None
    as_of: datetime | None = None


class AuditRun:
    """Audits as often as it is asked to; between two runs it keeps the index of the log."""

    def __init__(self, settings: AuditSettings, request: AuditRequest) -> None:
        self._settings = settings
        self._request = request
        self._clock = clock_from(settings.clock)
        self._groups = ConsumerGroups(rules=RulesSettings().group, reporting=ReportingSettings().group)
        self._index = LogIndex(settings.state, code_version.describe_version())

    def close(self) -> None:
        """Close the index."""
        self._index.close()

    async def audit(self, progress: AuditProgress, on_difference: OnDifference) -> list[AuditResult]:
        """Audit every period that is asked for; raise `UnusableInputError` where nothing can be said of one."""
        return await self._translate_failures(self._audit_targets(progress, on_difference))

    async def audit_sealed(
        self, target: AuditTarget, version: int, progress: AuditProgress, on_difference: Callable[[Difference], None]
    ) -> SealedAuditResult:
        """Audit one sealed version; raise `UnusableInputError` where nothing can be said of it."""

        async def run() -> SealedAuditResult:
            async with self._open_sources() as sources:
                return await sealed_audit.audit_sealed(
                    sources, target, version, progress=progress, on_difference=on_difference
                )

        return await self._translate_failures(run())

    async def _translate_failures(self, work: Awaitable[Result]) -> Result:
        try:
            return await topic_reader.translate_broker_errors(work, self._settings.kafka)
        except DamagedIndexError as cause:
            self._index.start_anew()
            what = f"the index of the log was damaged and is thrown away ({cause})"
            raise UnusableInputError(f"{what}; audit again, which reads the log from its beginning") from cause

    async def _audit_targets(self, progress: AuditProgress, on_difference: OnDifference) -> list[AuditResult]:
        # Milliseconds, because MongoDB counts in them: both sides then see the same records.
        now = self._request.as_of or self._clock.now()
        as_of = now.replace(microsecond=now.microsecond // 1000 * 1000)
        async with self._open_sources() as sources:
            auditor = Auditor(sources, progress)
            return [
                await auditor.audit(target, as_of, partial(on_difference, target))
                for target in self._list_targets(sources.references, as_of)
            ]

    def _list_targets(self, references: PublishedDocuments, as_of: datetime) -> Sequence[AuditTarget]:
        if self._request.target is not None:
            return [self._request.target]
        years = [(plan.plan, as_of.astimezone(ZoneInfo(plan.zone)).year) for plan in references.plans()]
        if not years:
            raise UnusableInputError("no plan is published; run `dondoc publish DIR`")
        return [AuditTarget(plan=plan, period=str(year)) for plan, this in years for year in (this - 1, this)]

    @asynccontextmanager
    async def _open_sources(self) -> AsyncIterator[AuditSources]:
        kafka, groups = self._settings.kafka, self._groups
        by_topic = {FACTS.name: groups.rules, FACTS.dead_letter: groups.rules, DELIVERIES.name: groups.reporting}
        references = PublishedDocuments(kafka)
        try:
            await references.start()
            async with LiveDuties(self._request.url) as live:
                yield AuditSources(
                    kafka=kafka,
                    groups=groups,
                    references=references,
                    index=self._index,
                    indexer=LogIndexer(kafka, self._index, by_topic),
                    live=live,
                )
        finally:
            await references.stop()
