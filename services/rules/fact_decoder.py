"""From a fact on the wire to a fact of the core: a tolerant reader of the fields that rules decides by."""

from collections.abc import Mapping
from datetime import date, datetime
from math import isfinite, nan
from typing import Any

import msgspec

from schemas.events import facts as wire
from schemas.events.wire import decode
from schemas.plan import instants
from services.rules.core.facts import (
    Attachment,
    Exemption,
    Extension,
    Fact,
    Reassignment,
    Report,
    Revocation,
    Submission,
    Withdrawal,
)


class UnreadableFact(ValueError):  # noqa: N818 - it reads as a claim about the input
    """The record is no fact that rules can read. `pointer` names the place, the message the remedy."""

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(f"{pointer or '/'}: {message}")
        self.pointer = pointer
        self.message = message


class Event(msgspec.Struct, frozen=True):
    """The envelope of a fact; `data` is read by type."""

    id: str
    source: str
    type: str
    data: msgspec.Raw
    receivedtime: str | None = None
    recordedtime: str | None = None


class _Decision(msgspec.Struct, frozen=True):
    issued_on: date


class _Document(msgspec.Struct, frozen=True):
    number: str | None = None
    issued_on: date | None = None
    signed_by: str | None = None


class _Dispatch(msgspec.Struct, frozen=True):
    sent_at: str | None = None
    proof: str = "none"


class _Content(msgspec.Struct, frozen=True):
    nil_return: bool = False
    sections: dict[str, str | None] = {}
    indicators: dict[str, float | str | None] = {}


class _Attachment(msgspec.Struct, frozen=True):
    media_type: str = ""
    sha256: str = ""


class _Docket(msgspec.Struct, frozen=True):
    plan: str
    obligation: str
    agency: str


class _Submitted(_Docket, frozen=True):
    period: str | None = None
    on_behalf_of: str | None = None
    corrects: str | None = None
    document: _Document = _Document()
    dispatch: _Dispatch = _Dispatch()
    content: _Content = _Content()
    attachments: tuple[_Attachment, ...] = ()


class _Withdrawn(_Docket, frozen=True):
    withdraws: str
    period: str | None = None


class _Reassigned(_Docket, frozen=True):
    submission: str
    from_period: str | None = None
    to_period: str | None = None


class _Extended(_Docket, frozen=True):
    due_at: str
    decision: _Decision
    period: str | None = None


class _Exempted(_Docket, frozen=True, rename={"from_": "from"}):
    from_: str
    until: str
    decision: _Decision


class _Revoked(_Docket, frozen=True):
    exemption: str
    decision: _Decision
    due_at: str | None = None


_EVENT = msgspec.json.Decoder(Event)
_DATA: Mapping[str, msgspec.json.Decoder[Any]] = {
    wire.SUBMITTED: msgspec.json.Decoder(_Submitted),
    wire.WITHDRAWN: msgspec.json.Decoder(_Withdrawn),
    wire.REASSIGNED: msgspec.json.Decoder(_Reassigned),
    wire.EXTENDED: msgspec.json.Decoder(_Extended),
    wire.EXEMPTED: msgspec.json.Decoder(_Exempted),
    wire.REVOKED: msgspec.json.Decoder(_Revoked),
}
TYPES = frozenset(_DATA)
"""The CloudEvents types that tell a fact of a duty."""


def read_event(record: bytes) -> Event:
    """Return the envelope in *record*; raise `UnreadableFact` where it is no CloudEvent."""
    try:
        return _EVENT.decode(record)
    except (msgspec.DecodeError, RecursionError) as cause:
        raise _unreadable("", cause) from cause


def read_fact(record: bytes, *, recorded_at: datetime | None = None) -> Fact:
    """Return the fact in *record*, recorded by default at its `recordedtime`, else `receivedtime`; or raise."""
    return fact_of(read_event(record), recorded_at=recorded_at)


