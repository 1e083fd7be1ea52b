"""The published plans and registries: read whole from `dondoc.references.v1` at start and followed from then on.

It does not check them: they were checked before they were published. An unreadable record is logged and skipped. A
document in parts is read when all of them are there; until then an earlier writing of it stays in use.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Mapping
from functools import partial

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from prometheus_client import CollectorRegistry, Gauge

from schemas.events.ids import reference_key
from schemas.events.topics import REFERENCES
from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.runtime import decoding
from services.runtime.decoding import UnreadableRecordError
from services.runtime.http.probes import NotReadyError
from services.runtime.kafka import clients, document_parts
from services.runtime.kafka.document_parts import DocumentParts, PartKey
from services.runtime.kafka.log_tail import LogTail
from services.runtime.settings import KafkaConfig

PLAN = "plan"
REGISTRY = "registry"
_MODELS: dict[str, type[Plan | Registry]] = {PLAN: Plan, REGISTRY: Registry}
_KEY = re.compile(rb"(plan|registry):([A-Za-z0-9][A-Za-z0-9._-]{0,99})@([0-9]{1,18})")
_PARTITION = TopicPartition(REFERENCES.name, 0)
_POLL_MS = 500
_LARGE_BYTES = 100_000

# By kind and id, then by version.
_Documents = dict[tuple[str, str], dict[int, Plan | Registry]]

log = logging.getLogger(__name__)


class PublishedDocuments:
    """Every published document by kind, id and version. Calls every callback in `on_change` when documents arrive.

    `unreadable` holds the reason for each key whose last record cannot be read; an earlier version of it stays in use.
    """

    def __init__(self, config: KafkaConfig) -> None:
        self.on_change: list[Callable[[], None]] = []
        self.unreadable: dict[str, str] = {}
        self._documents: _Documents = {}
        self._restored: _Documents = {}
        self._parts = DocumentParts()
        self._tail = LogTail(config, [_PARTITION])
        self._next_offset = 0
        self._has_caught_up = False

    def restore(self, records: Mapping[str, bytes]) -> None:
        """Find the documents in *records*, as `encode_documents` returned them, until the log itself has been read.

        They do not count for `is_complete`. One that cannot be read is left out.
        """
        for key, value in records.items():
            try:
                kind, document_id, version = _parse_key(key.encode())
                document = _decode_document(kind, document_id, version, value)
            except UnreadableRecordError as cause:
                details = {"key": key, "reason": str(cause)}
                log.warning("a stored document cannot be read", extra={"action": "document_unreadable", **details})
            else:
                self._restored.setdefault((kind, document_id), {})[version] = document

    def encode_documents(self) -> Mapping[str, bytes]:
        """Return every document that the log holds, under its key there."""
        return {
            reference_key(kind, document_id, version): document_parts.encode_document(document)
            for (kind, document_id), versions in self._documents.items()
            for version, document in versions.items()
        }

    async def start(self) -> None:
        """Read everything that is published by now, then follow in the background; raise `KafkaError` if that fails."""
        await self._tail.start(self._read, action="references_waiting")
        try:
            await self.catch_up()
        except BaseException:
            await self._tail.stop()
            raise
        self._has_caught_up = True

    async def stop(self) -> None:
        """Stop following; what was read stays."""
        await self._tail.stop()

    async def catch_up(self) -> None:
        """Return when everything that was published before this call has been read.

        Call it before treating a plan or a version as unknown: it may have been published a moment ago.
        """
        end = (await self._tail.end_offsets())[_PARTITION]
        await self._tail.wait_until(lambda: self._next_offset >= end)

    async def wait_until_complete(self) -> None:
        """Return when there is a plan, with its registry, to work by."""
        await self._tail.wait_until(lambda: self.is_complete)

    @property
    def is_known(self) -> bool:
        """Whether a document that is not found is not published, instead of not read yet."""
        return self._has_caught_up or bool(self._restored)

    def export_metrics(self, registry: CollectorRegistry) -> None:
        """Add the number of documents that cannot be read to the metrics of the process."""
        unreadable = Gauge(
            "runtime_references_unreadable", "Published documents that cannot be read", registry=registry
        )
        unreadable.set_function(lambda: len(self.unreadable))

    @property
    def is_complete(self) -> bool:
        """Whether the log holds at least one plan, and for every plan the registry that it names."""
        plans = _latest_plans(self._documents)
        return bool(plans) and all(_find_latest(self._documents, REGISTRY, plan.registry) for plan in plans)

    async def is_ready(self) -> bool:
        """Whether the documents are complete and still followed: a readiness check; raise `NotReadyError` if not."""
        if self._tail.failure is not None:
            raise NotReadyError(clients.explain_denial(self._tail.failure) or f"the broker, to read {REFERENCES.name}")
        if self._tail.is_following and not self.is_complete:
            raise NotReadyError("a published plan and the registry that it names; `dondoc publish DIR` publishes both")
        return self._tail.is_following

    async def is_broker_reachable(self) -> bool:
        """Whether the broker answers a request: a readiness check."""
        return self._tail.is_started and bool(await self._tail.end_offsets())

    def plan(self, plan_id: str) -> Plan | None:
        """Return the latest version of a plan, or None."""
        found = _find_latest(self._known, PLAN, plan_id)
        return found if isinstance(found, Plan) else None

    def registry(self, registry_id: str) -> Registry | None:
        """Return the latest version of a registry, or None."""
        found = _find_latest(self._known, REGISTRY, registry_id)
        return found if isinstance(found, Registry) else None

    def plans(self) -> tuple[Plan, ...]:
        """Return the latest version of every plan, ordered by id."""
        return _latest_plans(self._known)

    def version(self, kind: str, document_id: str, version: int) -> Plan | Registry | None:
        """Return one version of a document, or None. *kind* is `plan` or `registry`."""
        return self._known.get((kind, document_id), {}).get(version)

    def list_versions(self, kind: str, document_id: str) -> tuple[int, ...]:
        """Return the numbers of the published versions of a document, in order. *kind* is `plan` or `registry`."""
        return tuple(sorted(self._known.get((kind, document_id), ())))

    @property
    def _known(self) -> _Documents:
        """What the log holds; until that is complete, what was restored."""
        return self._restored or self._documents

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        batches = await consumer.getmany(_PARTITION, timeout_ms=_POLL_MS)
        # The topic is compacted: its last offsets may have no record, so the consumer's position is the progress.
        position = await consumer.position(_PARTITION)
        changes = [await self._apply(record) for record in batches.get(_PARTITION, ())]
        # Set after the records are applied: `catch_up` returns by it, and its caller then looks the documents up.
        self._next_offset = position
        if any(changes):
            if self.is_complete:
                self._restored.clear()
            for callback in self.on_change:
                callback()
        self._tail.advance()

    async def _apply(self, record: ConsumerRecord[bytes, bytes]) -> bool:
        """Add or remove the document in *record*; return whether that was possible."""
        named = repr(record.key)
        try:
            part = document_parts.parse_part_key(record.key)
            key = record.key if part is None else part.document
            named = repr(key)
            kind, document_id, version = _parse_key(key)
            value = record.value if part is None else self._join(part, record)
            document = None if value is None else await _decode_apart(kind, document_id, version, value)
        except UnreadableRecordError as cause:
            details = {"offset": record.offset, "key": repr(record.key), "reason": str(cause)}
            log.warning("a published document cannot be read", extra={"action": "reference_unreadable", **details})
            self.unreadable[named] = str(cause)
            return False
        versions = self._documents.setdefault((kind, document_id), {})
        if document is None:
            versions.pop(version, None)
        else:
            versions[version] = document
        self.unreadable.pop(named, None)
        return True

    def _join(self, part: PartKey, record: ConsumerRecord[bytes, bytes]) -> bytes | None:
        """Return the document of which *record* is the part that was lacking; None where the part was removed."""
        if record.value is None:
            self._parts.remove(part)
            return None
        return self._parts.add(part, record.value, record.headers)


def _parse_key(key: bytes | None) -> tuple[str, str, int]:
    """Return kind, id and version in the key of a record; raise `UnreadableRecordError`."""
    match = _KEY.fullmatch(key or b"")
    if match is None:
        raise UnreadableRecordError("", f"the key {key!r} names no document; write plan:ID@VERSION")
    kind, document_id, version = (part.decode() for part in match.groups())
    return kind, document_id, int(version)


def _latest_plans(documents: _Documents) -> tuple[Plan, ...]:
    ids = sorted(document_id for kind, document_id in documents if kind == PLAN)
    found = (_find_latest(documents, PLAN, plan_id) for plan_id in ids)
    return tuple(plan for plan in found if isinstance(plan, Plan))


def _find_latest(documents: _Documents, kind: str, document_id: str) -> Plan | Registry | None:
    versions = documents.get((kind, document_id), {})
    return versions[max(versions)] if versions else None


async def _decode_apart(kind: str, document_id: str, version: int, value: bytes) -> Plan | Registry:
    """Return what `_decode_document` returns: ten thousand agencies take tenths of a second, spent in a thread."""
    decode = partial(_decode_document, kind, document_id, version, value)
    return await asyncio.to_thread(decode) if len(value) > _LARGE_BYTES else decode()


def _decode_document(kind: str, document_id: str, version: int, value: bytes) -> Plan | Registry:
    """Return the document in *value*, which must be the one that the key names; raise `UnreadableRecordError`."""
    document: Plan | Registry = decoding.decode_model(_MODELS[kind], value)
    own_id = document.plan if isinstance(document, Plan) else document.registry
    if (own_id, document.version) != (document_id, version):
        raise UnreadableRecordError("", f"it is version {document.version} of {own_id!r}, not what its key names")
    return document


async def publish_document(producer: AIOKafkaProducer, kind: str, document: Plan | Registry) -> None:
    """Write *document* to the topic under its own version; return when the broker has it.

    Raises `ValueError` where it is larger than a document may be.
    """
    document_id = document.plan if isinstance(document, Plan) else document.registry
    key = reference_key(kind, document_id, document.version)
    for one in document_parts.split_document(key, document_parts.encode_document(document)):
        await producer.send_and_wait(
            REFERENCES.name, one.value, key=one.key.encode(), headers=list(one.headers), partition=0
        )
