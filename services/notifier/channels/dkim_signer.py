"""DKIM signatures (RFC 6376): what the sender's domain signs, its receivers can hold it to. The signing is dkimpy's.

A signature costs milliseconds of processor time, because dkimpy computes RSA in Python.
"""

from pathlib import Path

import dkim
from dkim import crypto

# Signed once more than they occur, so that nobody can add another one (RFC 6376, section 8.15).
_OCCUR_ONCE = (*dkim.DKIM.RFC5322_SINGLETON, b"subject")
_CANONICALIZATION = (b"relaxed", b"relaxed")


class UnusableKeyError(Exception):
    """The file holds no RSA private key in PEM. The message names the file."""


class DkimSigner:
    """Signs mails in the name of *domain*; the public key lies in the DNS at `SELECTOR._domainkey.DOMAIN`."""

    def __init__(self, *, domain: str, selector: str, key: bytes) -> None:
        self._domain = domain.encode("ascii")
        self._selector = selector.encode("ascii")
        self._key = key

    def sign_mail(self, mail: bytes) -> bytes:
        """Return *mail* with its signature in front.

        Signed are the body, and of the header fields those that RFC 6376 (section 5.4.1) recommends.
        """
        signature = dkim.DKIM(mail)
        signature.add_frozen(_OCCUR_ONCE)
        return bytes(signature.sign(self._selector, self._domain, self._key, canonicalize=_CANONICALIZATION)) + mail


def read_signing_key(path: Path) -> bytes:
    """Return the RSA private key in *path*, PEM; raise `UnusableKeyError`, and `OSError` where it cannot be read."""
    key = path.read_bytes()
    try:
        crypto.parse_pem_private_key(key)
    except crypto.UnparsableKeyError:
        raise UnusableKeyError(f"{path} holds no RSA private key in PEM") from None
    return key
