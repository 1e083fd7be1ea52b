"""What must hold of intake's decoder and desk for every request whatever, fuzzed or remembered.

A request is written as text: the mode; in binary mode the headers, a line each, and an empty line; the body.
"""

import base64
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import msgspec
from joserfc.jwk import OKPKey

from services.console.support.inputs import read_book
from services.intake import asgi
from services.intake.asgi import HeaderPairs, RequestRefusedError
from services.intake.cloudevents import http_binding, pipeline
from services.intake.cloudevents.http_binding import ReceivedEvent, ContentMode
from services.intake.cloudevents.pipeline import Pipeline, PostedEvents, PreparedEvents
from services.intake.core.admission import AcceptedEvent
from services.intake.cloudevents.validator import EventValidator
from services.intake.core.cloud_event import CloudEvent
from services.intake.core.fact_record import DedupEntry, PartitionBatch, Partitioner, Stamp, entry_of
from services.intake.core.plan_index import PlanIndex, build_plan_index
from services.intake.core.problems import FieldError, RequestProblem, Refusal
from services.intake.core.scopes import KeyScope
from services.intake.receipts.signing import Signer
from services.rules.fact_decoder import read_fact

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "schemas" / "examples"
REGRESSIONS = ROOT / "tests" / "fuzz" / "regressions"
RECEIVED = "2026-12-01T02:00:00.000Z"
UNREADABLE = frozenset({RequestProblem.UNREADABLE, RequestProblem.TOO_LARGE})
UNSUPPORTED = frozenset({RequestProblem.UNSUPPORTED_MEDIA_TYPE})
REFUSED = frozenset({RequestProblem.INVALID, RequestProblem.FORBIDDEN})
ANSWER_BYTES_MAX = 256 * 1024
"""A hundred findings that each repeat what was written, which is at most a kibibyte."""

