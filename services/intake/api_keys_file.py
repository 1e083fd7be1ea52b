"""The file of keys: digests of secrets and their scopes, never the secrets. Replaced whole, never seen half.

Who changes a file that others may change, too, holds it from the reading to the replacing (`lock_file`): else the later
writer would bring back what the earlier one had changed, a revoked key among it.

A secret is 256 random bits, so a plain SHA-256 of it is as good as a slow hash and costs a request nothing.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.plan.values import Identifier, Instant, Sha256
from services.intake.core.scopes import ApiKey, KeyScope

OWNER_ONLY = 0o600
BEARER_PREFIX = "ddk"


class KeyFileError(Exception):
    """The file of keys cannot be read; restore it, or create keys anew with `dondoc keys create`."""


class _KeyEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: Identifier
    system: str
    sha256: Sha256
    agencies: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    may_decide: bool = False
    created_at: Instant
    expires_at: Instant | None = None
    revoked_at: Instant | None = None
    events_per_second: Annotated[float, Field(gt=0)] | None = None


class _KeyFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    keys: tuple[_KeyEntry, ...] = ()


def read_keys(path: Path) -> tuple[ApiKey, ...]:
    """Return the keys that *path* holds, none if it does not exist; raise `KeyFileError` if it is no file of keys."""
    try:
        entries = _KeyFile.model_validate_json(path.read_bytes()).keys
    except FileNotFoundError:
        return ()
    except (OSError, ValidationError) as cause:
        raise KeyFileError(f"{path}: {cause}") from cause
    return tuple(_to_key(entry) for entry in entries)


def write_keys(path: Path, keys: Iterable[ApiKey]) -> None:
    """Replace the file by *keys*, readable by its owner alone, on disk before this returns."""
    document = _KeyFile(keys=tuple(_to_entry(key) for key in keys))
    replace_file(path, document.model_dump_json(indent=2).encode() + b"\n")


@contextmanager
def lock_file(path: Path) -> Iterator[None]:
    """Keep everybody else from changing the secret file *path*; whoever holds it already is waited for.

    Raises `OSError` where its folder cannot be written. It keeps nobody from reading, and a thread that holds a file
    must not ask for it again. The lock lies beside the file, which each replacement makes another one, and it stays:
    a lock that somebody deletes is held twice.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, OWNER_ONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def replace_file(path: Path, content: bytes) -> None:
    """Put *content* in the place of a secret file in one step; a crash leaves the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(path)


def secret_digest(secret: str) -> str:
    """Return what is stored of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def format_bearer(key_id: str, secret: str) -> str:
    """Return what the upstream system sends: the key's id, so that it is found at once, and the secret."""
    return f"{BEARER_PREFIX}_{key_id}_{secret}"


def parse_bearer(bearer: str) -> tuple[str, str] | None:
    """Return id and secret of a bearer, or nothing if it does not look like one of ours."""
    parts = bearer.split("_", 2)
    if len(parts) != 3 or parts[0] != BEARER_PREFIX:  # noqa: PLR2004 - prefix, id, secret
        return None
    return parts[1], parts[2]


def _to_key(entry: _KeyEntry) -> ApiKey:
    return ApiKey(
        id=entry.id,
        system=entry.system,
        sha256=entry.sha256,
        scope=KeyScope(
            agencies=frozenset(entry.agencies),
            groups=frozenset(entry.groups),
            types=frozenset(entry.types),
            may_decide=entry.may_decide,
        ),
        created_at=entry.created_at,
        expires_at=entry.expires_at,
        revoked_at=entry.revoked_at,
        events_per_second=entry.events_per_second,
    )


def _to_entry(key: ApiKey) -> _KeyEntry:
    return _KeyEntry(
        id=key.id,
        system=key.system,
        sha256=key.sha256,
        agencies=tuple(sorted(key.scope.agencies)),
        groups=tuple(sorted(key.scope.groups)),
        types=tuple(sorted(key.scope.types)),
        may_decide=key.scope.may_decide,
        created_at=key.created_at,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
        events_per_second=key.events_per_second,
    )
