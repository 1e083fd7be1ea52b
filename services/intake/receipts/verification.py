"""Verifies signed receipts with the published key set alone: no service and no network is needed."""

from collections.abc import Mapping
from typing import Any

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from services.intake.receipts.signing import ALGORITHM

PAYLOAD_BYTES_MAX = 8 * 1024 * 1024  # the receipts of 1,000 events with the longest ids and sources, in base64


class InvalidReceiptError(Exception):
    """The receipt is not what the holder of the keys has signed; the message says how it differs."""


class InvalidKeySetError(Exception):
    """The text is not a key set; save what intake publishes at `/.well-known/jwks.json`."""


class _Payload(msgspec.Struct):
    iss: str
    receipts: list[dict[str, str]]


class _BatchRegistry(jws.JWSRegistry):
    """Allows longer payloads: joserfc's limit is meant for HTTP headers, and the receipts of a batch exceed it."""

    max_payload_length = PAYLOAD_BYTES_MAX


def parse_key_set(text: bytes) -> KeySet:
    """Return the key set in *text* (RFC 7517), or the set of a single key; raise `InvalidKeySetError`."""
    try:
        document = msgspec.json.decode(text, type=dict[str, Any])
        return KeySet.import_key_set(document if "keys" in document else {"keys": [document]})  # type: ignore[arg-type]  # a file holds anything
    except (msgspec.DecodeError, JoseError, KeyError, TypeError, ValueError, RecursionError) as cause:
        raise InvalidKeySetError(str(cause)) from cause


def verify_receipts(compact: str, keys: KeySet) -> tuple[str, list[dict[str, str]]]:
    """Return the issuer and the receipts in the JWS *compact*; raise `InvalidReceiptError` unless *keys* verify it."""
    try:
        signed = jws.deserialize_compact(compact, keys, registry=_BatchRegistry(algorithms=[ALGORITHM]))
        payload = msgspec.json.decode(signed.payload, type=_Payload)
    except (JoseError, ValueError, KeyError, TypeError, RecursionError, msgspec.DecodeError) as cause:
        raise InvalidReceiptError(f"the signature does not hold: {cause}") from cause
    return payload.iss, payload.receipts


def check_claims(claimed: list[Mapping[str, object]], signed: list[dict[str, str]]) -> None:
    """Raise `InvalidReceiptError` if a receipt given beside a signature is not among the *signed* ones."""
    for claim in claimed:
        receipt = {name: value for name, value in claim.items() if name != "jws"}
        if receipt not in signed:
            raise InvalidReceiptError(f"the receipt of event {receipt.get('id')!r} is not the one that was signed")
