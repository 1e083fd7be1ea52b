"""Seeds a system that was just started with what it needs: published documents, contacts, API keys and readers.

Each step may be repeated: it leaves what exists already unchanged.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from schemas.events import dashboard_links
from services.console.support import publishing
from services.console.support.inputs import UnusableInputError
from services.intake.core.scopes import ApiKey, KeyScope
from services.intake.http import api_keys
from services.notifier.contacts.store import ContactStore
from services.notifier.core.scheduling.routing import Contact
from services.notifier.settings import NotifierSettings
from services.reporting.core.access.links import ReaderLink
from services.reporting.core.access.readers import Reader, ReaderKey
from services.reporting.http.access import reader_keys
from services.runtime import mongo, secret_files
from services.runtime.access import bearer_keys
from services.runtime.settings import KafkaConfig, ServiceSettings


def publish_documents(directories: Sequence[Path], bootstrap: str) -> tuple[str, ...]:
    """Publish the plans and registries in *directories* to a local broker; return a line about each document.

    Raise `UnusableInputError` where a document is refused.
    """
    versions = publishing.read_versions(directories)
    outcomes = asyncio.run(
        publishing.publish_versions(versions, KafkaConfig(bootstrap=bootstrap), settings=ServiceSettings())
    )
    refusals = [one for one in outcomes if one.done == publishing.REFUSED]
    if refusals:
        raise UnusableInputError("\n".join(f"{one.document.key}: {one.reason}" for one in refusals))
    return tuple(f"{one.document.key} {one.done}" for one in outcomes)


def load_contacts(contacts: Iterable[Contact], mongo_url: str) -> None:
    """Write *contacts* into the notifier's own database."""
    asyncio.run(_replace_contacts(contacts, NotifierSettings(mongo_url=mongo_url)))


def load_or_create_key(system: str, keys: Path, scope: KeyScope, *, now: datetime) -> str:
    """Return the bearer key of the upstream system *system*, which has *scope*, no rate and no expiry.

    The key is created at its first use and stored in `SYSTEM.key` beside the file *keys*, readable by its owner alone.
    One that exists gets *scope* too, whatever an earlier version gave it.
    """
    key_file = keys.with_name(f"{system}.key")
    bearer = key_file.read_text(encoding="ascii").strip() if key_file.exists() else None
    with secret_files.lock_file(keys):
        existing = api_keys.read_keys(keys)
        if bearer is not None:
            api_keys.write_keys(keys, [replace(one, scope=scope) if one.id == system else one for one in existing])
            return bearer
        secret = bearer_keys.create_secret()
        key = ApiKey(id=system, system=system, sha256=bearer_keys.digest_secret(secret), scope=scope, created_at=now)
        # The key is entered before its bearer is stored: where a run dies between the two, the next replaces its entry.
        api_keys.write_keys(keys, [*(one for one in existing if one.id != system), key])
    bearer = api_keys.format_bearer(key.id, secret)
    secret_files.replace_file(key_file, f"{bearer}\n".encode())
    return bearer


def load_or_create_reader(reader: Reader, readers: Path, *, now: datetime) -> str:
    """Return the bearer key of *reader*, without an expiry, which is entered into the file *readers*.

    It is created at its first use and stored in `ID-reader.key` beside *readers*, readable by its owner alone. One that
    exists gets the scope of *reader* too, whatever an earlier version gave it.
    """
    key_file = readers.with_name(f"{reader.id}-reader.key")
    bearer = key_file.read_text(encoding="ascii").strip() if key_file.exists() else None
    with secret_files.lock_file(readers):
        reader_keys.load_or_create_link_key(readers)
        existing = reader_keys.read_readers(readers)
        if bearer is not None:
            renewed = [replace(one, reader=reader) if one.reader.id == reader.id else one for one in existing]
            reader_keys.write_readers(readers, renewed)
            return bearer
        secret = bearer_keys.create_secret()
        key = ReaderKey(reader=reader, sha256=bearer_keys.digest_secret(secret), created_at=now)
        # Entered before its bearer is stored: where a run dies between the two, the next replaces its entry.
        reader_keys.write_readers(readers, [*(one for one in existing if one.reader.id != reader.id), key])
    bearer = bearer_keys.format_bearer(reader_keys.BEARER_PREFIX, reader.id, secret)
    secret_files.replace_file(key_file, f"{bearer}\n".encode())
    return bearer


def create_dashboard_link(reader: Reader, readers: Path, url: str, *, since: datetime, until: datetime) -> str:
    """Return a link that opens the dashboard at *url* for *reader*."""
    link = ReaderLink(reader=reader.id, issued_at=since, expires_at=until)
    token = reader_keys.load_or_create_link_key(readers).sign_link(link)
    return dashboard_links.dashboard_url(url, token, "vi")


async def _replace_contacts(contacts: Iterable[Contact], settings: NotifierSettings) -> None:
    client = mongo.connect(settings.mongo_url)
    try:
        await ContactStore(client, settings.mongo_database, settings.vault).replace(contacts)
    finally:
        client.close()
