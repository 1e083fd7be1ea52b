"""What must hold of intake's decoder and desk for every request whatever, fuzzed or remembered.

A request is written as text: the mode; in binary mode the headers, a line each, and an empty line; the body.
"""

import base64
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import msgspec
from joserfc.jwk import OKPKey

from services.console.support.inputs import read_book
from services.intake import asgi
from services.intake.asgi import Pairs, RefusedError
from services.intake.cloudevents import http_binding, pipeline
from services.intake.cloudevents.http_binding import Arrived, Mode
from services.intake.cloudevents.pipeline import Handed, Issued, Issuer
from services.intake.cloudevents.validator import Accepted, Desk
from services.intake.core.cloud_event import Event
from services.intake.core.dedup_entry import Entry
from services.intake.core.plan_index import Prepared, prepare
from services.intake.core.problems import Finding, Problem, Refusal
from services.intake.core.scopes import Scope
from services.intake.log.records import Lot, Partitioner, entry_of, registered
from services.intake.receipts.signing import Signer
from services.rules.fact_decoder import decode_fact

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "schemas" / "examples"
REGRESSIONS = ROOT / "tests" / "fuzz" / "regressions"
RECEIVED = "2026-12-01T02:00:00.000Z"
UNREADABLE = frozenset({Problem.UNREADABLE, Problem.TOO_LARGE})
UNSUPPORTED = frozenset({Problem.UNSUPPORTED_MEDIA_TYPE})
REFUSED = frozenset({Problem.INVALID, Problem.FORBIDDEN})
ANSWER_BYTES_MAX = 256 * 1024
"""A hundred findings that each repeat what was written, which is at most a kibibyte."""

