"""Signing receipts: one compact JWS (Ed25519) a request, verifiable offline with the published key set.

The first key of the file signs; the others are published so that what they signed can still be checked.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self

import msgspec
import pybase64
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from msgspec import Raw
from nacl.signing import SigningKey

from services.intake import secret_files, secret_files
from services.intake.secret_files import FileWatcher

ALGORITHM = "Ed25519"
CURVE: Literal["Ed25519"] = "Ed25519"
TYPE = "dondoc-receipts+jws"
LONG_BYTES = 8 * 1024
"""libsodium is the faster on the curve, OpenSSL in hashing: from there on it has made up for it."""

log = logging.getLogger(__name__)


class SigningKeysError(Exception):
    """The file of signing keys cannot be read; restore it, or rotate to new ones with `dondoc receipt rotate_keys`."""


class Signer:
    """Signs with the current key and tells the public ones."""

    def __init__(self, keys: Sequence[OKPKey], issuer: str) -> None:
        self._keys = tuple(keys)
        self._private = _private_half(keys[0])
        self._private_for_short = SigningKey(self._private.private_bytes_raw())
        self._header = _base64url(msgspec.json.encode({"alg": ALGORITHM, "kid": keys[0].thumbprint(), "typ": TYPE}))
        self.issuer = issuer

    @classmethod
    def from_json(cls, key: bytes, issuer: str) -> Self:
        """Return the signer whose `key` is *key*."""
        return cls([OKPKey.import_key(msgspec.json.decode(key))], issuer)

    @property
    def key(self) -> bytes:
        """The current key with its private half, as JSON (RFC 8037): for a process that signs beside this one."""
        return msgspec.json.encode(self._keys[0].as_dict(private=True))

    def sign(self, receipts: Raw) -> str:
        """Return the compact JWS (RFC 7515) over *receipts*, an array in JSON, and the issuer.

        Put together here because the header never changes: that is a quarter of the cost of an answer.
        """
        signed = self._header + b"." + _base64url(msgspec.json.encode({"iss": self.issuer, "receipts": receipts}))
        return (signed + b"." + _base64url(self._signature(signed))).decode("ascii")

    def _signature(self, signed: bytes) -> bytes:
        if len(signed) > LONG_BYTES:
            return self._private.sign(signed)
        return self._private_for_short.sign(signed).signature

    def published(self) -> bytes:
        """Return the public key set (RFC 7517), current key first."""
        return msgspec.json.encode({"keys": [_public_jwk(key) for key in self._keys]})


class SigningKeys:
    """The signer in force, which changes when the keys are rotated."""

    def __init__(self, path: Path, issuer: str) -> None:
        self._watched = FileWatcher(path)
        self._issuer = issuer
        self._signer: Signer | None = None

    @property
    def signer(self) -> Signer:
        if self._signer is None:
            raise SigningKeysError("the signing keys are not loaded yet")
        return self._signer

    def load(self) -> None:
        """Read the keys, and make the first one where there is none; raise `SigningKeysError` if the file is broken."""
        self._signer = Signer(load_keys(self._watched.path), self._issuer)

    def refresh(self) -> None:
        """Read the file anew if it has changed: what another process signs with is then published here, too."""
        if self._watched.has_changed():
            self.load()

    async def follow(self) -> None:
        """Read the file anew whenever it changes."""
        await secret_files.reload_on_change(self._watched, self.load, SigningKeysError)


def load_keys(path: Path) -> list[OKPKey]:
    """Return the keys of *path*, the signing one first; create the file with a fresh key if there is none."""
    return _read_keys(path) or rotate_keys(path)


def rotate_keys(path: Path) -> list[OKPKey]:
    """Put a fresh key in front; of the former ones only the public half stays."""
    fresh = OKPKey.generate_key(CURVE, private=True)
    with secret_files.lock_file(path):  # two rotations at once would each publish only their own key
        former = _read_keys(path)
        written = [fresh.as_dict(private=True), *(key.as_dict(private=False) for key in former)]
        secret_files.replace_file(path, msgspec.json.encode({"keys": written}))
    log.info("a new signing key is in force", extra={"action": "signing_key_rotated", "kid": fresh.thumbprint()})
    return [fresh, *former]


def _read_keys(path: Path) -> list[OKPKey]:
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return []
    try:
        return [OKPKey.import_key(one) for one in msgspec.json.decode(text)["keys"]]
    except (msgspec.DecodeError, KeyError, TypeError, ValueError, JoseError) as cause:
        raise SigningKeysError(str(path)) from cause


def _private_half(key: OKPKey) -> Ed25519PrivateKey:
    private = key.private_key
    if not isinstance(private, Ed25519PrivateKey):
        raise SigningKeysError("the first key has no private half, or is not for Ed25519")
    return private


def _base64url(content: bytes) -> bytes:
    return pybase64.urlsafe_b64encode(content).rstrip(b"=")


def _public_jwk(key: OKPKey) -> dict[str, object]:
    return {**key.as_dict(private=False), "kid": key.thumbprint(), "use": "sig", "alg": ALGORITHM}
