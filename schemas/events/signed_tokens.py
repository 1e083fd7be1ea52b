"""Signed tokens: claims as a compact JWS (RFC 7515) under a secret key that the signer and the verifier share.

Each kind of token has a name, which is signed with it: a token of one kind is never taken for one of another.
"""

import json

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

# Least length of a shared key in characters. A key shorter than the digest weakens an HMAC (RFC 2104 section 3).
KEY_LENGTH_MIN = 32
TOKEN_LENGTH_MAX = 4096

_ALGORITHM = "HS256"

Claims = dict[str, object]


class BadLink(ValueError):  # noqa: N818 - it reads as a claim about the link
    """The token was not signed with this key, or it was changed afterwards."""


class TokenKey:
    """A secret key that signs and verifies tokens."""

    def __init__(self, secret: str) -> None:
        if len(secret) < KEY_LENGTH_MIN:
            raise ValueError(f"a key that signs links needs {KEY_LENGTH_MIN} letters or more")
        self._key = OctKey.import_key(secret)

    def sign(self, kind: str, claims: Claims) -> str:
        """Return *claims* as a signed token of that *kind*."""
        payload = json.dumps(claims, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        return jws.serialize_compact({"alg": _ALGORITHM, "typ": kind}, payload, self._key, algorithms=[_ALGORITHM])

    def verify(self, kind: str, token: str) -> Claims:
        """Return the claims of *token*; raise `BadLink` unless this key signed it as one of that *kind*."""
        try:
            if len(token) > TOKEN_LENGTH_MAX:
                raise BadLink("the link is too long")
            signed = jws.deserialize_compact(token, self._key, algorithms=[_ALGORITHM])
            claims = json.loads(signed.payload)
        except (JoseError, ValueError) as cause:
            raise BadLink("the link is not ours") from cause
        if signed.headers().get("typ") != kind or not isinstance(claims, dict):
            raise BadLink("the link is for something else")
        return claims
