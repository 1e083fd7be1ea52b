"""What a system just started needs before anybody can use it: documents published, contacts loaded, keys handed out.

Each may be done again: what is there already stays as it is.
"""

import asyncio
import secrets
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from services.console.commands.plans.publish import REFUSED, editions, published
from services.console.support.inputs import Unusable
from services.intake import api_keys_file
from services.intake.core.scopes import EVERYTHING, Key, Scope
from services.notifier.contact_store import ContactStore
from services.notifier.core.scheduling.routing import Contact
from services.notifier.settings import NotifierSettings
from services.runtime import mongo
from services.runtime.settings import KafkaConfig, ServiceSettings

SECRET_BYTES = 32


def publish_documents(directory: Path, bootstrap: str) -> tuple[str, ...]:
    """Publish what is in *directory* to a local broker; return what became of it; raise `Unusable` on a refusal."""
    outcomes = asyncio.run(published(editions(directory), KafkaConfig(bootstrap=bootstrap), settings=ServiceSettings()))
    refused = [one for one in outcomes if one.done == REFUSED]
    if refused:
        raise Unusable("\n".join(f"{one.edition.key}: {one.reason}" for one in refused))
    return tuple(f"{one.edition.key} {one.done}" for one in outcomes)


def load_contacts(contacts: Iterable[Contact], mongo_url: str) -> None:
    """Put *contacts* into the notifier's own database."""
    asyncio.run(_load(contacts, NotifierSettings(mongo_url=mongo_url)))


def bearer_for(system: str, keys: Path, *, now: datetime, may_decide: bool = False) -> str:
    """Return the bearer key of *system*, made at its first use and kept beside *keys* for its owner alone."""
    kept = keys.with_name(f"{system}.key")
    if kept.exists():
        return kept.read_text(encoding="ascii").strip()
    secret = secrets.token_urlsafe(SECRET_BYTES)
    scope = Scope(
        agencies=frozenset({EVERYTHING}), groups=frozenset(), types=frozenset({EVERYTHING}), may_decide=may_decide
    )
    key = Key(id=system, system=system, sha256=api_keys_file.digest_of(secret), scope=scope, created_at=now)
    bearer = api_keys_file.bearer_of(key.id, secret)
    with api_keys_file.held(keys):
        others = [one for one in api_keys_file.read(keys) if one.id != system]
        api_keys_file.write(keys, [*others, key])
    api_keys_file.replace(kept, f"{bearer}\n".encode())
    return bearer


async def _load(contacts: Iterable[Contact], settings: NotifierSettings) -> None:
    client = mongo.connect(settings.mongo_url)
    try:
        await ContactStore(client, settings.mongo_database).replace(contacts)
    finally:
        client.close()
