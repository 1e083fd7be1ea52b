"""The sealed versions in the database of reporting: a projection of `dondoc.reports.v1` and of nothing else.

A version is stored as the record by which it counts as sealed, its documents in parts as they were published. All of
it is inserted once and never changed, like the rest of the database.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from schemas.events import reports
from schemas.events.reports import ReportFormat, ReportSealed, SealedDocumentPart
from services.reporting.consumer import TopicReader
from services.reporting.core.sealing import canonical_json, check_code
from services.reporting.sealing import report_decoder
from services.reporting.sealing.report_decoder import RecordedEvaluation, RecordedReportEvent, RecordedSeal
from services.reporting.store import (
    AFTER_ANY,
    EVALUATIONS,
    SEALED_DOCUMENTS,
    SEALED_REPORTS,
    ReportingStore,
    StateIncompleteError,
)

NoteSeal = Callable[[datetime], None]

VERSION_DIGITS = 10  # so that keys sort as versions do
PART_DIGITS = 6


class DamagedSealError(Exception):
    """What is stored of a sealed version is not what was sealed: rebuild the database from the log, which has it."""


class SealedReportStore:
    """Inserts what the topic holds, and finds versions and their documents; raises what `ReportingStore` raises."""

    def __init__(self, store: ReportingStore) -> None:
        self._store = store

    async def insert(self, events: Sequence[RecordedReportEvent]) -> frozenset[int]:
        """Insert *events*, each under its own key; return the positions of conflicting ones."""
        described = [(position, *_describe(event)) for position, event in enumerate(events)]
        conflicts: set[int] = set()
        # Parts go first: a version that can be found has its documents.
        for collection in (SEALED_DOCUMENTS, EVALUATIONS, SEALED_REPORTS):
            chosen = [(position, document) for position, place, document in described if place == collection]
            taken = await self._store.insert_missing(collection, [document for _, document in chosen])
            conflicts |= {chosen[index][0] for index in taken}
        return frozenset(conflicts)

    async def find_versions(self, plan: str, period: str) -> list[ReportSealed]:
        """Return all versions of a report in order."""
        return await self._find({"plan": plan, "period": period})

    async def find_latest(self, plan: str, period: str) -> ReportSealed | None:
        """Return the newest version of a report; None where none was sealed."""
        versions = await self.find_versions(plan, period)
        return versions[-1] if versions else None

    async def find_version(self, plan: str, period: str, version: int) -> ReportSealed | None:
        """Return one version, or None."""
        return next(iter(await self._find({"plan": plan, "period": period, "version": version})), None)

    async def find_by_check_code(self, code: str) -> ReportSealed | None:
        """Return the version that prints *code*, or None."""
        return next(iter(await self._find({"check_code": code})), None)

    async def find_evaluations(self, plan: str, period: str, known_at: datetime) -> list[RecordedEvaluation]:
        """Return what officers recorded about a period by *known_at*, in the order of the log."""
        condition = {"plan": plan, "period": period, "recorded_at": {"$lte": known_at}}
        found = await self._store.find_matching(EVALUATIONS, condition, order_by="recorded_at")
        return [
            RecordedEvaluation(
                event=document["_id"],
                evaluation=report_decoder.decode_evaluation(document["record"]),
                recorded_at=document["recorded_at"],
                record=document["record"],
            )
            for document in found
        ]

    async def read_document(self, sealed: ReportSealed, form: ReportFormat) -> bytes | None:
        """Return a document byte for byte as it was sealed; None if the version has none in that form.

        Raise `DamagedSealError` if what is stored has another digest; the check code covers that of the figures.
        """
        entry = next((one for one in sealed.documents if one.format is form), None)
        if entry is None:
            return None
        prefix = _key(sealed.plan, sealed.period, sealed.version, form.value, "")
        found = await self._store.find_matching(SEALED_DOCUMENTS, {"_id": {"$gte": prefix, "$lt": prefix + AFTER_ANY}})
        content = b"".join(part["content"] for part in found)
        digest = canonical_json.digest_bytes(content)
        if digest != entry.sha256 or (form is ReportFormat.FIGURES and digest != sealed.figures_sha256):
            raise DamagedSealError(f"{prefix}: the digest is not the sealed one")
        return content

    async def _find(self, condition: Mapping[str, Any]) -> list[ReportSealed]:
        found = await self._store.find_matching(SEALED_REPORTS, condition, order_by="version")
        return [_read_seal(document) for document in found]


def report_reader(store: SealedReportStore, note_seal: NoteSeal) -> TopicReader[RecordedReportEvent]:
    """Return the reader of the topic of reports; *note_seal* gets the instant of every seal that is stored."""

    async def insert(events: Sequence[RecordedReportEvent]) -> Collection[int]:
        conflicts = await store.insert(events)
        for position, event in enumerate(events):
            if isinstance(event, RecordedSeal) and position not in conflicts:
                note_seal(event.sealed.sealed_at)
        return conflicts

    return TopicReader(label="reports", decode=report_decoder.decode_report_event, insert=insert)


async def note_last_seal(store: ReportingStore, note_seal: NoteSeal) -> None:
    """Give *note_seal* the seals of earlier runs; what a database lacks is noted when it is read from the log."""
    with suppress(StateIncompleteError):
        for document in await store.find_matching(SEALED_REPORTS, {}):
            note_seal(report_decoder.decode_seal(document["record"]).sealed_at)


def _read_seal(document: Mapping[str, Any]) -> ReportSealed:
    """Return the seal in *document*; raise `DamagedSealError` if its check code is not that of its own head."""
    sealed = report_decoder.decode_seal(document["record"])
    if sealed.check_code != check_code.compute_check_code(sealed):
        raise DamagedSealError(f"{document['_id']}: the check code is not that of the seal")
    return sealed


def _describe(event: RecordedReportEvent) -> tuple[str, dict[str, Any]]:
    """Return the collection of *event* and its document there."""
    match event:
        case RecordedSeal(sealed=sealed, record=record):
            return SEALED_REPORTS, {
                "_id": _key(sealed.plan, sealed.period, sealed.version),
                "plan": sealed.plan,
                "period": sealed.period,
                "version": sealed.version,
                "check_code": sealed.check_code,
                "record": record,
            }
        case SealedDocumentPart():
            key = _key(event.plan, event.period, event.version, event.format.value, f"{event.part:0{PART_DIGITS}d}")
            return SEALED_DOCUMENTS, {"_id": key, "content": event.content}
        case RecordedEvaluation(evaluation=evaluation):
            return EVALUATIONS, {
                "_id": event.event,
                "plan": evaluation.plan,
                "period": evaluation.period,
                "agency": evaluation.agency,
                "recorded_at": event.recorded_at,
                "record": event.record,
            }


def _key(plan: str, period: str, version: int, *parts: str) -> str:
    return "|".join((reports.report_key(plan, period), f"{version:0{VERSION_DIGITS}d}", *parts))
