"""What tests of intake need: a published plan, API keys, signing keys, a client."""

import json
import secrets
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from aiokafka import AIOKafkaProducer

from services.intake.core.scopes import PROOFS, ApiKey, KeyScope
from services.intake.http import api_keys
from services.runtime.access import bearer_keys
from services.runtime.kafka.published_documents import PLAN, REGISTRY, publish_document
from tests.support.builders.keys import a_scope
from tests.support.builders.plans import Json, a_plan, a_registry, an_agency
from tests.support.servers.kafka import Bus
from tests.support.servers.services import Service

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
ALIAS = "Huyện Một cũ"
SUCCESSION = {"type": "merge_into", "from": ["h-ba"], "to": ["h-hai"], "on": "2025-01-01"}


@dataclass(frozen=True, kw_only=True)
class IntakeFiles:
    """The files of intake: API keys, signing keys and spool, shared by every process of a test."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return {
            "DONDOC_INTAKE_KEYS": str(self.folder / "keys.json"),
            "DONDOC_INTAKE_SIGNING_KEYS": str(self.folder / "signing.json"),
            "DONDOC_INTAKE_SPOOL": str(self.folder / "spool"),
            "DONDOC_INTAKE_LINK_REVOCATIONS": str(self.revocations),
        }

    @property
    def revocations(self) -> Path:
        return self.folder / "link-revocations.json"

    def add_key(self, **changes: Any) -> str:
        """Add an API key that may do everything except as *changes* limit it; return its bearer token."""
        path = self.folder / "keys.json"
        named = {one.name for one in fields(KeyScope)}
        scope: dict[str, Any] = {"proofs": PROOFS, "may_decide": True, "may_review": True}
        scope |= {name: changes.pop(name) for name in list(changes) if name in named}
        secret = secrets.token_urlsafe(32)
        key = ApiKey(
            id=secrets.token_hex(4),
            system=changes.pop("system", "test"),
            sha256=bearer_keys.digest_secret(secret),
            scope=a_scope(**scope),
            created_at=datetime.now(UTC),  # noqa: TID251 - a key is made now
            **changes,
        )
        api_keys.write_keys(path, [*api_keys.read_keys(path), key])
        return api_keys.format_bearer(key.id, secret)


async def publish_plan(bus: Bus) -> None:
    """Publish a plan of one yearly obligation and a registry of three agencies, with an alias and a merger."""
    agencies = [an_agency("h-mot", aliases=[ALIAS]), an_agency("h-hai"), an_agency("h-ba")]
    async with AIOKafkaProducer(bootstrap_servers=bus.bootstrap) as producer:
        await publish_document(producer, REGISTRY, a_registry(*agencies, successions=[SUCCESSION]))
        await publish_document(producer, PLAN, a_plan())


def open_client(service: Service, bearer: str) -> httpx.AsyncClient:
    """Return a client of *service* that posts events in structured mode."""
    headers = {"authorization": f"Bearer {bearer}", "content-type": STRUCTURED}
    return httpx.AsyncClient(base_url=service.url, headers=headers, timeout=30)


def encode_event(event: Json | list[Json]) -> bytes:
    """Encode an event or a batch as JSON."""
    return json.dumps(event, ensure_ascii=False).encode()


def count_spooled(service: Service) -> int:
    """Return how many events were written to the spool so far."""
    lines = httpx.get(f"{service.url}/metrics").text.splitlines()
    (count,) = [line.split()[1] for line in lines if line.startswith("intake_spool_events_total ")]
    return int(float(count))
