"""Who is posting: the bearer key of a request against the file of keys, which is read anew when it changes.

A revoked or expired key stops working without a restart. A refusal leaves an audit line, never the secret.
"""

import hmac
import logging
from collections.abc import Mapping
from pathlib import Path

from services.intake import secret_files, secret_files
from services.intake.asgi import RequestRefusedError
from services.intake.core.problems import RequestProblem, Refusal, Said
from services.intake.core.scopes import ApiKey
from services.intake.secret_files import FileWatcher
from services.runtime.clock import Clock

_UNKNOWN_KEY_DIGEST = api_keys_file.secret_digest("nobody has this secret")
"""Compared with when the key id is unknown, so that the answer takes as long as for a known one."""

_BEARER = "bearer "

log = logging.getLogger(__name__)


class ApiKeys:
    """The keys in force."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._watched = FileWatcher(path)
        self._clock = clock
        self._keys: Mapping[str, ApiKey] = {}

    def load(self) -> None:
        """Read the keys; raise `KeyFileError` if the file is none."""
        self._keys = {key.id: key for key in api_keys_file.read_keys(self._watched.path)}
        log.info("the keys are loaded", extra={"action": "keys_loaded", "keys": len(self._keys)})

    async def follow(self) -> None:
        """Read the file anew whenever it changes."""
        await secret_files.reload_on_change(self._watched, self.load, api_keys_file.KeyFileError)

    def authenticate(self, authorization: str | None) -> ApiKey:
        """Return the key behind an `Authorization` header; raise with 401 for anything but a good one."""
        if authorization is None or authorization[: len(_BEARER)].lower() != _BEARER:
            raise _unauthenticated("no bearer key", key_id=None)
        named = api_keys_file.parse_bearer(authorization[len(_BEARER) :].strip())
        key = None if named is None else self._keys.get(named[0])
        presented = api_keys_file.secret_digest("" if named is None else named[1])
        is_right = hmac.compare_digest(presented, _UNKNOWN_KEY_DIGEST if key is None else key.sha256)
        if key is None or not is_right:
            raise _unauthenticated("unknown key", key_id=None if key is None else key.id)
        if not key.is_valid_at(self._clock.now()):
            raise _unauthenticated("expired or revoked key", key_id=key.id)
        return key


def _unauthenticated(reason: str, *, key_id: str | None) -> RequestRefusedError:
    log.warning("a request was refused", extra={"action": "unauthenticated", "reason": reason, "key": key_id})
    return RequestRefusedError(
        Refusal(
            problem=RequestProblem.UNAUTHENTICATED,
            detail=Said(
                en=f"{reason}; send `Authorization: Bearer KEY` with a key of yours that is in force",
                vi="hãy gửi `Authorization: Bearer KEY` với khóa còn hiệu lực của đơn vị",
            ),
        )
    )
