"""Properties of intake's decoder and validator that hold for every request, from the fuzzer or from an example.

A request is stored as text: the content mode in the first line; in binary mode the headers, one in each line, and an
empty line; then the body.
"""

import base64
import json
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import msgspec
from joserfc.jwk import OKPKey

from schemas.problems import FieldError
from services.console.support.inputs import read_plan_folder
from services.intake import asgi
from services.intake.asgi import HeaderPairs, RequestRefusedError
from services.intake.cloudevents import http_binding, pipeline
from services.intake.cloudevents.http_binding import ContentMode, ReceivedEvent
from services.intake.cloudevents.pipeline import Pipeline, PostedEvents, PreparedEvents
from services.intake.cloudevents.validator import EventValidator
from services.intake.core.admission import AcceptedEvent
from services.intake.core.cloud_event import CloudEvent
from services.intake.core.fact_record import DedupEntry, PartitionBatch, Partitioner, Stamp
from services.intake.core.plan_index import PlanIndex, build_plan_index
from services.intake.core.problems import Refusal, RequestProblem
from services.intake.dedup import entry_decoder
from services.intake.receipts.signing import Signer
from services.rules.fact_decoder import decode_fact
from tests.support.builders.keys import a_scope

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "schemas" / "examples"
REGRESSIONS = ROOT / "tests" / "fuzz" / "regressions"
RECEIVED = "2026-12-01T02:00:00.000Z"
UNREADABLE = frozenset({RequestProblem.UNREADABLE, RequestProblem.TOO_LARGE})
UNSUPPORTED = frozenset({RequestProblem.UNSUPPORTED_MEDIA_TYPE})
REFUSED = frozenset({RequestProblem.INVALID, RequestProblem.FORBIDDEN})

# A hundred errors that each repeat a value of the sender, which has at most a kibibyte.
ANSWER_BYTES_MAX = 256 * 1024

_PARTITIONER = Partitioner(3)
# A key that may state one of the proofs, so that requests with and without a permitted proof are checked.
EVERYBODY = a_scope(may_decide=True, may_review=True, proofs=frozenset({"postmark"}))


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRequest:
    """A request in the form that the fuzzer and its regressions use."""

    mode: ContentMode
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @classmethod
    def parse(cls, text: bytes) -> Self | None:
        """Return the request in *text*, or None if its first line is not a content mode."""
        name, _, rest = text.partition(b"\n")
        if name not in {mode.value.encode() for mode in ContentMode}:
            return None
        mode = ContentMode(name.decode())
        if mode is not ContentMode.BINARY:
            return cls(mode=mode, headers=(), body=rest)
        head, _, body = rest.partition(b"\n\n")
        pairs = (line.partition(b": ") for line in head.split(b"\n"))
        return cls(mode=mode, headers=tuple((name.lower(), value) for name, _, value in pairs), body=body)

    def text(self) -> bytes:
        """Return the request as text."""
        head = b"\n".join(b"%s: %s" % pair for pair in self.headers)
        if self.mode is ContentMode.BINARY:
            head += b"\n\n"
        return self.mode.value.encode() + b"\n" + head + self.body


class ExamplePlan:
    """Provides the plan of the examples."""

    def __init__(self) -> None:
        book = read_plan_folder(ROOT / "deploy" / "plans" / "6766-kh-ubnd")
        self._index = build_plan_index(book.plan, book.registry)

    def index_of(self, plan_id: str) -> PlanIndex | None:
        return self._index if plan_id == self._index.plan_id else None


class _FixedKeys:
    """One signing key, which is never rotated."""

    def __init__(self) -> None:
        self.signer = Signer([OKPKey.generate_key("Ed25519", private=True)], "fuzz")


class _UnusedLog:
    """An event log that nothing is appended to here."""

    async def append(self, batches: Sequence[PartitionBatch]) -> Mapping[bytes, Stamp] | None:
        raise AssertionError(batches)

    async def check_conflicts(self, batches: Sequence[PartitionBatch]) -> None:
        raise AssertionError(batches)


