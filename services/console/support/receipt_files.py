"""What a file of receipts holds: signatures, each with the receipts beside it. None of it is believed here."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec import UNSET, UnsetType

from services.console.support import inputs
from services.console.support.inputs import Unusable

Claim = Mapping[str, object]

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*")
_JSON = msgspec.json.Decoder()
_WANTED = "an answer of intake, lines as `dondoc submit` prints them, or a compact JWS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A signature and the receipts that stand beside it in the file, if any."""

    place: str
    jws: str
    claimed: list[Claim]


class _Answer(msgspec.Struct):
    jws: str
    receipts: list[dict[str, object]] | UnsetType = UNSET


def read(file: Path) -> Iterator[Signed]:
    """Yield the signatures of *file* in order; raise `Unusable` where something else stands."""
    text = inputs.read_text(file).strip()
    if not text:
        raise Unusable(f"{file}: the file is empty; what can be verified is {_WANTED}")
    if _is_json(text):  # it may fill many lines
        yield _signed(text, str(file))
        return
    for number, line in inputs.read_lines(file):
        yield _signed(line.strip(), f"{file}:{number}")


def _is_json(text: str) -> bool:
    try:
        _JSON.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _signed(text: str, place: str) -> Signed:
    if _COMPACT.fullmatch(text):
        return Signed(place=place, jws=text, claimed=[])
    try:
        document = _JSON.decode(text)
        answer = msgspec.convert(document, _Answer)
    except msgspec.ValidationError as cause:
        raise Unusable(f"{place}: {cause}; what can be verified is {_WANTED}") from cause
    except (msgspec.DecodeError, RecursionError) as cause:
        raise Unusable(f"{place}: neither JSON nor a JWS; what can be verified is {_WANTED}") from cause
    if answer.receipts is not UNSET:
        return Signed(place=place, jws=answer.jws, claimed=list(answer.receipts))
    return Signed(place=place, jws=answer.jws, claimed=[document] if "receiptid" in document else [])