_PARTITIONER = Partitioner(3)
_EVERYBODY = Scope(agencies=frozenset("*"), groups=frozenset(), types=frozenset("*"), may_decide=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A request."""

    mode: Mode
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @classmethod
    def parse(cls, text: bytes) -> Self | None:
        """The request that *text* writes; none where it names no mode."""
        name, _, rest = text.partition(b"\n")
        if name not in {mode.value.encode() for mode in Mode}:
            return None
        mode = Mode(name.decode())
        if mode is not Mode.BINARY:
            return cls(mode=mode, headers=(), body=rest)
        head, _, body = rest.partition(b"\n\n")
        pairs = (line.partition(b": ") for line in head.split(b"\n"))
        return cls(mode=mode, headers=tuple((name.lower(), value) for name, _, value in pairs), body=body)

    def text(self) -> bytes:
        """The request as text."""
        head = b"\n".join(b"%s: %s" % pair for pair in self.headers)
        if self.mode is Mode.BINARY:
            head += b"\n\n"
        return self.mode.value.encode() + b"\n" + head + self.body


class _Shelf:
    """The plan of the examples."""

    def __init__(self) -> None:
        book = read_book(ROOT / "deploy" / "plans" / "6766-kh-ubnd")
        self._prepared = prepare(book.plan, book.registry)

    def prepared(self, plan_id: str) -> Prepared | None:
        return self._prepared if plan_id == self._prepared.plan_id else None


class Examiner:
    """Holds requests to the rules; `AssertionError` or any other exception is a finding of the fuzzer."""

    def __init__(self) -> None:
        shelf = _Shelf()
        self._desk = Desk(shelf)
        self._issuer = Issuer(shelf, _PARTITIONER)
        self._signer = Signer([OKPKey.generate_key("Ed25519", private=True)], "fuzz")

    def examine(self, text: bytes) -> tuple[Accepted, ...]:
        """Return what was accepted, everything that must hold of it having held."""
        request = Written.parse(text)
        if request is None:
            return ()
        _declared(request)
        accepted, refusal = self._by_the_full_way(request)
        self._assert_issued_alike(request, accepted, refusal)
        for one in accepted:
            self._assert_it_reads_back(one)
        return accepted

    def _by_the_full_way(self, request: Written) -> tuple[tuple[Accepted, ...], Refusal | None]:
        try:
            arrived = read_all(request.mode, request.headers, request.body)
        except RefusedError as error:
            _assert_well_refused(error.refusal, UNREADABLE)
            return (), error.refusal
        examined = dict(enumerate(arrived))
        try:
            return self._desk.examine(examined, _EVERYBODY, is_batch=request.mode is Mode.BATCH), None
        except RefusedError as error:
            refusal = error.refusal
        _assert_well_refused(refusal, REFUSED)
        document = _document_of(request)
        assert refusal.findings
        assert not [finding for finding in refusal.findings if not _resolves(finding, document)]
        return (), refusal

    def _assert_issued_alike(self, request: Written, accepted: Sequence[Accepted], refusal: Refusal | None) -> None:
        """By the shortcut or without, a request gets the same records and receipts, or the same refusal."""
        issued = self._issued(request)
        if isinstance(issued, Refusal):
            assert issued == refusal
            return
        assert refusal is None
        entered = [registered(one, RECEIVED) for one in accepted]
        records = Counter(record for lot in issued.lots for record in _records(lot))
        assert records == Counter((one.key, _sorted(one.value), one.identity, one.stamp) for one in entered)
        assert all(_PARTITIONER[key] == lot.partition for lot in issued.lots for key in lot.keys)
        assert pipeline.receipts_of(issued) == [one.receipt for one in entered]
        told = {(one.identity, one.stamp) for one in entered}
        if len({identity for identity, _ in told}) == len(told):  # else the register refuses it
            assert list(map(_sorted, pipeline.values_of(issued))) == [_sorted(one.value) for one in entered]

    def _issued(self, request: Written) -> Issued | Refusal:
        handed = Handed(request.mode, request.headers, request.body, _EVERYBODY, RECEIVED)
        try:
            return self._issuer.issue(handed, http_binding.texts(request.mode, request.body), self._signer)
        except RefusedError as error:
            return error.refusal

    def _assert_it_reads_back(self, accepted: Accepted) -> None:
        """The record in the log is the same event to intake, and a fact to rules."""
        before = accepted.event
        entered = registered(accepted, RECEIVED)
        assert entry_of(entered.value) == Entry(entered.identity, entered.stamp)
        after = http_binding.read(Mode.STRUCTURED, (), entered.value)
        assert isinstance(after, Event)
        assert _own(after) == _own(before)
        assert after.subject == accepted.admitted.agency
        assert msgspec.json.decode(after.written_data) == msgspec.json.decode(before.written_data)
        assert _in_binary_mode(before).content == before.content
        (again,) = self._desk.examine({0: after}, _EVERYBODY, is_batch=False)
        assert again.admitted == accepted.admitted
        assert decode_fact(entered.value).id


def read_all(mode: Mode, headers: Pairs, body: bytes) -> tuple[Arrived, ...]:
    """Every event of a request by the full way, in order; refused with 400 where one cannot be parsed at all."""
    return tuple(
        http_binding.read(mode, headers, text, place) for place, text in enumerate(http_binding.texts(mode, body))
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
        yield f"{path.stem}-binary", Written(mode=Mode.BINARY, headers=headers, body=body).text()


def regressions() -> Iterator[tuple[str, bytes]]:
    """What the fuzzer once found, by name."""
    for path in sorted(REGRESSIONS.iterdir()):
        yield path.name, path.read_bytes()


def _declared(request: Written) -> None:
    try:
        http_binding.mode_of(request.headers)
    except RefusedError as error:
        _assert_well_refused(error.refusal, UNSUPPORTED)


def _assert_well_refused(refusal: Refusal, problems: frozenset[Problem]) -> None:
    """It is one of *problems*, and can be said in both languages in few words."""
    assert refusal.problem in problems
    for language in ("en", "vi"):
        assert len(asgi.problem(refusal, language).body) < ANSWER_BYTES_MAX


def _records(lot: Lot) -> Iterable[tuple[bytes, ...]]:
    return zip(lot.keys, map(_sorted, lot.values), lot.entries.identities, lot.entries.stamps, strict=True)


def _sorted(value: bytes) -> bytes:
    """A record with its attributes in one order, which says nothing."""
    return msgspec.json.encode(msgspec.json.decode(value), order="sorted")


def _own(event: Event) -> dict[str, object]:
    """The attributes that neither the mode nor intake decides."""
    return {name: value for name, value in event.attributes.items() if name not in {"subject", "datacontenttype"}}


def _in_binary_mode(event: Event) -> Event:
    """The event as it arrives where headers say its attributes, which are only text there."""
    named = {name: value for name, value in event.attributes.items() if name != "datacontenttype"}
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in named.items()}
    headers = tuple((f"ce-{name}".encode(), quote(text).encode()) for name, text in texts.items())
    arrived = http_binding.read(Mode.BINARY, headers, event.written_data)
    assert isinstance(arrived, Event)
    return arrived


def _document_of(request: Written) -> Any:
    if request.mode is not Mode.BINARY:
        return msgspec.json.decode(request.body)
    named = {name.removeprefix(b"ce-").decode("latin-1"): value for name, value in request.headers}
    return {**named, "data": msgspec.json.decode(request.body)}


def _resolves(finding: Finding, document: Any) -> bool:
    """Whether the pointer leads to something there, or to a name that is missing from something there."""
    *ahead, last = [token.replace("~1", "/").replace("~0", "~") for token in finding.pointer.split("/")[1:]]
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
