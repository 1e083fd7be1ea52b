"""DKIM signatures (RFC 6376): what the sender's domain signs, its receivers can hold it to. The signing is dkimpy's.

A signature costs milliseconds of processor time, because dkimpy computes RSA in Python.
"""

import hashlib
from pathlib import Path

import dkim
from dkim import crypto

# Signed once more than they occur, so that nobody can add another one (RFC 6376, section 8.15).
_OCCUR_ONCE = (*dkim.DKIM.RFC5322_SINGLETON, b"subject")
_CANONICALIZATION = (b"relaxed", b"relaxed")


_KEY_BITS_MIN = 1_024  # RFC 8301, section 3.2: receivers take no signature with fewer


class UnusableKeyError(Exception):
    """The file holds no RSA private key in PEM that signs. The message names the file and says what is wrong."""


class MailNotSignedError(Exception):
    """No signature could be made, so that the mail is not sent. It holds nothing of the mail nor of the key."""


class DkimSigner:
    """Signs mails in the name of *domain*; the public key lies in the DNS at `SELECTOR._domainkey.DOMAIN`."""

    def __init__(self, *, domain: str, selector: str, key: bytes) -> None:
        self._domain = domain.encode("ascii")
        self._selector = selector.encode("ascii")
        self._key = key

    def sign_mail(self, mail: bytes) -> bytes:
        """Return *mail* with its signature in front.

        Signed are the body, and of the header fields those that RFC 6376 (section 5.4.1) recommends. Raises
        `MailNotSignedError`.
        """
        try:
            signature = dkim.DKIM(mail)
            signature.add_frozen(_OCCUR_ONCE)
            signed = signature.sign(self._selector, self._domain, self._key, canonicalize=_CANONICALIZATION)
        except Exception:  # noqa: BLE001 - dkimpy lets pass whatever its arithmetic raises
            # Its errors quote the mail.
            raise MailNotSignedError from None
        return bytes(signed) + mail


def read_signing_key(path: Path) -> bytes:
    """Return the RSA private key in *path*, PEM; raise `UnusableKeyError`, and `OSError` where it cannot be read.

    It has signed once, so that a key of which no receiver takes a signature is refused before a mail waits for it.
    """
    key = path.read_bytes()
    try:
        parts = crypto.parse_pem_private_key(key)
    except crypto.UnparsableKeyError:
        raise UnusableKeyError(f"{path} holds no RSA private key in PEM") from None
    bits = int(parts["modulus"]).bit_length()
    if bits < _KEY_BITS_MIN:
        raise UnusableKeyError(f"{path} holds a key of {bits} bits; receivers want {_KEY_BITS_MIN}, better 2048")
    if not _has_signed(parts):
        raise UnusableKeyError(f"{path} holds a damaged RSA key: what it signs is not verified by its own public part")
    return key


def _has_signed(key: dict[str, int]) -> bool:
    try:
        signature = crypto.RSASSA_PKCS1_v1_5_sign(hashlib.sha256(), key)
        return bool(crypto.RSASSA_PKCS1_v1_5_verify(hashlib.sha256(), signature, key))
    except (ValueError, ArithmeticError, crypto.DigestTooLargeError):
        return False
