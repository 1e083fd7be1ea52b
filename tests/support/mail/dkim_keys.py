"""A key for DKIM signatures, and the DNS record with its public half, as a receiver finds it."""

import base64
from collections.abc import Callable, Sequence
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

DOMAIN, SELECTOR = "dondoc.example", "nhac-2026"
_TINY = (0, 3233, 17, 2753, 61, 53, 53, 49, 38)  # version, modulus, exponents, primes, …: RFC 8017, appendix A.1.2
_INTEGER, _SEQUENCE = 0x02, 0x30


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


def write_tiny_key(path: Path) -> None:
    """Write a key to *path* that is too short for any signature."""
    _write_numbers(path, _TINY)


def write_damaged_key(path: Path) -> None:
    """Write a key to *path* whose signatures its own public half does not verify."""
    numbers = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_numbers()
    public = numbers.public_numbers
    parts = (0, public.n, public.e, numbers.d, numbers.p, numbers.q, numbers.dmp1 + 2, numbers.dmq1, numbers.iqmp)
    _write_numbers(path, parts)


def _write_numbers(path: Path, numbers: Sequence[int]) -> None:
    integers = (_encode(_INTEGER, one.to_bytes(one.bit_length() // 8 + 1, "big")) for one in numbers)
    encoded = base64.b64encode(_encode(_SEQUENCE, b"".join(integers))).decode("ascii")
    path.write_text(f"-----BEGIN RSA PRIVATE KEY-----\n{encoded}\n-----END RSA PRIVATE KEY-----\n")


def _encode(tag: int, content: bytes) -> bytes:
    """Return *content* as DER, with its length in two octets."""
    return bytes((tag, 0x82)) + len(content).to_bytes(2, "big") + content
