"""A key for DKIM signatures, and the DNS record with its public half, as a receiver finds it."""

import base64
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

DOMAIN, SELECTOR = "dondoc.example", "nhac-2026"


def write_key(path: Path, *, bits: int = 2048) -> Callable[..., bytes | None]:
    """Write a new key to *path*; return the function by which a verifier looks its record up."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)

    def look_up(name: bytes, timeout: float = 5) -> bytes | None:
        del timeout
        return record if name == f"{SELECTOR}._domainkey.{DOMAIN}.".encode() else None

    return look_up
