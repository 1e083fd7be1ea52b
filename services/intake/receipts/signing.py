"""Signs receipts: one compact JWS (Ed25519) for each request, verifiable offline with the published key set.

The first key in the file signs. The others are published, so that what they signed can still be verified.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec
import pybase64
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from msgspec import Raw
from nacl import bindings as libsodium

from services.runtime import secret_files
from services.runtime.secret_files import FileWatcher

ALGORITHM = "Ed25519"
CURVE: Literal["Ed25519"] = "Ed25519"
TYPE = "dondoc-receipts+jws"

# Beyond this length OpenSSL signs faster than libsodium: it hashes faster, although it is slower on the curve.
LONG_INPUT_BYTES = 8 * 1024

log = logging.getLogger(__name__)


class SigningKeysError(Exception):
    """The file of signing keys cannot be read; restore it, or rotate to new ones with `dondoc receipt rotate`."""


class Signer:
    """Signs with the current key, and knows the public half of all keys."""

    def __init__(self, keys: Sequence[OKPKey], issuer: str) -> None:
        self._keys = tuple(keys)
        self._openssl_key = _private_key(keys[0])
        _, self._libsodium_key = libsodium.crypto_sign_seed_keypair(self._openssl_key.private_bytes_raw())
        self._header = _base64url(msgspec.json.encode({"alg": ALGORITHM, "kid": keys[0].thumbprint(), "typ": TYPE}))
        self._payload_start = b'{"iss":%b,"receipts":' % msgspec.json.encode(issuer)

    def sign(self, receipts: Raw) -> str:
        """Return the compact JWS (RFC 7515) over the issuer and *receipts*, an array in JSON.

        It is assembled here instead of by joserfc, because the header is always the same: encoding it each time would
        take a quarter of the cost of a response.
        """
        signed = self._header + b"." + _base64url(b"%b%b}" % (self._payload_start, receipts))
        # Ed25519 hashes the whole input twice (RFC 8032), so the faster hash decides for long ones.
        if len(signed) > LONG_INPUT_BYTES:
            signature = self._openssl_key.sign(signed)
        else:
            signature = libsodium.crypto_sign(signed, self._libsodium_key)[: libsodium.crypto_sign_BYTES]
        return (signed + b"." + _base64url(signature)).decode("ascii")

    def public_key_set(self) -> bytes:
        """Return the public key set as JSON (RFC 7517), the current key first."""
        return msgspec.json.encode({"keys": [_public_jwk(key) for key in self._keys]})


class SigningKeys:
    """Provides the signer in force; it changes when the keys are rotated."""

    def __init__(self, path: Path, issuer: str) -> None:
        self._watcher = FileWatcher(path)
        self._issuer = issuer
        self._signer: Signer | None = None

    @property
    def signer(self) -> Signer:
        if self._signer is None:
            raise SigningKeysError("the signing keys are not loaded yet")
        return self._signer

    def load(self) -> None:
        """Read the file, or create it with a first key; raise `SigningKeysError` if it cannot be read."""
        self._signer = Signer(load_keys(self._watcher.path), self._issuer)

    def refresh(self) -> None:
        """Reload the file if it has changed, so that a key that signs in another process is published here as well."""
        if self._watcher.has_changed():
            self.load()

    async def watch(self) -> None:
        """Reload the file whenever it changes, until cancelled."""
        await secret_files.reload_on_change(self._watcher, self.load, SigningKeysError)


def load_keys(path: Path) -> list[OKPKey]:
    """Return the keys in *path*, the signing one first; create the file with a new key if there is none."""
    return _read_keys(path) or rotate_keys(path)


def rotate_keys(path: Path) -> list[OKPKey]:
    """Put a new key in front of the others and return all keys; of the former keys only the public half stays."""
    new = OKPKey.generate_key(CURVE, private=True)
    with secret_files.lock_file(path):  # of two rotations at once the later would lose the key of the earlier
        former = _read_keys(path)
        jwks = [new.as_dict(private=True), *(key.as_dict(private=False) for key in former)]
        secret_files.replace_file(path, msgspec.json.encode({"keys": jwks}))
    log.info("a new signing key is in force", extra={"action": "signing_key_rotated", "kid": new.thumbprint()})
    return [new, *former]


def _read_keys(path: Path) -> list[OKPKey]:
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return []
    try:
        return [OKPKey.import_key(one) for one in msgspec.json.decode(text)["keys"]]
    except (msgspec.DecodeError, KeyError, TypeError, ValueError, JoseError) as cause:
        raise SigningKeysError(str(path)) from cause


def _private_key(key: OKPKey) -> Ed25519PrivateKey:
    private = key.private_key
    if not isinstance(private, Ed25519PrivateKey):
        raise SigningKeysError("the first key has no private half, or is not for Ed25519")
    return private


def _base64url(content: bytes) -> bytes:
    return pybase64.urlsafe_b64encode(content).rstrip(b"=")


def _public_jwk(key: OKPKey) -> dict[str, object]:
    return {**key.as_dict(private=False), "kid": key.thumbprint(), "use": "sig", "alg": ALGORITHM}
