"""The canonical form of JSON (RFC 8785) and its digest: the same value has the same bytes for everybody.

Intake's canonical form of an event is another one, older, and fixed for good by the receipts that derive from it.
"""

import hashlib
from typing import Any

import rfc8785


def encode(value: Any) -> bytes:  # noqa: ANN401 - any JSON value
    """Return *value* in canonical form; raise `ValueError` for what has none, such as an integer beyond 2^53."""
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as cause:
        raise ValueError(str(cause)) from cause


def digest_bytes(content: bytes) -> str:
    """Return the SHA-256 of *content* in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
