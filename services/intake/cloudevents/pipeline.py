"""What a request is worth: the records to be kept, and the signed answer that is given once they are.

A receipt derives from what was sent and when it came, so it can be signed before anything is written. The answer stays
here until no crash can lose the records; where an event was received before, it is written anew with that time.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeGuard

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from services.intake.asgi import HeaderPairs
from services.intake.cloudevents import http_binding
from services.intake.cloudevents.fast_path import FastPath
from services.intake.cloudevents.http_binding import ContentMode
from services.intake.cloudevents.validator import EventValidator
from services.intake.core.admission import PublishedPlanSource
from services.intake.core.dedup_entry import Entry, Stamp, receivedtime_of, stamped
from services.intake.core.event_id import Receipt, identity_of
from services.intake.core.scopes import KeyScope
from services.intake.log.records import Lot, Partitioner, Registered, registered
from services.intake.receipts.signing import Signer


class Handed(Struct, frozen=True):
    """What a client handed in, by whose leave and when; the body is whole."""

    mode: ContentMode
    headers: HeaderPairs
    body: bytes
    scope: KeyScope
    receivedtime: str


class Answer(Struct, frozen=True):
    """The body of a 202: a receipt an event, in order, and the compact JWS over them."""

    receipts: Sequence[Receipt]
    jws: str


class Issued(Struct, frozen=True, array_like=True):
    """The records of a request, a record an event, in lots; and its answer if all of them are new, as JSON."""

    lots: Sequence[Lot]
    answer: bytes

    def __len__(self) -> int:
        return sum(map(len, self.lots))


class Issuer:
    """Issues what is handed in, by the published plans."""

    def __init__(self, library: PublishedPlanSource, partitioner: Partitioner) -> None:
        self._fast_path = FastPath(library)
        self._desk = EventValidator(library)
        self._partitioner = partitioner

    def issue(self, handed: Handed, texts: Sequence[bytes | Raw], signer: Signer) -> Issued:
        """Return what *handed* with its *texts* is worth; raise `RefusedError` with every fault if it has any."""
        entered = self._entered(handed, texts)
        whole = entered if _is_whole(entered) else self._completed(handed, texts, entered)
        return issued(whole, self._partitioner, signer)

    def _entered(self, handed: Handed, texts: Sequence[bytes | Raw]) -> list[Registered | None]:
        """Return what takes the shortcut, and nothing in the place of the rest."""
        if handed.mode is ContentMode.BINARY:
            return [None]
        return self._fast_path.build_records(texts, handed.scope, handed.receivedtime)

    def _completed(
        self, handed: Handed, texts: Sequence[bytes | Raw], entered: Sequence[Registered | None]
    ) -> list[Registered]:
        """Return what was *entered*, with what only the full way can enter."""
        arrived = {
            place: http_binding.decode_event(handed.mode, handed.headers, texts[place], place)
            for place, one in enumerate(entered)
            if one is None
        }
        accepted = iter(self._desk.validate(arrived, handed.scope, is_batch=handed.mode is ContentMode.BATCH))
        return [one or registered(next(accepted), handed.receivedtime) for one in entered]


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Answer)


def issued(entered: Sequence[Registered], partitioner: Partitioner, signer: Signer) -> Issued:
    """Return the records of *entered*, with the answer that *signer* signs."""
    return Issued(partitioner.lots(entered), _signed([one.receipt for one in entered], signer))


def receipts_of(issued: Issued) -> Sequence[Receipt]:
    """Return the receipts of the answer, in the order of the events."""
    return _DECODER.decode(issued.answer).receipts


def entries_of(issued: Issued) -> Iterator[Entry]:
    """Yield what each record tells, in the order of the events."""
    for one in receipts_of(issued):
        yield Entry(identity_of(one.source, one.id), stamped(bytes.fromhex(one.receiptid), one.receivedtime))


def values_of(issued: Issued) -> list[bytes]:
    """Return the records as they would be kept, in the order of the events; no identity stands for two contents."""
    of_identity = {
        identity: value
        for lot in issued.lots
        for identity, value in zip(lot.entries.identities, lot.values, strict=True)
    }
    return [of_identity[one.identity] for one in entries_of(issued)]


def answer_anew(issued: Issued, first: Mapping[bytes, Stamp], signer: Signer) -> bytes:
    """Return the answer with the times of the *first* receipts, a stamp an identity."""
    return _signed(
        [
            replace(one, receivedtime=receivedtime_of(first[identity_of(one.source, one.id)]))
            for one in receipts_of(issued)
        ],
        signer,
    )


def _signed(receipts: Sequence[Receipt], signer: Signer) -> bytes:
    written = Raw(_ENCODER.encode(receipts))
    return _ENCODER.encode({"receipts": written, "jws": signer.sign(written)})


def _is_whole(entered: list[Registered | None]) -> TypeGuard[list[Registered]]:
    return None not in entered
