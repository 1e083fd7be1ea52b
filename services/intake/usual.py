"""The usual report, read in one pass: a shortcut that never says yes wrongly.

What is not exactly usual (another type, an attribute we do not name, any fault at all) is nothing here and takes the
full way through `modes` and `shape`, which alone can tell a fault. A test holds the two ways to the same answer.
"""

import hashlib
from functools import lru_cache
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType
from pydantic import TypeAdapter, ValidationError

from schemas import periods
from schemas.facts import FIGURE_BOUND, Attachment, DecimalText, Proof
from schemas.values import Identifier, Instant, LocalDate
from services.intake.core import events
from services.intake.core.claims import Claim
from services.intake.core.events import TEXT_MAX, Event

DATE_LENGTH = 10
IDENTIFIER_MAX = 100
SHORT = 40
"""Characters of an instant or a decimal; a longer one is not usual."""

_Text = Annotated[str, Meta(min_length=1, max_length=TEXT_MAX)]
_Reference = Annotated[str, Meta(min_length=1, max_length=200)]
_Period = Annotated[str, Meta(min_length=1, max_length=7)]


# The fields of what follows stand in the order of their names: written as they are, they are in canonical writing.


class _Envelope(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    data: Raw
    datacontenttype: Literal["application/json"] | UnsetType = UNSET
    id: _Text
    source: _Text
    specversion: Literal["1.0"]
    subject: _Text | UnsetType = UNSET
    time: _Text | UnsetType = UNSET
    type: Literal["vn.dondoc.report.submitted.v1"]


class _Attachment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    media_type: str
    name: str
    sha256: str
    size: int
    url: str | None


class _Content(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    figures_as_of: str | None
    indicators: dict[str, int | float | str]
    nil_return: bool
    sections: dict[str, str]


class _Dispatch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    proof: Proof
    reference: str | None
    sent_at: str | None


class _Document(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    issued_on: str
    number: str
    signed_by: str | None
    title: str


class _Report(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    agency: _Reference
    attachments: list[_Attachment]
    content: _Content
    corrects: _Text | UnsetType | None = UNSET
    dispatch: _Dispatch
    document: _Document
    obligation: str
    on_behalf_of: _Reference | UnsetType | None = UNSET
    period: _Period | UnsetType | None = UNSET
    plan: str


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_REPORT = msgspec.json.Decoder(_Report)
_CANONICAL = msgspec.json.Encoder(order="deterministic")
_IDENTIFIER = TypeAdapter[object](Identifier)
_DATE = TypeAdapter[object](LocalDate)
_INSTANT = TypeAdapter[object](Instant)
_DECIMAL = TypeAdapter[object](DecimalText)
_ATTACHMENT = TypeAdapter[object](Attachment)


def read(text: bytes | Raw) -> Event | None:
    """Return the event that *text* writes in structured mode, with what it claims; nothing unless it is usual."""
    try:
        envelope = _ENVELOPE.decode(text)
        report = _REPORT.decode(envelope.data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not (_is_plain(envelope) and _is_sound(report)):
        return None
    attributes = _attributes(envelope)
    return Event(
        attributes=attributes,
        written_data=envelope.data,
        content=_CANONICAL.encode([attributes, report]),
        sha256=hashlib.sha256(text).hexdigest(),
        claim=Claim(
            plan=report.plan,
            obligation=report.obligation,
            agency=report.agency,
            on_behalf_of=report.on_behalf_of or None,
            periods=(("period", report.period or None),),
        ),
    )


def _attributes(envelope: _Envelope) -> dict[str, object]:
    attributes: dict[str, object] = {
        "id": envelope.id,
        "source": envelope.source,
        "specversion": envelope.specversion,
        "type": envelope.type,
    }
    if envelope.subject is not UNSET:
        attributes["subject"] = envelope.subject
    if envelope.time is not UNSET:
        attributes["time"] = envelope.time
    return attributes


def _is_plain(envelope: _Envelope) -> bool:
    """Whether the attributes hold nothing but printable text: no control character, nothing unassigned."""
    return (
        envelope.id.isprintable()
        and envelope.source.isprintable()
        and (envelope.subject is UNSET or envelope.subject.isprintable())
        and (envelope.time is UNSET or events.is_instant(envelope.time))
    )


def _is_sound(report: _Report) -> bool:
    """Whether every value is one that the published model takes; what a type cannot say is asked here."""
    content = report.content
    return (
        _is_identifier(report.plan)
        and _is_identifier(report.obligation)
        and _is_date(report.document.issued_on)
        and (content.figures_as_of is None or _is_date(content.figures_as_of))
        and (report.dispatch.sent_at is None or _is_instant(report.dispatch.sent_at))
        and bool(report.document.number.strip())
        and (not report.period or _is_period(report.period))
        and all(map(_is_figure, content.indicators.values()))
        and all(map(_is_attachment, report.attachments))
    )


def _is_valid(judge: TypeAdapter[object], value: object) -> bool:
    """Whether the published type takes *value*."""
    try:
        judge.validate_python(value)
    except ValidationError:
        return False
    return True


@lru_cache(maxsize=4096)  # a province has few plans
def _is_short_identifier(text: str) -> bool:
    return _is_valid(_IDENTIFIER, text)


def _is_identifier(text: str) -> bool:
    return len(text) <= IDENTIFIER_MAX and _is_short_identifier(text)


@lru_cache(maxsize=4096)  # a year has few days, and a day many reports
def _is_short_date(text: str) -> bool:
    return _is_valid(_DATE, text)


def _is_date(text: str) -> bool:
    return len(text) == DATE_LENGTH and _is_short_date(text)


def _is_instant(text: str) -> bool:
    return len(text) <= SHORT and _is_valid(_INSTANT, text)


def _is_period(text: str) -> bool:
    try:
        periods.parse(text)
    except ValueError:
        return False
    return True


def _is_figure(figure: float | str) -> bool:
    if isinstance(figure, str):
        return len(figure) <= SHORT and _is_valid(_DECIMAL, figure)
    return -FIGURE_BOUND < figure < FIGURE_BOUND


def _is_attachment(attachment: _Attachment) -> bool:
    return _is_valid(_ATTACHMENT, msgspec.to_builtins(attachment))
