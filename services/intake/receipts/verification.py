"""Checking a signed receipt with nothing but the published key set: no service, no network."""

from collections.abc import Mapping
from typing import Any

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from services.intake.receipts.signing import ALGORITHM

PAYLOAD_BYTES_MAX = 8 * 1024 * 1024  # a batch of a thousand events with the longest names, in base64


class InvalidReceiptError(Exception):
    """The receipt is not what the holder of the keys signed; the message says how it differs."""


class InvalidKeySetError(Exception):
    """This is no key set; save what intake publishes at `/.well-known/jwks.json`."""


class _Payload(msgspec.Struct):
    iss: str
    receipts: list[dict[str, str]]


class _BatchRegistry(jws.JWSRegistry):
    """The library's own limit is that of a web request's header; the receipts of a whole batch are longer."""

    max_payload_length = PAYLOAD_BYTES_MAX


def parse_key_set(text: bytes) -> KeySet:
    """Return the key set that *text* writes (RFC 7517); a single key will do as well."""
    try:
        document = msgspec.json.decode(text, type=dict[str, Any])
        return KeySet.import_key_set(document if "keys" in document else {"keys": [document]})  # type: ignore[arg-type]  # a file holds anything
    except (msgspec.DecodeError, JoseError, KeyError, TypeError, ValueError, RecursionError) as cause:
        raise InvalidKeySetError(str(cause)) from cause


def verify_receipts(compact: str, keys: KeySet) -> tuple[str, list[dict[str, str]]]:
    """Return the issuer and the receipts that *compact* signs; raise `InvalidReceiptError` if no key of *keys* did."""
    try:
        signed = jws.deserialize_compact(compact, keys, registry=_BatchRegistry(algorithms=[ALGORITHM]))
        payload = msgspec.json.decode(signed.payload, type=_Payload)
    except (JoseError, ValueError, KeyError, TypeError, RecursionError, msgspec.DecodeError) as cause:
        raise InvalidReceiptError(f"the signature does not hold: {cause}") from cause
    return payload.iss, payload.receipts


def check_claims(claimed: list[Mapping[str, object]], signed: list[dict[str, str]]) -> None:
    """Raise `InvalidReceiptError` if what stands beside a signature is not among what it signs."""
    for claim in claimed:
        bare = {name: value for name, value in claim.items() if name != "jws"}
        if bare not in signed:
            raise InvalidReceiptError(f"the receipt of event {bare.get('id')!r} is not the one that was signed")
