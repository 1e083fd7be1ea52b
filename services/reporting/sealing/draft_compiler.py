"""Compile the draft of the next version of a report, with what changed since the newest sealed version."""

import asyncio
from dataclasses import replace
from typing import Any, Protocol

import msgspec

from schemas.events.reports import ReportFormat, ReportSealed
from services.reporting.core.report import figures
from services.reporting.core.report.inputs import ReportInputs, SealedVersionChanges
from services.reporting.core.sealing import figure_changes
from services.reporting.queries import QueryContext


class ReportSource(Protocol):
    """Compiles everything that the report of a plan and period follows from."""

    async def compile_inputs(self, plan_id: str, period_text: str, context: QueryContext) -> ReportInputs: ...


class VersionSource(Protocol):
    """Finds the sealed versions of a report and their documents."""

    async def find_versions(self, plan: str, period: str) -> list[ReportSealed]: ...
    async def read_document(self, sealed: ReportSealed, form: ReportFormat) -> bytes | None: ...


class DraftCompiler:
    """Adds to what a report follows from the changes since the newest version that was sealed by then."""

    def __init__(self, source: ReportSource, versions: VersionSource) -> None:
        self._source = source
        self._versions = versions

    async def compile_inputs(self, plan_id: str, period_text: str, context: QueryContext) -> ReportInputs:
        """Compile the inputs as known at an instant; a version that was sealed after it is not known."""
        inputs = await self._source.compile_inputs(plan_id, period_text, context)
        versions = await self._versions.find_versions(plan_id, inputs.report.period)
        known = [one for one in versions if one.sealed_at <= context.known_at]
        return await add_changes(inputs, known[-1] if known else None, self._versions)


async def add_changes(inputs: ReportInputs, latest: ReportSealed | None, versions: VersionSource) -> ReportInputs:
    """Return *inputs* with every figure that differs from the *latest* version; unchanged where there is none."""
    if latest is None:
        return inputs
    sealed: dict[str, Any] = msgspec.json.decode(await versions.read_document(latest, ReportFormat.FIGURES) or b"{}")
    return await asyncio.to_thread(_compare, inputs, latest, sealed)


def _compare(inputs: ReportInputs, latest: ReportSealed, sealed: dict[str, Any]) -> ReportInputs:
    changes = figure_changes.find_changes(sealed, figures.build_figures_document(inputs))
    since = SealedVersionChanges(version=latest.version, sealed_at=latest.sealed_at, changes=tuple(changes))
    return replace(inputs, changes=since)
