"""Publishes plan and registry versions on the references topic.

A version is published once: a document that is published under a version is never replaced by other content.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer

from schemas.events import ids
from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.console.support import inputs, topic_reader
from services.runtime.kafka.published_documents import PLAN, REGISTRY, PublishedDocuments, publish_document
from services.runtime.kafka.topics import TopicsError, ensure_topics
from services.runtime.settings import KafkaConfig, ServiceSettings

PUBLISHED = "published"
UNCHANGED = "unchanged"
REFUSED = "refused"
HELD = "held back"  # because the document to be published with it was refused


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentVersion:
    """One version of a plan or registry that is to be published."""

    kind: str
    id: str
    document: Plan | Registry

    @property
    def version(self) -> int:
        """The number of the version."""
        return self.document.version

    @property
    def key(self) -> str:
        """The record key, for example `plan:6766-KH-UBND@1`."""
        return ids.reference_key(self.kind, self.id, self.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishOutcome:
    """What was done with a document: one of the constants above, with the reason for a refusal."""

    document: DocumentVersion
    done: str
    reason: str | None = None

    def row(self) -> dict[str, Any]:
        """Return the outcome as a row of output."""
        fields = {"document": self.document.key, "done": self.done}
        return fields if self.reason is None else {**fields, "reason": self.reason}


def read_versions(directories: Sequence[Path]) -> tuple[DocumentVersion, ...]:
    """Return the registries and the plans in *directories*, each document once.

    The registries come first and are published first, so that nobody reads a plan whose agencies are not yet there.
    Raise `UnusableInputError` where two folders hold the same version of a document with different content.
    """
    found: dict[str, DocumentVersion] = {}
    catalogues = inputs.read_plan_folders(directories)
    registries = [DocumentVersion(kind=REGISTRY, id=one.registry.registry, document=one.registry) for one in catalogues]
    plans = [DocumentVersion(kind=PLAN, id=one.plan.plan, document=one.plan) for one in catalogues]
    for one in (*registries, *plans):
        if found.setdefault(one.key, one).document != one.document:
            raise inputs.UnusableInputError(f"{one.key}: two folders hold it with different content")
    return tuple(found.values())


async def publish_versions(
    versions: Iterable[DocumentVersion], kafka: KafkaConfig, *, settings: ServiceSettings
) -> list[PublishOutcome]:
    """Publish those of *versions* that are new, or none of them where one is refused.

    Raise `UnusableInputError` where the broker cannot be used.
    """
    try:
        return await topic_reader.translate_broker_errors(_connect_and_publish(tuple(versions), kafka, settings), kafka)
    except TopicsError as cause:
        raise inputs.UnusableInputError(f"the broker at {kafka.bootstrap} cannot be used: {cause}") from cause


def decide_outcome(version: DocumentVersion, references: PublishedDocuments) -> PublishOutcome:
    """Decide what may be done with *version*, given the documents that are published already. Pure."""
    published = references.version(version.kind, version.id, version.version)
    if published == version.document:
        return PublishOutcome(document=version, done=UNCHANGED)
    if published is not None:
        reason = "this version is published with other content; give the changed document the next version"
        return PublishOutcome(document=version, done=REFUSED, reason=reason)
    latest = references.plan(version.id) if version.kind == PLAN else references.registry(version.id)
    if latest is not None and latest.version > version.version:
        reason = f"version {latest.version} is published already; versions grow"
        return PublishOutcome(document=version, done=REFUSED, reason=reason)
    return PublishOutcome(document=version, done=PUBLISHED)


async def _connect_and_publish(
    versions: tuple[DocumentVersion, ...], kafka: KafkaConfig, settings: ServiceSettings
) -> list[PublishOutcome]:
    # The producer connects first, because it fails at once where there is no broker.
    async with AIOKafkaProducer(**kafka.client(), acks="all", enable_idempotence=True) as producer:
        await ensure_topics(kafka, settings.partitions, settings.kafka_replication)
        return await _publish_new(versions, producer, PublishedDocuments(kafka))


async def _publish_new(
    versions: tuple[DocumentVersion, ...], producer: AIOKafkaProducer, references: PublishedDocuments
) -> list[PublishOutcome]:
    try:
        await references.start()  # it has read the topic to its end when it returns
        outcomes = [decide_outcome(version, references) for version in versions]
    finally:
        await references.stop()
    # A plan may cite agencies of the registry beside it, so neither is published without the other.
    if any(one.done == REFUSED for one in outcomes):
        return [replace(one, done=HELD) if one.done == PUBLISHED else one for one in outcomes]
    for one in outcomes:
        if one.done == PUBLISHED:
            await publish_document(producer, one.document.kind, one.document.document)
    return outcomes
