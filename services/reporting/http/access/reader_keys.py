"""The file of readers and, beside it, the key that signs their links.

The file holds digests of the secrets and scopes, never a secret. Both are reloaded when they change, so a reader who is
revoked is out without a restart. `dondoc readers` writes them.
"""

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from schemas.plan.values import Identifier, Instant, Sha256
from services.reporting.core.access import readers
from services.reporting.core.access.decisions import AccessRefusedError, RefusalReason
from services.reporting.core.access.links import ReaderLinkKey
from services.reporting.core.access.readers import Reader, ReaderKey
from services.runtime import secret_files
from services.runtime.access import bearer_keys
from services.runtime.clock import Clock
from services.runtime.secret_files import FileWatcher

BEARER_PREFIX = "ddr"
LINK_KEY_NAME = "reader-links.key"

log = logging.getLogger(__name__)


class ReaderFileError(Exception):
    """The file of readers, or the key of their links, cannot be read; restore it, or create readers anew."""


class _ReaderEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: Identifier
    name: str
    sha256: Sha256
    scopes: tuple[str, ...]
    may_review: bool = False
    may_seal: bool = False
    created_at: Instant
    expires_at: Instant | None = None
    revoked_at: Instant | None = None


class _ReaderFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    readers: tuple[_ReaderEntry, ...] = ()


def read_readers(path: Path) -> tuple[ReaderKey, ...]:
    """Return the readers in *path*, none if there is no such file; raise `ReaderFileError`."""
    try:
        return tuple(map(_to_key, _ReaderFile.model_validate_json(path.read_bytes()).readers))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as cause:
        raise ReaderFileError(f"{path}: {cause}") from cause


def write_readers(path: Path, keys: Iterable[ReaderKey]) -> None:
    """Replace the content of *path* by *keys*, durably. Hold `secret_files.lock_file` from reading to writing."""
    document = _ReaderFile(readers=tuple(map(_to_entry, keys)))
    secret_files.replace_file(path, document.model_dump_json(indent=2).encode() + b"\n")


def link_key_path(readers_path: Path) -> Path:
    """Return the file of the key that signs the links of the readers in *readers_path*."""
    return readers_path.with_name(LINK_KEY_NAME)


def read_link_key(readers_path: Path) -> ReaderLinkKey | None:
    """Return the key of links, or None if there is none yet; raise `ReaderFileError`."""
    path = link_key_path(readers_path)
    try:
        return ReaderLinkKey(path.read_text(encoding="ascii").strip())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as cause:
        raise ReaderFileError(f"{path}: {cause}") from cause


def load_or_create_link_key(readers_path: Path) -> ReaderLinkKey:
    """Return the key of links, made at its first use; raise `ReaderFileError`. Hold `secret_files.lock_file`."""
    existing = read_link_key(readers_path)
    if existing is not None:
        return existing
    secret = bearer_keys.create_secret()
    secret_files.replace_file(link_key_path(readers_path), f"{secret}\n".encode())
    return ReaderLinkKey(secret)


class ReaderKeys:
    """The readers in force, and the key of their links."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._watcher = FileWatcher(path)
        self._link_watcher = FileWatcher(link_key_path(path))
        self._clock = clock
        self._keys: Mapping[str, ReaderKey] = {}
        self._link_key: ReaderLinkKey | None = None

    @property
    def link_key(self) -> ReaderLinkKey | None:
        """The key of links; None where no reader was created yet."""
        return self._link_key

    def load(self) -> None:
        """Read the file of readers; raise `ReaderFileError` if it cannot be read."""
        self._keys = {key.reader.id: key for key in read_readers(self._watcher.path)}
        log.info("the readers are loaded", extra={"action": "readers_loaded", "readers": len(self._keys)})

    def load_link_key(self) -> None:
        """Read the key of links; raise `ReaderFileError` if it cannot be read."""
        self._link_key = read_link_key(self._watcher.path)

    async def watch(self) -> None:
        """Reload the file of readers whenever it changes, until cancelled."""
        await secret_files.reload_on_change(self._watcher, self.load, ReaderFileError)

    async def watch_link_key(self) -> None:
        """Reload the key of links whenever it changes, until cancelled."""
        await secret_files.reload_on_change(self._link_watcher, self.load_link_key, ReaderFileError)

    def count_valid(self) -> int:
        """Return how many readers have a key that is in force."""
        now = self._clock.now()
        return sum(key.is_valid_at(now) for key in self._keys.values())

    def first_access_end(self) -> datetime | None:
        """Return when the first of the keys in force ends, if ever."""
        now = self._clock.now()
        ends = (key.expires_at for key in self._keys.values() if key.is_valid_at(now))
        return min((end for end in ends if end is not None), default=None)

    def find(self, reader_id: str) -> Reader | None:
        """Return the reader of that id whose key is in force, or None."""
        key = self._keys.get(reader_id)
        return key.reader if key is not None and key.is_valid_at(self._clock.now()) else None

    def authenticate(self, authorization: str) -> Reader:
        """Return the reader of an `Authorization` header; raise `AccessRefusedError` unless its key is in force."""
        named = bearer_keys.read_authorization(BEARER_PREFIX, authorization)
        if named is None:
            raise AccessRefusedError(RefusalReason.NO_KEY)
        key_id, secret = named
        key = self._keys.get(key_id)
        is_right = bearer_keys.is_secret_of(secret, None if key is None else key.sha256)
        if key is None:
            raise AccessRefusedError(RefusalReason.UNKNOWN_KEY)
        # Only the id of a reader that exists is named, so that a log cannot be filled with invented ones.
        if not is_right:
            raise AccessRefusedError(RefusalReason.WRONG_SECRET, reader=key.reader.id)
        if not key.is_valid_at(self._clock.now()):
            raise AccessRefusedError(RefusalReason.NOT_IN_FORCE, reader=key.reader.id)
        return key.reader


def _to_key(entry: _ReaderEntry) -> ReaderKey:
    reader = Reader(
        id=entry.id,
        name=entry.name,
        scope=readers.parse_scope(entry.scopes),
        may_review=entry.may_review,
        may_seal=entry.may_seal,
    )
    return ReaderKey(
        reader=reader,
        sha256=entry.sha256,
        created_at=entry.created_at,
        expires_at=entry.expires_at,
        revoked_at=entry.revoked_at,
    )


def _to_entry(key: ReaderKey) -> _ReaderEntry:
    return _ReaderEntry(
        id=key.reader.id,
        name=key.reader.name,
        sha256=key.sha256,
        scopes=readers.format_scope(key.reader.scope),
        may_review=key.reader.may_review,
        may_seal=key.reader.may_seal,
        created_at=key.created_at,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
    )
