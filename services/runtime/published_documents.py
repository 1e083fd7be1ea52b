"""The published plans and registries, read whole from `dondoc.references.v1` at start and followed from then on.

It refuses to judge them: what is published has been checked. A record that cannot be read is reported and passed over.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from pydantic import ValidationError

from schemas.events.ids import reference_key
from schemas.events.topics import REFERENCES
from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.runtime import kafka
from services.runtime.settings import KafkaConfig

PLAN = "plan"
REGISTRY = "registry"
_MODELS: dict[str, type[Plan | Registry]] = {PLAN: Plan, REGISTRY: Registry}
_PARTITION = TopicPartition(REFERENCES.name, 0)
_POLL_MS = 500
_RETRY_SECONDS = 1.0

log = logging.getLogger(__name__)


class PublishedDocuments:
    """What is published, by kind, id and version. Calls every callback in `on_change` when documents arrive."""

    def __init__(self, kafka: KafkaConfig) -> None:
        self.on_change: list[Callable[[], None]] = []
        self._documents: dict[tuple[str, str], dict[int, Plan | Registry]] = {}
        self._kafka = kafka
        self._consumer: AIOKafkaConsumer | None = None
        self._following: asyncio.Task[None] | None = None
        self._advanced = asyncio.Event()
        self._next_offset = 0

    async def start(self) -> None:
        """Read everything that is published by now, then follow in the background."""
        self._consumer = AIOKafkaConsumer(
            **self._kafka.client(),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
        )
        await self._consumer.start()
        self._consumer.assign([_PARTITION])
        self._following = asyncio.create_task(self._follow(self._consumer))
        await self.catch_up()

    async def stop(self) -> None:
        if self._following is not None:
            self._following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._following
        if self._consumer is not None:
            await kafka.stop_consumer(self._consumer)

    async def catch_up(self) -> None:
        """Return when all that was published before this call is known here: ask before calling something unknown."""
        if self._consumer is None:
            raise RuntimeError("the references are not started")
        end = (await self._consumer.end_offsets([_PARTITION]))[_PARTITION]
        while self._next_offset < end:
            self._advanced.clear()
            await self._advanced.wait()

    @property
    def is_complete(self) -> bool:
        """Whether there is a plan to work by, and the registry that it names."""
        plans = self.plans()
        return bool(plans) and all(self.registry(plan.registry) is not None for plan in plans)

    async def is_ready(self) -> bool:
        """Whether they are complete and still followed."""
        return self.is_complete and self._following is not None and not self._following.done()

    async def is_broker_reachable(self) -> bool:
        """Whether the broker answers: a question to it, as a readiness check."""
        return self._consumer is not None and bool(await self._consumer.end_offsets([_PARTITION]))

    def plan(self, plan_id: str) -> Plan | None:
        """Return the latest version of a plan, or nothing."""
        found = self._latest(PLAN, plan_id)
        return found if isinstance(found, Plan) else None

    def registry(self, registry_id: str) -> Registry | None:
        """Return the latest version of a registry, or nothing."""
        found = self._latest(REGISTRY, registry_id)
        return found if isinstance(found, Registry) else None

    def plans(self) -> tuple[Plan, ...]:
        """Return the latest version of every plan, in the order of their ids."""
        ids = sorted(document_id for kind, document_id in self._documents if kind == PLAN)
        return tuple(plan for plan in map(self.plan, ids) if plan is not None)

    def version(self, kind: str, document_id: str, version: int) -> Plan | Registry | None:
        """Return one version of a document, or nothing. *kind* is `plan` or `registry`."""
        return self._documents.get((kind, document_id), {}).get(version)

    def _latest(self, kind: str, document_id: str) -> Plan | Registry | None:
        versions = self._documents.get((kind, document_id), {})
        return versions[max(versions)] if versions else None

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            try:
                batches = await consumer.getmany(_PARTITION, timeout_ms=_POLL_MS)
                # A compacted end has no record to wait for: the position says how far was read.
                self._take(batches.get(_PARTITION, ()), await consumer.position(_PARTITION))
            except KafkaError:
                log.warning(
                    "the references cannot be read for now", exc_info=True, extra={"action": "references_waiting"}
                )
                await asyncio.sleep(_RETRY_SECONDS)

    def _take(self, records: Iterable[ConsumerRecord[bytes, bytes]], position: int) -> None:
        changes = [self._keep(record) for record in records]
        self._next_offset = position
        if any(changes):
            for callback in self.on_change:
                callback()
        self._advanced.set()

    def _keep(self, record: ConsumerRecord[bytes, bytes]) -> bool:
        try:
            kind, document_id, version = _parsed_key(record.key)
            versions = self._documents.setdefault((kind, document_id), {})
            if record.value is None:
                versions.pop(version, None)
            else:
                versions[version] = _MODELS[kind].model_validate_json(record.value)
        except (ValueError, KeyError, AttributeError, ValidationError):
            place = {"offset": record.offset, "key": repr(record.key)}
            log.exception("a published document cannot be read", extra={"action": "reference_unreadable", **place})
            return False
        return True


def _parsed_key(key: bytes) -> tuple[str, str, int]:
    kind, _, rest = key.decode().partition(":")
    document_id, _, version = rest.rpartition("@")
    return kind, document_id, int(version)


async def publish_document(producer: AIOKafkaProducer, kind: str, document: Plan | Registry) -> None:
    """Put *document* on the bus under its own version; return when the broker has it."""
    document_id: Any = document.plan if isinstance(document, Plan) else document.registry
    key = reference_key(kind, document_id, document.version)
    value = document.model_dump_json(by_alias=True, exclude_defaults=True)
    await producer.send_and_wait(REFERENCES.name, value.encode(), key=key.encode(), partition=0)