_PARTITIONER = Partitioner(3)
_EVERYBODY = KeyScope(agencies=frozenset("*"), groups=frozenset(), types=frozenset("*"), may_decide=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A request."""

    mode: ContentMode
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @classmethod
    def parse(cls, text: bytes) -> Self | None:
        """The request that *text* writes; none where it names no mode."""
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
        """The request as text."""
        head = b"\n".join(b"%s: %s" % pair for pair in self.headers)
        if self.mode is ContentMode.BINARY:
            head += b"\n\n"
        return self.mode.value.encode() + b"\n" + head + self.body


class _Shelf:
    """The plan of the examples."""

    def __init__(self) -> None:
        book = read_book(ROOT / "deploy" / "plans" / "6766-kh-ubnd")
        self._prepared = build_plan_index(book.plan, book.registry)

    def index_of(self, plan_id: str) -> PlanIndex | None:
        return self._prepared if plan_id == self._prepared.plan_id else None


class _FixedKeys:
    """One signing key, which is never rotated."""

    def __init__(self) -> None:
        self.signer = Signer([OKPKey.generate_key("Ed25519", private=True)], "fuzz")


class _NoLog:
    """An event log that nothing is appended to here."""

    async def append(self, batches: Sequence[PartitionBatch]) -> Mapping[bytes, Stamp] | None:
        raise AssertionError(batches)

    async def check_conflicts(self, batches: Sequence[PartitionBatch]) -> None:
        raise AssertionError(batches)


class Examiner:
    """Holds requests to the rules; `AssertionError` or any other exception is a finding of the fuzzer."""

    def __init__(self) -> None:
        shelf = _Shelf()
        self._desk = EventValidator(shelf)
        self._pipeline = Pipeline(shelf, _PARTITIONER, _FixedKeys(), _NoLog())

    def examine(self, text: bytes) -> tuple[AcceptedEvent, ...]:
        """Return what was accepted, everything that must hold of it having held."""
        request = Written.parse(text)
        if request is None:
            return ()
        _declared(request)
        accepted, refusal = self._by_the_full_way(request)
        self._assert_prepared_alike(request, accepted, refusal)
        for one in accepted:
            self._assert_it_reads_back(one)
        return accepted

    def _by_the_full_way(self, request: Written) -> tuple[tuple[AcceptedEvent, ...], Refusal | None]:
        try:
            arrived = read_all(request.mode, request.headers, request.body)
        except RequestRefusedError as error:
            _assert_well_refused(error.refusal, UNREADABLE)
            return (), error.refusal
        examined = dict(enumerate(arrived))
        try:
            return self._desk.examine(examined, _EVERYBODY, is_batch=request.mode is ContentMode.BATCH), None
        except RequestRefusedError as error:
            refusal = error.refusal
        _assert_well_refused(refusal, REFUSED)
        document = _document_of(request)
        assert refusal.errors
        assert not [error for error in refusal.errors if not _resolves(error, document)]
        return (), refusal

    def _assert_prepared_alike(self, request: Written, accepted: Sequence[AcceptedEvent], refusal: Refusal | None) -> None:
        """By the shortcut or without, a request gets the same records and receipts, or the same refusal."""
        prepared = self._prepare(request)
        if isinstance(prepared, Refusal):
            assert prepared == refusal
            return
        assert refusal is None
        entered = [pipeline.build_record(one, RECEIVED) for one in accepted]
        records = Counter(record for batch in prepared.batches for record in _records(batch))
        assert records == Counter((one.key, _sorted(one.value), one.identity, one.stamp) for one in entered)
        assert all(_PARTITIONER[key] == batch.partition for batch in prepared.batches for key in batch.keys)
        assert pipeline.receipts_of(prepared) == [one.receipt for one in entered]
        told = {(one.identity, one.stamp) for one in entered}
        if len({identity for identity, _ in told}) == len(told):  # else the register refuses it
            assert list(map(_sorted, pipeline.values_of(prepared))) == [_sorted(one.value) for one in entered]

    def _prepare(self, request: Written) -> PreparedEvents | Refusal:
        posted = PostedEvents(request.mode, request.headers, request.body, _EVERYBODY, RECEIVED)
        try:
            return self._pipeline.prepare(posted, http_binding.split_events(request.mode, request.body))
        except RequestRefusedError as error:
            return error.refusal

    def _assert_it_reads_back(self, accepted: AcceptedEvent) -> None:
        """The record in the log is the same event to intake, and a fact to rules."""
        before = accepted.event
        entered = pipeline.build_record(accepted, RECEIVED)
        assert entry_of(entered.value) == DedupEntry(entered.identity, entered.stamp)
        after = http_binding.decode_event(ContentMode.STRUCTURED, (), entered.value)
        assert isinstance(after, CloudEvent)
        assert _own(after) == _own(before)
        assert after.subject == accepted.admission.agency
        assert msgspec.json.decode(after.raw_data) == msgspec.json.decode(before.raw_data)
        assert _in_binary_mode(before).content == before.content
        (again,) = self._desk.examine({0: after}, _EVERYBODY, is_batch=False)
        assert again.admission == accepted.admission
        assert read_fact(entered.value).id


def read_all(mode: ContentMode, headers: HeaderPairs, body: bytes) -> tuple[ReceivedEvent, ...]:
    """Every event of a request by the full way, in order; refused with 400 where one cannot be parsed at all."""
    return tuple(
        http_binding.decode_event(mode, headers, text, place) for place, text in enumerate(http_binding.split_events(mode, body))
    )


def seeds() -> Iterator[tuple[str, bytes]]:
    """The published examples in each mode, by name."""
    for path in sorted(EXAMPLES.glob("*.json")):
        event = path.read_bytes()
        yield f"{path.stem}-structured", b"structured\n" + event
        yield f"{path.stem}-batch", b"batch\n[" + event + b"," + event + b"]"
        attributes = json.loads(event)
        body = json.dumps(attributes.pop("data"), ensure_ascii=False).encode()
        attributes.pop("datacontenttype", None)
        named = tuple((f"ce-{name}".encode(), str(value).encode()) for name, value in attributes.items())
        headers = ((b"content-type", b"application/json"), *named)
        yield f"{path.stem}-binary", Written(mode=ContentMode.BINARY, headers=headers, body=body).text()


def regressions() -> Iterator[tuple[str, bytes]]:
    """What the fuzzer once found, by name."""
    for path in sorted(REGRESSIONS.iterdir()):
        yield path.name, path.read_bytes()


def _declared(request: Written) -> None:
    try:
        http_binding.mode_of(request.headers)
    except RequestRefusedError as error:
        _assert_well_refused(error.refusal, UNSUPPORTED)


def _assert_well_refused(refusal: Refusal, problems: frozenset[RequestProblem]) -> None:
    """It is one of *problems*, and can be said in both languages in few words."""
    assert refusal.problem in problems
    for language in ("en", "vi"):
        assert len(asgi.problem_response(refusal, language).body) < ANSWER_BYTES_MAX


def _records(batch: PartitionBatch) -> Iterable[tuple[bytes, ...]]:
    return zip(batch.keys, map(_sorted, batch.values), batch.entries.identities, batch.entries.stamps, strict=True)


def _sorted(value: bytes) -> bytes:
    """A record with its attributes in one order, which says nothing."""
    return msgspec.json.encode(msgspec.json.decode(value), order="sorted")


def _own(event: CloudEvent) -> dict[str, object]:
    """The attributes that neither the mode nor intake decides."""
    return {name: value for name, value in event.attributes.items() if name not in {"subject", "datacontenttype"}}


def _in_binary_mode(event: CloudEvent) -> CloudEvent:
    """The event as it arrives where headers say its attributes, which are only text there."""
    named = {name: value for name, value in event.attributes.items() if name != "datacontenttype"}
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in named.items()}
    headers = tuple((f"ce-{name}".encode(), quote(text).encode()) for name, text in texts.items())
    arrived = http_binding.decode_event(ContentMode.BINARY, headers, event.raw_data)
    assert isinstance(arrived, CloudEvent)
    return arrived


def _document_of(request: Written) -> Any:
    if request.mode is not ContentMode.BINARY:
        return msgspec.json.decode(request.body)
    named = {name.removeprefix(b"ce-").decode("latin-1"): value for name, value in request.headers}
    return {**named, "data": msgspec.json.decode(request.body)}


def _resolves(error: FieldError, document: Any) -> bool:
    """Whether the pointer leads to something there, or to a name that is missing from something there."""
    *ahead, last = [token.replace("~1", "/").replace("~0", "~") for token in error.pointer.split("/")[1:]]
    found = document
    for token in ahead:
        found = _member(found, token)
    return isinstance(found, dict) or (isinstance(found, list) and last.isdigit() and int(last) < len(found))


def _member(document: Any, token: str) -> Any:
    if isinstance(document, list):
        return document[int(token)]
    if token == "data" and document.get("data_base64") is not None:
        return msgspec.json.decode(base64.b64decode(document["data_base64"]))
    return document[token]
