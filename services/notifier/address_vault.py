"""Encrypts addresses for the database, and digests them for look-up, with keys that the database does not hold.

A copy of the database, a backup for example, then tells nobody's telephone number (Law 91/2025/QH15 on the protection
of personal data, with Decree 356/2025/ND-CP). AES-256-GCM; the agency is authenticated with the address, so that one
cannot be moved to another. The digest is HMAC-SHA256: without its key nobody can try all telephone numbers.
"""

import hmac
import secrets
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from services.notifier.errors import AddressKeyError

_NONCE_BYTES = 12  # of GCM, NIST SP 800-38D section 5.2.1.1
_KEY_BYTES = 32
_VERSION = b"\x01"


class AddressCipher:
    """Encrypts and digests with two keys derived from one secret."""

    def __init__(self, secret: str) -> None:
        self._cipher = AESGCM(_derive_key(secret, b"dondoc contact addresses"))
        self._digest_key = _derive_key(secret, b"dondoc contact digests")

    def encrypt(self, address: str, agency: str) -> bytes:
        """Return *address* encrypted, as one of *agency*."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, address.encode(), agency.encode())

    def decrypt(self, sealed: bytes, agency: str) -> str:
        """Return the address in *sealed*; raise `AddressKeyError` if another key made it, or for another agency."""
        nonce, content = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, content, agency.encode()).decode()
        except (InvalidTag, ValueError) as cause:
            raise AddressKeyError from cause

    def digest(self, address: str) -> str:
        """Return the digest by which *address* is found without being decrypted."""
        return hmac.digest(self._digest_key, address.casefold().encode(), "sha256").hex()


class AddressVault:
    """Writes addresses into documents, and reads and finds them there; in clear where there is no cipher.

    What an earlier version wrote in clear is read and found as well.
    """

    def __init__(self, cipher: AddressCipher | None = None) -> None:
        self._cipher = cipher

    def encode_address(self, address: str, agency: str) -> dict[str, Any]:
        """Return the fields that hold *address* of *agency*."""
        if self._cipher is None:
            return {"address": address}
        return {"sealed": self._cipher.encrypt(address, agency), "digest": self._cipher.digest(address)}

    def decode_address(self, fields: Mapping[str, Any], agency: str) -> str:
        """Return the address in *fields*, "" if it was erased; raise `AddressKeyError` if another key made it."""
        sealed = fields.get("sealed")
        if sealed is None:
            return str(fields.get("address", ""))
        if self._cipher is None:
            raise AddressKeyError
        return self._cipher.decrypt(sealed, agency)

    def find_address(self, address: str, path: str = "") -> dict[str, Any]:
        """Return the condition on documents whose fields, at *path* (`recipient.`), hold *address*."""
        ways: list[dict[str, Any]] = [{f"{path}address": address}]
        if self._cipher is not None:
            ways.append({f"{path}digest": self._cipher.digest(address)})
        return {"$or": ways}


IN_CLEAR = AddressVault()


def _derive_key(secret: str, purpose: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=_KEY_BYTES, salt=None, info=purpose).derive(secret.encode())
