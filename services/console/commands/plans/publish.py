"""`dondoc publish`: a plan and its registry, checked, put on the bus under their versions.

A version is published once: what stands on the bus under it is never replaced by other content.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from aiokafka import AIOKafkaProducer

from schemas.events import ids
from schemas.lint import documents
from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.console.commands.plans.check import checked
from services.console.support import inputs, output, topic_reader
from services.runtime.published_documents import PLAN, REGISTRY, PublishedDocuments, publish_document
from services.runtime.settings import KafkaConfig, ServiceSettings
from services.runtime.topics import TopicsError, ensure_topics

PUBLISHED = "published"
UNCHANGED = "unchanged"
REFUSED = "refused"
HELD = "held back"  # because the document published with it was refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """One version of a document, to be published."""

    kind: str
    id: str
    document: Plan | Registry

    @property
    def version(self) -> int:
        """Its version."""
        return self.document.version

    @property
    def key(self) -> str:
        """The name it is published under."""
        return ids.reference_key(self.kind, self.id, self.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of an edition, and why."""

    edition: Edition
    done: str
    reason: str | None = None

    def row(self) -> dict[str, Any]:
        """Return it as a line of output."""
        told = {"document": self.edition.key, "done": self.done}
        return told if self.reason is None else {**told, "reason": self.reason}


def publish(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with plan.yaml and registry.yaml.")],
) -> None:
    """Check DIR, then put its plan and registry versions on the bus. A version that differs is refused."""
    with output.exits():
        faults = [fault for fault in checked(directory).faults if fault.is_error]
        for fault in faults:
            output.say(str(fault))
        if faults:
            raise typer.Exit(output.NEGATIVE)
        settings = ServiceSettings()
        outcomes = asyncio.run(published(editions(directory), settings.kafka, settings=settings))
    for one in outcomes:
        output.line(one.row())
    if any(one.done == REFUSED for one in outcomes):
        raise typer.Exit(output.NEGATIVE)


def editions(directory: Path) -> tuple[Edition, ...]:
    """Return the registry and the plan in *directory*, in the order in which they are published."""
    plan = documents.parse_plan(inputs.read_text(directory / inputs.PLAN_FILE))
    registry = documents.parse_registry(inputs.read_text(directory / inputs.REGISTRY_FILE))
    return (
        Edition(kind=REGISTRY, id=registry.registry, document=registry),
        Edition(kind=PLAN, id=plan.plan, document=plan),
    )


async def published(wanted: Iterable[Edition], kafka: KafkaConfig, *, settings: ServiceSettings) -> list[Outcome]:
    """Publish what is new among *wanted*; nothing of it where one is refused. Raise `Unusable` without a broker."""
    try:
        return await topic_reader.from_broker(_published(tuple(wanted), kafka, settings), kafka)
    except TopicsError as cause:
        raise inputs.Unusable(f"the broker at {kafka.bootstrap} cannot be used: {cause}") from cause


async def _published(wanted: tuple[Edition, ...], kafka: KafkaConfig, settings: ServiceSettings) -> list[Outcome]:
    # The producer first of all: it says at once that there is no broker.
    async with AIOKafkaProducer(**kafka.client(), acks="all", enable_idempotence=True) as producer:
        await ensure_topics(kafka, settings.partitions, settings.kafka_replication)
        return await _put(wanted, producer, PublishedDocuments(kafka))


async def _put(
    wanted: tuple[Edition, ...], producer: AIOKafkaProducer, references: PublishedDocuments
) -> list[Outcome]:
    try:
        await references.start()
        judged = [judge(edition, references) for edition in wanted]
    finally:
        await references.stop()
    if any(one.done == REFUSED for one in judged):
        return [replace(one, done=HELD) if one.done == PUBLISHED else one for one in judged]
    for one in judged:
        if one.done == PUBLISHED:
            await publish_document(producer, one.edition.kind, one.edition.document)
    return judged


def judge(edition: Edition, references: PublishedDocuments) -> Outcome:
    """Return what may be done with *edition*, given what is published already."""
    standing = references.version(edition.kind, edition.id, edition.version)
    if standing == edition.document:
        return Outcome(edition=edition, done=UNCHANGED)
    if standing is not None:
        reason = "this version is published with other content; give the changed document the next version"
        return Outcome(edition=edition, done=REFUSED, reason=reason)
    latest = references.plan(edition.id) if edition.kind == PLAN else references.registry(edition.id)
    if latest is not None and latest.version > edition.version:
        reason = f"version {latest.version} is published already; versions grow"
        return Outcome(edition=edition, done=REFUSED, reason=reason)
    return Outcome(edition=edition, done=PUBLISHED)
