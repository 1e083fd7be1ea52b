"""What a request is worth: the records to be kept, and the signed answer that is given once they are.

A receipt derives from what was sent and when it came, so it can be signed before anything is written. The answer stays
here until no crash can lose the records; where an event was received before, it is written anew with that time.
"""

from collections.abc import Sequence
from typing import TypeGuard

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from services.intake import modes
from services.intake.core.admission import Library
from services.intake.core.digest import Receipt
from services.intake.core.scopes import Scope
from services.intake.core.stamps import Stamp, receivedtime_of
from services.intake.desk import Desk
from services.intake.http import Pairs
from services.intake.modes import Mode
from services.intake.receipts import Signer
from services.intake.records import Record, Registered, registered
from services.intake.shortcut import Shortcut


class Handed(Struct, frozen=True):
    """What a client handed in, by whose leave and when; the body is whole."""

    mode: Mode
    headers: Pairs
    body: bytes
    scope: Scope
    receivedtime: str


class Answer(Struct, frozen=True):
    """The body of a 202: a receipt an event, in order, and the compact JWS over them."""

    receipts: Sequence[Receipt]
    jws: str


class Issued(Struct, frozen=True, array_like=True):
    """The records of a request, a record an event, in order; and its answer if all of them are new, as JSON."""

    records: Sequence[Record]
    answer: bytes


class Issuer:
    """Issues what is handed in, by the published plans."""

    def __init__(self, library: Library) -> None:
        self._shortcut = Shortcut(library)
        self._desk = Desk(library)

    def issue(self, handed: Handed, texts: Sequence[bytes | Raw], signer: Signer) -> Issued:
        """Return what *handed* with its *texts* is worth; raise `RefusedError` with every fault if it has any."""
        entered = self._entered(handed, texts)
        return issued(entered if _is_whole(entered) else self._completed(handed, texts, entered), signer)

    def _entered(self, handed: Handed, texts: Sequence[bytes | Raw]) -> list[Registered | None]:
        """Return what takes the shortcut, and nothing in the place of the rest."""
        if handed.mode is Mode.BINARY:
            return [None]
        admissions = self._shortcut.admissions_of(handed.scope)
        return [admissions.registered(text, handed.receivedtime) for text in texts]

    def _completed(
        self, handed: Handed, texts: Sequence[bytes | Raw], entered: Sequence[Registered | None]
    ) -> list[Registered]:
        """Return what was *entered*, with what only the full way can enter."""
        arrived = {
            place: modes.read(handed.mode, handed.headers, texts[place], place)
            for place, one in enumerate(entered)
            if one is None
        }
        accepted = iter(self._desk.examine(arrived, handed.scope, is_batch=handed.mode is Mode.BATCH))
        return [one or registered(next(accepted), handed.receivedtime) for one in entered]


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Answer)


def issued(entered: Sequence[Registered], signer: Signer) -> Issued:
    """Return the records of *entered*, with the answer that *signer* signs."""
    return Issued([one.record for one in entered], _signed([one.receipt for one in entered], signer))


def answer_of(issued: Issued) -> Answer:
    """Return the answer in its parts."""
    return _DECODER.decode(issued.answer)


def answer_anew(issued: Issued, first: Sequence[Stamp], signer: Signer) -> bytes:
    """Return the answer with the times of the *first* receipts, a stamp an event."""
    receipts = answer_of(issued).receipts
    pairs = zip(receipts, first, strict=True)
    return _signed([replace(receipt, receivedtime=receivedtime_of(stamp)) for receipt, stamp in pairs], signer)


def _signed(receipts: Sequence[Receipt], signer: Signer) -> bytes:
    written = Raw(_ENCODER.encode(receipts))
    return _ENCODER.encode({"receipts": written, "jws": signer.sign(written)})


def _is_whole(entered: list[Registered | None]) -> TypeGuard[list[Registered]]:
    return None not in entered