class RequestChecker:
    """Checks requests; an `AssertionError` or any other exception is a failure that the fuzzer reports."""

    def __init__(self) -> None:
        plans = ExamplePlan()
        self._validator = EventValidator(plans)
        self._pipeline = Pipeline(plans, _PARTITIONER, _FixedKeys(), _UnusedLog())

    def check(self, text: bytes) -> tuple[AcceptedEvent, ...]:
        """Check all properties for the request in *text*, and return the events that were accepted."""
        request = StoredRequest.parse(text)
        if request is None:
            return ()
        _check_mode(request)
        accepted, refusal = self._take_full_path(request)
        self._assert_same_result(request, accepted, refusal)
        for one in accepted:
            self._assert_record_decodes_to_event(one)
        return accepted

    def _take_full_path(self, request: StoredRequest) -> tuple[tuple[AcceptedEvent, ...], Refusal | None]:
        try:
            received = read_all(request.mode, request.headers, request.body)
        except RequestRefusedError as error:
            _assert_valid_refusal(error.refusal, UNREADABLE)
            return (), error.refusal
        events = dict(enumerate(received))
        try:
            return self._validator.validate(events, EVERYBODY, is_batch=request.mode is ContentMode.BATCH), None
        except RequestRefusedError as error:
            refusal = error.refusal
        _assert_valid_refusal(refusal, REFUSED)
        document = _document_of(request)
        assert refusal.errors
        assert not [error for error in refusal.errors if not _resolves(error, document)]
        return (), refusal

    def _assert_same_result(
        self, request: StoredRequest, accepted: Sequence[AcceptedEvent], refusal: Refusal | None
    ) -> None:
        """With the fast path and without it, a request has the same records and receipts, or the same refusal."""
        prepared = self._prepare(request)
        if isinstance(prepared, Refusal):
            assert prepared == refusal
            return
        assert refusal is None
        expected = [pipeline.build_record(one, RECEIVED) for one in accepted]
        records = Counter(record for batch in prepared.batches for record in _records(batch))
        assert records == Counter((one.key, _sort_attributes(one.value), one.identity, one.stamp) for one in expected)
        assert all(_PARTITIONER[key] == batch.partition for batch in prepared.batches for key in batch.keys)
        assert pipeline.receipts_of(prepared) == [one.receipt for one in expected]
        entries = {(one.identity, one.stamp) for one in expected}
        if len({identity for identity, _ in entries}) == len(entries):  # else the deduplicator refuses the request
            values = list(map(_sort_attributes, pipeline.values_of(prepared)))
            assert values == [_sort_attributes(one.value) for one in expected]

    def _prepare(self, request: StoredRequest) -> PreparedEvents | Refusal:
        posted = PostedEvents(request.mode, request.headers, request.body, EVERYBODY, RECEIVED)
        try:
            return self._pipeline.prepare(posted, http_binding.split_events(request.mode, request.body))
        except RequestRefusedError as error:
            return error.refusal

    def _assert_record_decodes_to_event(self, accepted: AcceptedEvent) -> None:
        """The record in the log decodes to the same event in intake, and to a fact in rules."""
        before = accepted.event
        record = pipeline.build_record(accepted, RECEIVED)
        assert entry_decoder.decode_entry(record.value) == DedupEntry(record.identity, record.stamp)
        after = http_binding.decode_event(ContentMode.STRUCTURED, (), record.value)
        assert isinstance(after, CloudEvent)
        assert _sender_attributes(after) == _sender_attributes(before)
        assert after.subject == accepted.admission.agency
        assert msgspec.json.decode(after.raw_data) == msgspec.json.decode(before.raw_data)
        assert _decode_from_binary_mode(before).content == before.content
        (again,) = self._validator.validate({0: after}, EVERYBODY, is_batch=False)
        assert again.admission == accepted.admission
        assert decode_fact(record.value).id


def read_all(mode: ContentMode, headers: HeaderPairs, body: bytes) -> tuple[ReceivedEvent, ...]:
    """Return every event of a request in order, decoded by the full path; refuse with 400 what cannot be decoded."""
    return tuple(
        http_binding.decode_event(mode, headers, text, index)
        for index, text in enumerate(http_binding.split_events(mode, body))
    )


