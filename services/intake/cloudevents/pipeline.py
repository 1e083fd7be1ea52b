"""From the body of a request to the answer of its sender: validate the events, build records, append, sign receipts.

The receipts are signed when the records are durable. Only then it is known whether an event was received before: it
keeps the time of its first receipt.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol, cast

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from schemas.events.facts import UNPROVEN
from schemas.plan.values import Bilingual
from schemas.problems import FieldError
from services.intake.asgi import HeaderPairs, RequestRefusedError
from services.intake.cloudevents import http_binding
from services.intake.cloudevents.fast_path import FastPath
from services.intake.cloudevents.http_binding import ContentMode
from services.intake.cloudevents.validator import EventValidator
from services.intake.core import fact_record
from services.intake.core.admission import AcceptedEvent, PublishedPlanSource
from services.intake.core.event_log import IdentityConflictError, LogUnavailableError
from services.intake.core.fact_record import (
    PartitionBatch,
    Partitioner,
    Receipt,
    RecordWithReceipt,
    Stamp,
    identity_and_digest,
    identity_of,
    make_stamp,
)
from services.intake.core.problems import Refusal, RequestProblem
from services.intake.core.scopes import KeyScope
from services.intake.receipts.signing import Signer

RETRY_AFTER_SECONDS = 5

_ENCODER = msgspec.json.Encoder()

log = logging.getLogger(__name__)


class EventLog(Protocol):
    """Where accepted events are written, once each (`dedup.deduplicator`, or from a worker `workers.log_client`)."""

    async def append(self, batches: Sequence[PartitionBatch]) -> Mapping[bytes, Stamp] | None:
        """Return once every event in *batches* is durable: None if all are new, else the first stamp of each identity.

        Raise `IdentityConflictError` if an identity has other content already, `LogUnavailableError` if neither
        the broker nor the spool takes the records; in both cases nothing of *batches* was written.
        """
        ...

    async def check_conflicts(self, batches: Sequence[PartitionBatch]) -> None:
        """Raise `IdentityConflictError` where `append` would by what is known now; write nothing."""
        ...


class CurrentSigner(Protocol):
    """The signing key in force (`receipts.signing.SigningKeys`), which changes when keys are rotated."""

    @property
    def signer(self) -> Signer:
        """The signer of the current key."""
        ...


class PostedEvents(Struct, frozen=True):
    """A request with events: its body is whole, `scope` is what its key may post."""

    mode: ContentMode
    headers: HeaderPairs
    body: bytes
    scope: KeyScope
    receivedtime: str


class ReceiptDocument(Struct, frozen=True):
    """The body of a 202: one receipt an event, in order, and the compact JWS over them."""

    receipts: Sequence[Receipt]
    jws: str


class PreparedEvents(Struct, frozen=True):
    """Validated events: their records by partition, and their receipts (a JSON array) if all of them are new.

    The receipts are encoded at once: the objects are still in the processor's caches, and need not be kept until then.
    """

    count: int
    batches: Sequence[PartitionBatch]
    receipts: bytes


_DECODER = msgspec.json.Decoder(list[Receipt])
_Records = list[RecordWithReceipt]


class Pipeline:
    """Prepares events by the published plans, and appends what was prepared to the event log."""

    def __init__(
        self, plans: PublishedPlanSource, partitioner: Partitioner, signing_keys: CurrentSigner, event_log: EventLog
    ) -> None:
        self._fast_path = FastPath(plans)
        self._validator = EventValidator(plans)
        self._partitioner = partitioner
        self._signing_keys = signing_keys
        self._event_log = event_log

    def prepare(self, posted: PostedEvents, texts: Sequence[bytes | Raw]) -> PreparedEvents:
        """Return the records and the receipts of *posted*, whose events are *texts*.

        Raise `RequestRefusedError` with every fault of every event (403 or 422).
        """
        if posted.mode is ContentMode.BINARY:
            return self.group(self._build_rest(posted, texts, [None]))
        built = self._fast_path.build_records(posted.body, texts, posted.scope, posted.receivedtime)
        return self.group(self._build_rest(posted, texts, built) if None in built else cast("_Records", built))

    def group(self, records: Sequence[RecordWithReceipt]) -> PreparedEvents:
        """Return *records* by partition, with their receipts."""
        receipts = _ENCODER.encode([one.receipt for one in records])
        return PreparedEvents(len(records), self._partitioner.group_by_partition(records), receipts)

    async def append(self, prepared: PreparedEvents, *, is_batch: bool) -> bytes:
        """Return the signed answer (JSON, a `ReceiptDocument`) once every event is durable.

        Raise `RequestRefusedError` with 409 if an identity has other content already, with 503 if nothing can be
        written.
        """
        try:
            first = await self._event_log.append(prepared.batches)
        except IdentityConflictError as error:
            raise _refuse_conflicts(prepared, error, is_batch=is_batch) from error
        except LogUnavailableError as error:
            raise RequestRefusedError(_UNAVAILABLE) from error
        receipts = prepared.receipts if first is None else _with_first_times(receipts_of(prepared), first)
        return _sign_answer(receipts, self._signing_keys.signer)

    async def check_conflicts(self, prepared: PreparedEvents, *, is_batch: bool) -> None:
        """Raise `RequestRefusedError` with 409 where `append` would; write nothing. This is for a dry run."""
        try:
            await self._event_log.check_conflicts(prepared.batches)
        except IdentityConflictError as error:
            raise _refuse_conflicts(prepared, error, is_batch=is_batch) from error
        except LogUnavailableError as error:
            raise RequestRefusedError(_UNAVAILABLE) from error

    def _build_rest(
        self, posted: PostedEvents, texts: Sequence[bytes | Raw], built: Sequence[RecordWithReceipt | None]
    ) -> list[RecordWithReceipt]:
        """Return the records of all events: those that the fast path has *built*, and the rest by the full path."""
        received = {
            place: http_binding.decode_event(posted.mode, posted.headers, texts[place], place)
            for place, one in enumerate(built)
            if one is None
        }
        accepted = iter(self._validator.validate(received, posted.scope, is_batch=posted.mode is ContentMode.BATCH))
        return [one or build_record(next(accepted), posted.receivedtime) for one in built]


def build_record(accepted: AcceptedEvent, receivedtime: str) -> RecordWithReceipt:
    """Return the record and the receipt of an accepted event that was received at *receivedtime*.

    The sender's `data` stays in the sender's own writing; `subject` becomes the permanent id of the agency. A proof of
    dispatch that the key may not state is marked, as ruling 12 demands.
    """
    event = accepted.event
    identity, digest = identity_and_digest(event.source, event.id, event.content)
    receiptid = digest.hex()
    proof = {"dispatchproof": UNPROVEN} if accepted.is_dispatch_unproven else {}
    value = {
        **event.attributes,
        "subject": accepted.admission.agency,
        "datacontenttype": "application/json",
        "receivedtime": receivedtime,
        "receiptid": receiptid,
        **proof,
        "data": Raw(event.raw_data),
    }
    return RecordWithReceipt(
        key=accepted.admission.duty_agency.encode(),
        value=_ENCODER.encode(value),
        identity=identity,
        stamp=make_stamp(digest, receivedtime),
        receipt=Receipt(
            id=event.id, source=event.source, receiptid=receiptid, receivedtime=receivedtime, sha256=event.sha256
        ),
    )


def values_of(prepared: PreparedEvents) -> list[bytes]:
    """Return the record values in the order of the events. No identity may stand for two contents."""
    by_identity = {
        identity: value
        for batch in prepared.batches
        for identity, value in zip(batch.entries.identities, batch.values, strict=True)
    }
    return [by_identity[identity_of(one.source, one.id)] for one in receipts_of(prepared)]


def receipts_of(prepared: PreparedEvents) -> Sequence[Receipt]:
    """Return the receipts in the order of the events."""
    return _DECODER.decode(prepared.receipts)


def _with_first_times(receipts: Sequence[Receipt], first: Mapping[bytes, Stamp]) -> bytes:
    """Return *receipts* (a JSON array) with the time of the *first* receipt of each event."""
    return _ENCODER.encode(
        [
            replace(one, receivedtime=fact_record.receivedtime_of(first[identity_of(one.source, one.id)]))
            for one in receipts
        ]
    )


def _sign_answer(receipts: bytes, signer: Signer) -> bytes:
    # The signature is over the very bytes that the answer shows. A JWS has no character that JSON would escape.
    return b'{"receipts":%b,"jws":"%b"}' % (receipts, signer.sign(Raw(receipts)).encode())


class _Conflict(NamedTuple):
    """An event whose identity has other content already."""

    place: int
    receipt: Receipt
    standing_receiptid: str


def _refuse_conflicts(prepared: PreparedEvents, error: IdentityConflictError, *, is_batch: bool) -> RequestRefusedError:
    """Return the refusal that names every event in conflict, and write each to the log."""
    conflicts = list(_find_conflicts(prepared, error.standing))
    for conflict in conflicts:
        log.warning(
            "an identity was sent again with other content",
            extra={
                "action": "conflict",
                "source": conflict.receipt.source,
                "event": conflict.receipt.id,
                "standing": conflict.standing_receiptid,
                "refused": conflict.receipt.receiptid,
            },
        )
    return RequestRefusedError(_conflict_refusal(_conflict_error(one, is_batch=is_batch) for one in conflicts))


def _find_conflicts(prepared: PreparedEvents, standing: Mapping[bytes, Stamp]) -> Iterator[_Conflict]:
    """Yield the events whose identity has other content already, in the log or earlier in the same request."""
    receiptids = {identity: fact_record.receiptid_of(stamp) for identity, stamp in standing.items()}
    for place, receipt in enumerate(receipts_of(prepared)):
        stands = receiptids.setdefault(identity_of(receipt.source, receipt.id), receipt.receiptid)
        if receipt.receiptid != stands:
            yield _Conflict(place, receipt, stands)


def _conflict_error(conflict: _Conflict, *, is_batch: bool) -> FieldError:
    standing = conflict.standing_receiptid
    return FieldError(
        pointer=f"/{conflict.place}/id" if is_batch else "/id",
        detail=Bilingual.of(
            en=f"this source and id were received with other content as {standing}; send a correction under a new id",
            vi=f"nguồn và mã này đã được tiếp nhận với nội dung khác ({standing}); hãy gửi bản sửa đổi với mã mới",
        ),
    )


def _conflict_refusal(errors: Iterable[FieldError]) -> Refusal:
    return Refusal(
        problem=RequestProblem.CONFLICT,
        detail=Bilingual.of(en="nothing was recorded", vi="chưa ghi nhận nội dung nào"),
        errors=tuple(errors),
    )


_UNAVAILABLE = Refusal(
    problem=RequestProblem.UNAVAILABLE,
    detail=Bilingual.of(
        en="the log does not answer and the spool is full; send the same event again later",
        vi="hệ thống lưu trữ chưa sẵn sàng và bộ nhớ tạm đã đầy; hãy gửi lại đúng sự kiện này sau",
    ),
    retry_after_seconds=RETRY_AFTER_SECONDS,
)
