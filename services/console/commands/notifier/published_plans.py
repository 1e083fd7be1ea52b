"""The plans that commands about the notifier speak of: from folders, else as they are published."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from schemas.plan.values import Bilingual
from services.console.support import inputs, topic_reader
from services.notifier.settings import NotifierSettings
from services.runtime.kafka.published_documents import PublishedDocuments
from services.runtime.settings import KafkaConfig

Documents = Sequence[tuple[Plan, Registry]]


def read_documents(folders: Sequence[Path] | None) -> Documents:
    """Return each plan with its registry. Raises `UnusableInputError` where they cannot be read."""
    if folders:
        return [(catalogue.plan, catalogue.registry) for catalogue in inputs.read_plan_folders(folders)]
    settings = NotifierSettings()
    remedy = Bilingual.of(
        en="set DONDOC_KAFKA_BOOTSTRAP, or name the plan's folder DIR",
        vi="hãy đặt DONDOC_KAFKA_BOOTSTRAP, hoặc ghi thư mục DIR của kế hoạch",
    )
    return asyncio.run(
        topic_reader.translate_broker_errors(_read_published(settings.kafka), settings.kafka, remedy=remedy)
    )


async def _read_published(kafka: KafkaConfig) -> Documents:
    references = PublishedDocuments(kafka)
    try:
        await references.start()
        plans = references.plans()
        return [(plan, registry) for plan in plans if (registry := references.registry(plan.registry)) is not None]
    finally:
        await references.stop()
