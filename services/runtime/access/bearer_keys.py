"""Bearer keys: `PREFIX_ID_SECRET`, what is stored of the secret, and how a presented one is compared with that.

A secret is 256 random bits, so a plain SHA-256 of it is as safe as a slow password hash and costs a request nothing.
"""

import hashlib
import hmac
import secrets

SECRET_BYTES = 32
ID_BYTES = 5

# Compared in lower case: the name of a scheme is case-insensitive (RFC 9110 section 11.1).
_AUTHORIZATION_SCHEME = "bearer "


def create_id() -> str:
    """Return the id of a new key."""
    return secrets.token_hex(ID_BYTES)


def create_secret() -> str:
    """Return the secret of a new key."""
    return secrets.token_urlsafe(SECRET_BYTES)


def digest_secret(secret: str) -> str:
    """Return the digest that is stored of a secret: its SHA-256 in hex."""
    return hashlib.sha256(secret.encode()).hexdigest()


# Compared with if the key id is unknown, so that the answer takes as long as for a known one.
_UNKNOWN_KEY_DIGEST = digest_secret("nobody has this secret")


def format_bearer(prefix: str, key_id: str, secret: str) -> str:
    """Return the bearer token that a client sends. The id makes finding the key a dictionary look-up."""
    return f"{prefix}_{key_id}_{secret}"


def read_authorization(prefix: str, authorization: str | None) -> tuple[str, str] | None:
    """Return the key id and the secret of an `Authorization` header (RFC 6750 section 2.1).

    None where there is no bearer token; both are empty where it does not have our form.
    """
    scheme = _AUTHORIZATION_SCHEME
    if authorization is None or authorization[: len(scheme)].lower() != scheme:
        return None
    # Split at the first two only: the secret is base64url, whose alphabet has the underscore (RFC 4648 section 5).
    parts = authorization[len(scheme) :].strip().split("_", 2)
    if len(parts) != 3 or parts[0] != prefix:  # noqa: PLR2004 - prefix, id, secret
        return "", ""
    return parts[1], parts[2]


def is_secret_of(secret: str, stored_digest: str | None) -> bool:
    """Whether *stored_digest* is that of *secret*; None is the digest of a key that does not exist.

    Digests are compared, and in constant time, so that how long it takes reveals nothing of the stored one. A key that
    does not exist takes the same steps, so that the time of the answer does not reveal which ids there are.
    """
    expected = _UNKNOWN_KEY_DIGEST if stored_digest is None else stored_digest
    return hmac.compare_digest(digest_secret(secret), expected) and stored_digest is not None