def seeds() -> Iterator[tuple[str, bytes]]:
    """Yield the published examples in each content mode, with a name."""
    for path in sorted(EXAMPLES.glob("*.json")):
        event = path.read_bytes()
        yield f"{path.stem}-structured", b"structured\n" + event
        yield f"{path.stem}-batch", b"batch\n[" + event + b"," + event + b"]"
        attributes = json.loads(event)
        body = json.dumps(attributes.pop("data"), ensure_ascii=False).encode()
        attributes.pop("datacontenttype", None)
        pairs = tuple((f"ce-{name}".encode(), str(value).encode()) for name, value in attributes.items())
        headers = ((b"content-type", b"application/json"), *pairs)
        yield f"{path.stem}-binary", StoredRequest(mode=ContentMode.BINARY, headers=headers, body=body).text()


def regressions() -> Iterator[tuple[str, bytes]]:
    """Yield the requests for which the fuzzer once found a failure, with a name."""
    for path in sorted(REGRESSIONS.iterdir()):
        yield path.name, path.read_bytes()


def _check_mode(request: StoredRequest) -> None:
    try:
        http_binding.mode_of(request.headers)
    except RequestRefusedError as error:
        _assert_valid_refusal(error.refusal, UNSUPPORTED)


def _assert_valid_refusal(refusal: Refusal, problems: frozenset[RequestProblem]) -> None:
    """Assert that *refusal* is for one of *problems*, and that its document is short in both languages."""
    assert refusal.problem in problems
    for language in ("en", "vi"):
        assert len(asgi.problem_response(refusal, language).body) < ANSWER_BYTES_MAX


def _records(batch: PartitionBatch) -> Iterable[tuple[bytes, ...]]:
    values = map(_sort_attributes, batch.values)
    return zip(batch.keys, values, batch.entries.identities, batch.entries.stamps, strict=True)


def _sort_attributes(value: bytes) -> bytes:
    """Return a record value with its attributes sorted: their order has no meaning."""
    return msgspec.json.encode(msgspec.json.decode(value), order="sorted")


def _sender_attributes(event: CloudEvent) -> dict[str, object]:
    """Return the attributes that depend neither on the content mode nor on intake."""
    return {name: value for name, value in event.attributes.items() if name not in {"subject", "datacontenttype"}}


def _decode_from_binary_mode(event: CloudEvent) -> CloudEvent:
    """Return the event as decoded from binary mode, where attributes are text in headers."""
    named = {name: value for name, value in event.attributes.items() if name != "datacontenttype"}
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in named.items()}
    headers = tuple((f"ce-{name}".encode(), quote(text).encode()) for name, text in texts.items())
    decoded = http_binding.decode_event(ContentMode.BINARY, headers, event.raw_data)
    assert isinstance(decoded, CloudEvent)
    return decoded


def _document_of(request: StoredRequest) -> Any:
    """Return the request as a document with its names in Unicode NFC, as pointers name them."""
    if request.mode is not ContentMode.BINARY:
        return _compose_names(msgspec.json.decode(request.body))
    named = {name.removeprefix(b"ce-").decode("latin-1"): value for name, value in request.headers}
    return {**named, "data": _compose_names(msgspec.json.decode(request.body))}


def _compose_names(value: Any) -> Any:
    match value:
        case dict():
            return {unicodedata.normalize("NFC", name): _compose_names(one) for name, one in value.items()}
        case list():
            return list(map(_compose_names, value))
        case _:
            return value


def _resolves(error: FieldError, document: Any) -> bool:
    """Whether the pointer leads to a value in the document, or to a member that is missing from an object in it."""
    *parents, last = [token.replace("~1", "/").replace("~0", "~") for token in error.pointer.split("/")[1:]]
    found = document
    for token in parents:
        found = _member(found, token)
    return isinstance(found, dict) or (isinstance(found, list) and last.isdigit() and int(last) < len(found))


def _member(document: Any, token: str) -> Any:
    if isinstance(document, list):
        return document[int(token)]
    if token == "data" and document.get("data_base64") is not None:
        return _compose_names(msgspec.json.decode(base64.b64decode(document["data_base64"])))
    return document[token]
