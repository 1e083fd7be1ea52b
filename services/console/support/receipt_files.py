"""Reads files of receipts: signatures, each with the receipts written beside it. Nothing is verified here."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec import UNSET, UnsetType

from services.console.support import inputs
from services.console.support.inputs import UnusableInputError

Claim = Mapping[str, object]

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*")
_JSON = msgspec.json.Decoder()
_ACCEPTED = "an answer of intake, lines as `dondoc submit` prints them, or a compact JWS"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedReceipts:
    """A signature (compact JWS) and the receipts written beside it in the file, if any."""

    place: str
    jws: str
    claimed: list[Claim]


class _SignedReceiptFile(msgspec.Struct):
    jws: str
    receipts: list[dict[str, object]] | UnsetType = UNSET


def read_receipts(file: Path) -> Iterator[SignedReceipts]:
    """Yield the signatures of *file* in order; raise `UnusableInputError` where the file holds anything else."""
    text = inputs.read_text(file).strip()
    if not text:
        raise UnusableInputError(f"{file}: the file is empty; what can be verified is {_ACCEPTED}")
    if _is_json(text):  # one document, which may be spread over many lines
        yield _parse_receipts(text, str(file))
        return
    for number, line in inputs.read_lines(file):
        yield _parse_receipts(line.strip(), f"{file}:{number}")


def _is_json(text: str) -> bool:
    try:
        _JSON.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _parse_receipts(text: str, place: str) -> SignedReceipts:
    if _COMPACT.fullmatch(text):
        return SignedReceipts(place=place, jws=text, claimed=[])
    try:
        document = _JSON.decode(text)
        answer = msgspec.convert(document, _SignedReceiptFile)
    except msgspec.ValidationError as cause:
        raise UnusableInputError(f"{place}: {cause}; what can be verified is {_ACCEPTED}") from cause
    except (msgspec.DecodeError, RecursionError) as cause:
        raise UnusableInputError(f"{place}: neither JSON nor a JWS; what can be verified is {_ACCEPTED}") from cause
    if answer.receipts is not UNSET:
        return SignedReceipts(place=place, jws=answer.jws, claimed=list(answer.receipts))
    return SignedReceipts(place=place, jws=answer.jws, claimed=[document] if "receiptid" in document else [])
