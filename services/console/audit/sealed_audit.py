"""Audits one sealed version: reads it from the log, rebuilds its figures from the log alone, and compares them.

Nothing is asked of reporting. The facts and alerts go up to the offsets that the seal names, as known when it was made,
through the processor of rules and the core of reporting; every figure must come out as it was sealed. The seal itself
is checked too: its check code, and the digest of every document.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from schemas.events.reports import ReportFormat, ReportSealed, SealedDocumentPart
from schemas.events.topics import REPORTS
from schemas.plan import periods
from schemas.plan.periods import Period
from services.console.audit import auditor
from services.console.audit.auditor import AuditProgress, AuditSources, AuditTarget
from services.console.audit.period_rebuilder import LogBounds, PeriodRebuilder, Periods
from services.console.audit.rebuild import RebuiltArchive
from services.console.support import topic_reader
from services.console.support.inputs import UnusableInputError
from services.console.support.json_diff import ABSENT
from services.reporting.cited_documents import NotFoundError
from services.reporting.content.report_compiler import ReportCompiler
from services.reporting.content.results_queries import ResultsQueries
from services.reporting.core.access.readers import EVERYTHING
from services.reporting.core.report import figures
from services.reporting.core.sealing import canonical_json, check_code
from services.reporting.queries import QueryContext, ReportingQueries
from services.reporting.sealing import report_decoder
from services.reporting.sealing.report_decoder import RecordedEvaluation, RecordedReportEvent, RecordedSeal
from services.reporting.store import NotAssessedError
from services.runtime.decoding import RecordDecoder, UnreadableRecordError
from services.runtime.kafka.dead_letters import ConsumedRecord

# Grades look at the last periods of an agency, and results at the year before.
YEARS_REBUILT = 4

FIGURES_MEMBER = "figures"
_FIGURES: RecordDecoder[dict[str, Any]] = RecordDecoder(dict[str, Any])
Difference = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedVersion:
    """A sealed version as the log has it, with its documents, and the evaluations of all reports in the log."""

    sealed: ReportSealed
    documents: Mapping[ReportFormat, bytes]
    evaluations: tuple[RecordedEvaluation, ...] = ()

    async def find_evaluations(self, plan: str, period: str, known_at: datetime) -> Sequence[RecordedEvaluation]:
        """Return what officers recorded about a period by *known_at*, in the order of the log."""
        return [
            one
            for one in self.evaluations
            if (one.evaluation.plan, one.evaluation.period) == (plan, period) and one.recorded_at <= known_at
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedAuditResult:
    """What the audit of one sealed version has found."""

    sealed: ReportSealed
    figures: int
    differences: int


async def audit_sealed(
    sources: AuditSources,
    target: AuditTarget,
    version: int,
    *,
    progress: AuditProgress,
    on_difference: Callable[[Difference], None],
) -> SealedAuditResult:
    """Compare the *version* of *target* with what the log gives, and give every difference to *on_difference*.

    Raise `UnusableInputError` where nothing can be said: there is no such version, or the log has lost records.
    """
    found = await _read_version(sources, target, version)
    rebuilt = await _rebuild_figures(sources, found, progress)
    sealed_figures = _decode_figures(found.documents.get(ReportFormat.FIGURES, b"{}"))
    count = 0
    for difference in (*check_seal(found), *compare_figures(sealed_figures, rebuilt)):
        on_difference(difference)
        count += 1
    return SealedAuditResult(
        sealed=found.sealed, figures=len(sealed_figures.get(FIGURES_MEMBER, {})), differences=count
    )


def check_seal(found: SealedVersion) -> Iterator[Difference]:
    """Yield each digest of a sealed version, and its check code, that is not what its own content gives."""
    sealed = found.sealed
    content = found.documents.get(ReportFormat.FIGURES, b"")
    for field, stated, computed in (
        ("/check_code", sealed.check_code, check_code.compute_check_code(sealed)),
        ("/figures_sha256", sealed.figures_sha256, canonical_json.digest_bytes(content)),
    ):
        if stated != computed:
            yield {"figure": field, "sealed": stated, "rebuilt": computed}
    for entry in sealed.documents:
        digest = canonical_json.digest_bytes(found.documents.get(entry.format, b""))
        if digest != entry.sha256:
            yield {"figure": f"/documents/{entry.format.value}", "sealed": entry.sha256, "rebuilt": digest}


def compare_figures(sealed: Mapping[str, Any], rebuilt: Mapping[str, Any]) -> Iterator[Difference]:
    """Yield each figure in which the two differ, in any of its members, and each member of the question that does."""
    for name in sorted({*sealed, *rebuilt} - {FIGURES_MEMBER}):
        yield from _compare(f"/{name}", sealed.get(name, ABSENT), rebuilt.get(name, ABSENT))
    ours, theirs = rebuilt.get(FIGURES_MEMBER, {}), sealed.get(FIGURES_MEMBER, {})
    for name in sorted({*ours, *theirs}):
        yield from _compare(name, theirs.get(name, ABSENT), ours.get(name, ABSENT))


def select_version(events: Iterable[RecordedReportEvent], target: AuditTarget, version: int) -> SealedVersion | None:
    """Return the version of that number with its documents, None where there is none.

    Of several records of one number the first counts: reporting stores it and sets any later one aside.
    """
    place = (target.plan, target.period, version)
    seals: list[ReportSealed] = []
    parts: dict[ReportFormat, dict[int, bytes]] = {}
    for event in events:
        if isinstance(event, RecordedSeal):
            sealed = event.sealed
            seals += [sealed] if (sealed.plan, sealed.period, sealed.version) == place else []
        elif isinstance(event, SealedDocumentPart) and (event.plan, event.period, event.version) == place:
            parts.setdefault(event.format, {}).setdefault(event.part, event.content)
    if not seals:
        return None
    documents = {form: b"".join(of_form[number] for number in sorted(of_form)) for form, of_form in parts.items()}
    return SealedVersion(sealed=seals[0], documents=documents)


def _compare(name: str, sealed: object, rebuilt: object) -> Iterator[Difference]:
    if sealed != rebuilt:
        yield {"figure": name, "sealed": sealed, "rebuilt": rebuilt}


async def _read_version(sources: AuditSources, target: AuditTarget, version: int) -> SealedVersion:
    records = await topic_reader.read_topic(sources.kafka, REPORTS.name)
    decoded: list[tuple[ConsumedRecord, RecordedReportEvent]] = []
    for record in (one for of_partition in records.values() for one in of_partition):
        with suppress(UnreadableRecordError):
            decoded.append((record, report_decoder.decode_report_event(record)))
    found = select_version((event for _, event in decoded), target, version)
    if found is None:
        raise UnusableInputError(f"no version {version} of the report of {target.plan} for {target.period} is sealed")
    return replace(found, evaluations=tuple(select_evaluations(decoded, _by_partition(found.sealed.offsets.reports))))


def select_evaluations(
    decoded: Iterable[tuple[ConsumedRecord, RecordedReportEvent]], below: Mapping[int, int]
) -> Iterator[RecordedEvaluation]:
    """Yield the evaluations that lie before the offset that *below* has for their partition."""
    for record, event in decoded:
        if isinstance(event, RecordedEvaluation) and record.offset < below.get(record.partition, 0):
            yield event


async def _rebuild_figures(sources: AuditSources, version: SealedVersion, progress: AuditProgress) -> dict[str, Any]:
    sealed = version.sealed
    partitions = await sources.indexer.read(progress.on_records_read)
    rebuilder = PeriodRebuilder(
        sources.index,
        sources.references,
        plan=sealed.plan,
        periods=list_rebuilt_periods(sealed.period),
        partitions=partitions,
    )
    bounds = LogBounds(known_at=sealed.known_at, facts_below=_by_partition(sealed.offsets.facts))
    agencies = rebuilder.list_agencies()
    progress.on_agencies_planned(len(agencies))
    newest = {}
    for chunk in rebuilder.split(agencies):
        newest.update((await rebuilder.assess(chunk, bounds)).newest)
        for _agency in chunk.agencies:
            progress.on_agency_compared()
    archive = RebuiltArchive(newest, sources.index, attempts_below=_by_partition(sealed.offsets.deliveries))
    queries = ReportingQueries(archive, sources.references)
    context = QueryContext(as_of=sealed.at, known_at=sealed.known_at, scope=EVERYTHING, language="vi")
    try:
        compiler = ReportCompiler(queries, archive, version, results=ResultsQueries(queries, archive))
        inputs = await compiler.compile_inputs(sealed.plan, sealed.period, context)
    except (NotFoundError, NotAssessedError) as cause:
        raise UnusableInputError(f"the report cannot be compiled from the log: {cause}") from cause
    # Through the same bytes as what was sealed, so that both sides have the same types.
    return _decode_figures(canonical_json.encode(figures.build_figures_document(inputs)))


def _decode_figures(encoded: bytes) -> dict[str, Any]:
    try:
        return _FIGURES.decode(encoded)
    except UnreadableRecordError as cause:
        raise UnusableInputError(f"the sealed figures cannot be read: {cause}") from cause


def list_rebuilt_periods(text: str) -> Periods:
    """Return the periods that the figures of a report on one period can rest on."""
    found: dict[str | None, None] = {}
    period: Period | None = periods.parse(text)
    for _year in range(YEARS_REBUILT):
        if period is not None:
            found |= dict.fromkeys(auditor.list_periods(period.text))
            period = periods.year_before(period)
    return tuple(found)


def _by_partition(offsets: Mapping[str, int]) -> dict[int, int]:
    return {int(number): offset for number, offset in offsets.items()}