def fact_of(event: Event, *, recorded_at: datetime | None = None) -> Fact:
    """Return the fact that *event* tells; raise `UnreadableFact` naming the place if its type or data is unfit."""
    decoder = _DATA.get(event.type)
    if decoder is None:
        raise UnreadableFact("/type", f"{event.type!r} is not a type of fact; the types are {', '.join(_DATA)}")
    try:
        data = decode(decoder, event.data)
    except (msgspec.DecodeError, RecursionError) as cause:
        raise _unreadable("/data", cause) from cause
    if event.receivedtime is None:
        raise UnreadableFact("/receivedtime", "a recorded fact says when it was received; add the RFC 3339 instant")
    received_at = _instant(event.receivedtime, "/receivedtime")
    if recorded_at is None:
        recorded_at = _instant(event.recordedtime, "/recordedtime") if event.recordedtime else received_at
    return _told(event, data, received_at, recorded_at)


def _told(event: Event, data: Any, received_at: datetime, recorded_at: datetime) -> Fact:  # noqa: ANN401 - one of the structs above
    if isinstance(data, _Submitted):
        return _submission(event, data, received_at, recorded_at)
    common: dict[str, Any] = {
        "id": event.id,
        "source": event.source,
        "plan": data.plan,
        "obligation": data.obligation,
        "agency": data.agency,
        "received_at": received_at,
        "recorded_at": recorded_at,
    }
    match data:
        case _Withdrawn():
            return Withdrawal(**common, period=data.period, withdraws=data.withdraws)
        case _Reassigned():
            return Reassignment(
                **common, submission=data.submission, from_period=data.from_period, to_period=data.to_period
            )
        case _Extended():
            due_at = _instant(data.due_at, "/data/due_at")
            return Extension(**common, period=data.period, due_at=due_at, decided_on=data.decision.issued_on)
        case _Exempted():
            from_, until = _instant(data.from_, "/data/from"), _instant(data.until, "/data/until")
            return Exemption(**common, from_=from_, until=until, decided_on=data.decision.issued_on)
        case _:
            due_at_or_none = _instant(data.due_at, "/data/due_at") if data.due_at else None
            return Revocation(
                **common, exemption=data.exemption, due_at=due_at_or_none, decided_on=data.decision.issued_on
            )


def _submission(event: Event, data: _Submitted, received_at: datetime, recorded_at: datetime) -> Submission:
    return Submission(
        id=event.id,
        source=event.source,
        plan=data.plan,
        obligation=data.obligation,
        agency=data.on_behalf_of or data.agency,
        received_at=received_at,
        recorded_at=recorded_at,
        period=data.period,
        filed_by=data.agency,
        corrects=data.corrects,
        sent_at=_instant(data.dispatch.sent_at, "/data/dispatch/sent_at") if data.dispatch.sent_at else None,
        proof=data.dispatch.proof,
        report=_report(data),
    )


def _report(data: _Submitted) -> Report:
    return Report(
        number=data.document.number or "",
        issued_on=data.document.issued_on,
        signed_by=data.document.signed_by or "",
        is_nil_return=data.content.nil_return,
        sections={name: text or "" for name, text in data.content.sections.items()},
        indicators=_figures(data.content.indicators),
        attachments=tuple([Attachment(media_type=one.media_type, sha256=one.sha256) for one in data.attachments]),
    )


def _figures(indicators: Mapping[str, float | str | None]) -> dict[str, float]:
    return {code: _figure(code, written) for code, written in indicators.items() if written is not None}


def _figure(code: str, written: float | str) -> float:
    try:
        figure = float(written)
    except ValueError:
        figure = nan
    if not isfinite(figure):
        pointer = f"/data/content/indicators/{code}"
        raise UnreadableFact(pointer, f"{written!r} is not a number; write digits and a point")
    return figure


def _instant(text: str, pointer: str) -> datetime:
    try:
        return instants.parse(text)
    except ValueError as cause:
        raise UnreadableFact(pointer, str(cause)) from cause


def _unreadable(prefix: str, cause: msgspec.DecodeError | RecursionError) -> UnreadableFact:
    """Translate the decoder's word: it names the place as a JSON path after ` - at `."""
    message, _, path = str(cause).partition(" - at ")
    pointer = path.strip("`").replace("$", "", 1).replace(".", "/").replace("[", "/").replace("]", "")
    return UnreadableFact(prefix + pointer, message)
