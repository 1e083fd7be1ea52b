"""Seal the report of a plan and period: compile it, digest every figure, render the documents, append the version."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from aiokafka import TopicPartition

from schemas.events.reports import ReportFormat, ReportSealed, SealedDocument, SealHead
from services.reporting.core.report import figures
from services.reporting.core.report.inputs import ReportInputs, ReportSeal
from services.reporting.core.sealing import canonical_json, check_code, versions
from services.reporting.core.sealing.versions import SealOutcome, SealRequest, VersionConflictError
from services.reporting.documents.formats import RenderedDocument
from services.reporting.metrics import ReportingMetrics
from services.reporting.queries import QueryContext
from services.reporting.sealing import draft_compiler, log_position, report_events, seal_writer
from services.reporting.sealing.draft_compiler import ReportSource
from services.reporting.sealing.log_position import Ends, LogReaders
from services.reporting.sealing.report_events import ReportRecord
from services.reporting.sealing.seal_writer import SealContestedError, SealWriter
from services.reporting.sealing.store import SealedReportStore
from services.runtime.clock import Clock
from services.runtime.kafka import group_progress
from services.runtime.kafka.group_progress import GroupBehindError

FIGURES_MEDIA_TYPE = "application/json"
VERIFICATION_PATH = "/verify/"
REPORT_LANGUAGE = "vi"

# A record that counts although it came after the offsets were taken is rare, and so is a second replica that seals.
ATTEMPTS = 5


class LogUnsettledError(Exception):
    """Records that count went on arriving while the report was compiled: seal again, or as of an earlier instant."""


RenderDocuments = Callable[[ReportInputs], list[RenderedDocument]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SealingMaterials:
    """What a seal is made with: the source of the report, how it is drawn, and where its QR code leads to."""

    source: ReportSource
    render: RenderDocuments
    public_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _CompiledReport:
    inputs: ReportInputs
    ends: Ends


class Sealer:
    """Seals one report at a time; two replicas that seal the same report are told apart by the log."""

    def __init__(
        self,
        readers: LogReaders,
        store: SealedReportStore,
        materials: SealingMaterials,
        *,
        clock: Clock,
        metrics: ReportingMetrics,
    ) -> None:
        self._readers = readers
        self._store = store
        self._materials = materials
        self._clock = clock
        self._metrics = metrics
        self._lock = asyncio.Lock()

    async def seal(self, request: SealRequest, context: QueryContext) -> ReportSealed:
        """Return the version that *request* makes, or has made before; it can be read when this returns.

        Raise `VersionConflictError`, `LogUnsettledError`, `SealContestedError`, `GroupBehindError`, and what queries
        and the broker raise. Whatever is raised, the version is either sealed whole or not at all.
        """
        outcome = SealOutcome.FAILED
        try:
            sealed, outcome = await self._seal_in_turn(request, context)
        except VersionConflictError:
            outcome = SealOutcome.REFUSED
            raise
        except (LogUnsettledError, SealContestedError, GroupBehindError):
            outcome = SealOutcome.UNSETTLED
            raise
        finally:
            self._metrics.seals.labels(outcome.value).inc()
        return sealed

    async def _seal_in_turn(self, request: SealRequest, context: QueryContext) -> tuple[ReportSealed, SealOutcome]:
        # Within this process one after the other; of several processes the one that came last may write.
        async with self._lock:
            for attempt in range(ATTEMPTS):
                try:
                    return await self._seal_once(request, normalize(context))
                except SealContestedError:
                    if attempt == ATTEMPTS - 1:
                        raise
            raise LogUnsettledError

    async def _seal_once(self, request: SealRequest, context: QueryContext) -> tuple[ReportSealed, SealOutcome]:
        latest = await self._store.find_latest(request.plan, request.period)
        version = versions.choose_version(request, latest)
        if latest is not None and version is None:
            return latest, SealOutcome.REPEATED
        compiled = await self._compile(request, context)
        inputs = await draft_compiler.add_changes(compiled.inputs, latest, self._store)
        compiled = replace(compiled, inputs=inputs)
        sealed, documents = await asyncio.to_thread(self._render, request, compiled, version or versions.FIRST_VERSION)
        await self._append(sealed, documents)
        return sealed, SealOutcome.SEALED

    async def _append(self, sealed: ReportSealed, documents: list[RenderedDocument]) -> None:
        """Append the version if its number is still the next; raise `SealContestedError` if it is not."""
        readers = self._readers
        place = seal_writer.place_of(sealed.plan, sealed.period, readers.partitions)
        async with SealWriter(readers.kafka, readers.reporting_group, place, clock=self._clock) as writer:
            # Whatever others have appended lies before the end that the partition has now, and whoever opens a writer
            # from now on makes this one fail when it appends.
            await self._wait_until_stored(place)
            latest = await self._store.find_latest(sealed.plan, sealed.period)
            if sealed.version != (versions.FIRST_VERSION if latest is None else latest.version + 1):
                raise SealContestedError(f"version {sealed.version} was sealed meanwhile")
            await writer.append(_build_records(sealed, documents))
        await self._wait_until_stored(place)

    async def _compile(self, request: SealRequest, context: QueryContext) -> _CompiledReport:
        for _attempt in range(ATTEMPTS):
            ends = await log_position.reach_end(self._readers)
            inputs = await self._materials.source.compile_inputs(request.plan, request.period, context)
            if not await log_position.has_late_record(self._readers, ends, context.known_at):
                return _CompiledReport(inputs=inputs, ends=ends)
        raise LogUnsettledError

    def _build_head(self, request: SealRequest, compiled: _CompiledReport, version: int) -> tuple[SealHead, bytes]:
        """Return the head of the seal, and the canonical JSON of all figures, whose digest it holds."""
        report, registry = compiled.inputs.report, compiled.inputs.registry.registry
        content = canonical_json.encode(figures.build_figures_document(compiled.inputs))
        head = SealHead(
            plan=request.plan,
            period=request.period,
            version=version,
            signer=request.signer,
            sealed_at=_floor_milliseconds(self._clock.now()),
            at=report.as_of,
            known_at=report.known_at,
            offsets=log_position.list_offsets(compiled.ends),
            plan_version=report.plan.version,
            registry=registry.registry,
            registry_version=registry.version,
            figures_sha256=canonical_json.digest_bytes(content),
        )
        return head, content

    def _render(
        self, request: SealRequest, compiled: _CompiledReport, version: int
    ) -> tuple[ReportSealed, list[RenderedDocument]]:
        """Return the seal and its documents. It takes seconds of a large report, so no event loop waits for it."""
        head, content = self._build_head(request, compiled, version)
        code = check_code.compute_check_code(head)
        address = f"{self._materials.public_url}{VERIFICATION_PATH}{code}"
        seal = ReportSeal(version=head.version, check_code=code, verification_address=address)
        figures_document = RenderedDocument(form=ReportFormat.FIGURES, media_type=FIGURES_MEDIA_TYPE, content=content)
        documents = [figures_document, *self._materials.render(replace(compiled.inputs, seal=seal))]
        members = {name: getattr(head, name) for name in SealHead.model_fields}
        entries = tuple(_describe_document(one) for one in documents)
        return ReportSealed(**members, documents=entries, check_code=code), documents

    async def _wait_until_stored(self, place: TopicPartition) -> None:
        ends: Mapping[TopicPartition, int] = await group_progress.find_ends(self._readers.kafka, [place])
        await group_progress.wait_until_read(
            self._readers.kafka,
            self._readers.reporting_group,
            ends,
            seconds=log_position.CATCH_UP_SECONDS,
            retry_seconds=log_position.RETRY_SECONDS,
        )


def _describe_document(document: RenderedDocument) -> SealedDocument:
    return SealedDocument(
        format=document.form,
        media_type=document.media_type.partition(";")[0],
        size=len(document.content),
        sha256=canonical_json.digest_bytes(document.content),
    )


def _build_records(sealed: ReportSealed, documents: list[RenderedDocument]) -> Iterator[ReportRecord]:
    """Yield the parts of every document, and last the record by which the version counts."""
    for one in documents:
        yield from report_events.build_parts(sealed, one.form, one.content)
    yield report_events.build_seal(sealed)


def normalize(context: QueryContext) -> QueryContext:
    """Return *context* in UTC, in the milliseconds in which log and database count, and in the report's own language.

    The same instants then give the same figures, whoever asks: reasons of grades are figures too.
    """
    as_of, known_at = _floor_milliseconds(context.as_of), _floor_milliseconds(context.known_at)
    return replace(context, as_of=as_of, known_at=known_at, language=REPORT_LANGUAGE)


def _floor_milliseconds(instant: datetime) -> datetime:
    utc = instant.astimezone(UTC)
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)
