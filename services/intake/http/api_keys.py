"""API keys: the file that holds them, the bearer token that a client sends, and its authentication.

The file holds digests of the secrets and their scopes, never a secret. It is reloaded when it changes, so a revoked or
expired key stops working without a restart. A refused request is counted and logged for the audit, without the secret.
"""

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.plan.values import Bilingual, Identifier, Instant, Sha256
from services.intake.asgi import RequestRefusedError
from services.intake.core import scopes
from services.intake.core.problems import AuthenticationFailure, Refusal, RequestProblem
from services.intake.core.scopes import WILDCARD, ApiKey, KeyScope, SourceScope
from services.runtime import secret_files
from services.runtime.access import bearer_keys
from services.runtime.access.refusal_log import RefusalLog
from services.runtime.clock import Clock
from services.runtime.secret_files import FileWatcher

BEARER_PREFIX = "ddk"

log = logging.getLogger(__name__)


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
    # The defaults are what a key may claim that was made before these members existed: sources that nobody names, and
    # no proof of dispatch (ruling 12).
    sources: tuple[str, ...] = (WILDCARD,)
    proofs: tuple[str, ...] = ()
    may_decide: bool = False
    may_review: bool = False
    created_at: Instant
    expires_at: Instant | None = None
    revoked_at: Instant | None = None
    events_per_second: Annotated[float, Field(gt=0)] | None = None


class _KeyFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    keys: tuple[_KeyEntry, ...] = ()


def read_keys(path: Path) -> tuple[ApiKey, ...]:
    """Return the keys in *path*, each with the sources that the others name; none if there is no such file.

    Raise `KeyFileError` if it is not a file of keys.
    """
    try:
        entries = _KeyFile.model_validate_json(path.read_bytes()).keys
    except FileNotFoundError:
        return ()
    except (OSError, ValidationError) as cause:
        raise KeyFileError(f"{path}: {cause}") from cause
    return scopes.separate_sources(_to_key(entry) for entry in entries)


def write_keys(path: Path, keys: Iterable[ApiKey]) -> None:
    """Replace the content of *path* by *keys*, durably. Hold `secret_files.lock_file` from reading to writing."""
    document = _KeyFile(keys=tuple(_to_entry(key) for key in keys))
    secret_files.replace_file(path, document.model_dump_json(indent=2).encode() + b"\n")


def format_bearer(key_id: str, secret: str) -> str:
    """Return the bearer token that a client sends: `ddk_ID_SECRET`."""
    return bearer_keys.format_bearer(BEARER_PREFIX, key_id, secret)


class ApiKeys:
    """The keys in force."""

    def __init__(self, path: Path, clock: Clock, refusals: RefusalLog[AuthenticationFailure]) -> None:
        self._watcher = FileWatcher(path)
        self._clock = clock
        self._refusals = refusals
        self._keys: Mapping[str, ApiKey] = {}

    def load(self) -> None:
        """Read the file of keys; raise `KeyFileError` if it cannot be read."""
        self._keys = {key.id: key for key in read_keys(self._watcher.path)}
        log.info("the keys are loaded", extra={"action": "keys_loaded", "keys": len(self._keys)})

    async def watch(self) -> None:
        """Reload the file whenever it changes, until cancelled."""
        await secret_files.reload_on_change(self._watcher, self.load, KeyFileError)

    def first_access_end(self) -> datetime | None:
        """Return when the first upstream system will be without a valid key, if ever."""
        return min(scopes.find_access_ends(self._keys.values(), self._clock.now()).values(), default=None)

    def open_systems(self) -> frozenset[str]:
        """Return the upstream systems with a valid key that names no sources."""
        return scopes.find_open_systems(self._keys.values(), self._clock.now())

    def authenticate(self, authorization: str | None, address: str) -> ApiKey:
        """Return the key of an `Authorization` header; raise with 401 unless it is a valid one.

        A failure is counted for the *address* that the request came from.
        """
        named = bearer_keys.read_authorization(BEARER_PREFIX, authorization)
        if named is None:
            self._refusals.record(AuthenticationFailure.NO_KEY, origin=address, key=None, details={})
            raise RequestRefusedError(_NO_BEARER_KEY)
        key_id, secret = named
        key = self._keys.get(key_id)
        is_right = bearer_keys.is_secret_of(secret, None if key is None else key.sha256)
        if key is None or not is_right:
            failure = AuthenticationFailure.UNKNOWN_KEY if key is None else AuthenticationFailure.WRONG_SECRET
            self._refusals.record(failure, origin=address, key=None if key is None else key.id, details={})
            raise RequestRefusedError(_UNKNOWN_KEY)
        if not key.is_valid_at(self._clock.now()):
            self._refusals.record(AuthenticationFailure.NOT_IN_FORCE, origin=address, key=key.id, details={})
            raise RequestRefusedError(_NOT_IN_FORCE)
        return key


def _unauthenticated_refusal(reason: str) -> Refusal:
    return Refusal(
        problem=RequestProblem.UNAUTHENTICATED,
        detail=Bilingual.of(
            en=f"{reason}; send `Authorization: Bearer KEY` with a key of yours that is in force",
            vi="hãy gửi `Authorization: Bearer KEY` với khóa còn hiệu lực của đơn vị",
        ),
    )


_NO_BEARER_KEY = _unauthenticated_refusal("no bearer key")

# The same for an id that nobody has and for a wrong secret, so that the answer does not tell which ids exist.
_UNKNOWN_KEY = _unauthenticated_refusal("unknown key")
_NOT_IN_FORCE = _unauthenticated_refusal("expired or revoked key")


def _to_key(entry: _KeyEntry) -> ApiKey:
    return ApiKey(
        id=entry.id,
        system=entry.system,
        sha256=entry.sha256,
        scope=KeyScope(
            agencies=frozenset(entry.agencies),
            groups=frozenset(entry.groups),
            types=frozenset(entry.types),
            sources=SourceScope(names=frozenset(entry.sources)),
            proofs=frozenset(entry.proofs),
            may_decide=entry.may_decide,
            may_review=entry.may_review,
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
        sources=tuple(sorted(key.scope.sources.names)),
        proofs=tuple(sorted(key.scope.proofs)),
        may_decide=key.scope.may_decide,
        may_review=key.scope.may_review,
        created_at=key.created_at,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
        events_per_second=key.events_per_second,
    )
