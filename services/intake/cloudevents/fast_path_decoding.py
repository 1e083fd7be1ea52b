"""The usual report, read in one pass: a shortcut that never says yes wrongly.

What is not exactly usual (another type, an attribute we do not name, any fault at all) is nothing here and takes the
full way through `modes` and `shape`, which alone can tell a fault. A test holds the two ways to the same answer.
"""

import re
from functools import lru_cache
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType
from pydantic import TypeAdapter, ValidationError

from schemas.events.facts import FIGURE_BOUND, Attachment, DecimalText, Proof
from schemas.plan import periods
from schemas.plan.values import Identifier, Instant, LocalDate
from services.intake.core import uris
from services.intake.core.cloud_event import TEXT_MAX

_SHORT_LENGTH_MAX = 40
"""Characters of an instant or a decimal; a longer one is not usual."""

_Text = Annotated[str, Meta(min_length=1, max_length=TEXT_MAX)]
_Reference = Annotated[str, Meta(min_length=1, max_length=200)]
_Period = Annotated[str, Meta(min_length=1, max_length=7)]
_Id = Annotated[str, Meta(max_length=100)]
_Date = Annotated[str, Meta(min_length=10, max_length=10)]


# The fields of what follows stand in the order of their names: written as they are, they are in canonical writing.


class _ReportEnvelope(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """The attributes of a report, and its data in the sender's own writing."""

    data: Raw
    datacontenttype: Literal["application/json"] | UnsetType = UNSET
    id: _Text
    source: _Text
    specversion: Literal["1.0"]
    subject: _Text | UnsetType = UNSET
    time: _Text | UnsetType = UNSET
    type: Literal["vn.dondoc.report.submitted.v1"]


class _AttributeFields(Struct, frozen=True, gc=False):
    id: str
    source: str
    specversion: str
    subject: str | UnsetType
    time: str | UnsetType
    type: str


class _AttachmentFields(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    media_type: str
    name: str
    sha256: str
    size: int
    url: str | None


class _ContentFields(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    figures_as_of: _Date | None
    indicators: dict[str, int | float | str]
    nil_return: bool
    sections: dict[str, str]


class _DispatchFields(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    proof: Proof
    reference: str | None
    sent_at: str | None


class _DocumentFields(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    issued_on: _Date
    number: str
    signed_by: str | None
    title: str


class _DataFields(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """What a report says."""

    agency: _Reference
    attachments: list[_AttachmentFields]
    content: _ContentFields
    corrects: _Text | UnsetType | None = UNSET
    dispatch: _DispatchFields
    document: _DocumentFields
    obligation: _Id
    on_behalf_of: _Reference | UnsetType | None = UNSET
    period: _Period | UnsetType | None = UNSET
    plan: _Id


_Report = tuple[_ReportEnvelope, _DataFields]
"""A usual report."""

_TIME = re.compile(
    r"20\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d"
    r"(?:\.\d{1,9})?(?:Z|[+-](?:0\d|1[0-2]):[0-5]\d)"
)
"""An instant of this century, on a day that every month has."""

_LOWEST = -FIGURE_BOUND
_LOW, _HIGH = float(-FIGURE_BOUND), float(FIGURE_BOUND)
"""The same bounds for what is a float already: to compare it with an integer takes longer."""

_ENVELOPE = msgspec.json.Decoder(_ReportEnvelope)
_DATA = msgspec.json.Decoder(_DataFields)
_ENCODER = msgspec.json.Encoder(order="deterministic")
_IDENTIFIER = TypeAdapter[object](Identifier)
_DATE = TypeAdapter[object](LocalDate)
_INSTANT = TypeAdapter[object](Instant)
_DECIMAL = TypeAdapter[object](DecimalText)
_ATTACHMENT = TypeAdapter[object](Attachment)


def _decode_report(text: bytes | Raw) -> _Report | None:
    """Return the report that *text* writes in structured mode; nothing unless it is usual, and not at fault.

    Its names are still to be judged: they are few, and who asks `_are_valid_names` can remember the answer.
    """
    try:
        envelope = _ENVELOPE.decode(text)
        data = _DATA.decode(envelope.data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    content = data.content
    # One expression: this is asked of every event, and each function more is a hundredth of its price.
    is_sound = (
        envelope.id.isprintable()  # no control character, nothing unassigned
        and (envelope.time is UNSET or _TIME.fullmatch(envelope.time) is not None)
        and _are_dates(data.document.issued_on, content.figures_as_of)
        and (data.dispatch.sent_at is None or _is_instant(data.dispatch.sent_at))
        and data.document.number.strip()
        and (not content.indicators or all(map(_is_figure, content.indicators.values())))
        and (not data.attachments or all(map(_is_attachment, data.attachments)))
    )
    return (envelope, data) if is_sound else None


def _are_valid_names(envelope: _ReportEnvelope, data: _DataFields) -> bool:
    """Whether what names the sender, the agency and the duty of a report that was read may be a name."""
    return (
        uris.is_reference(envelope.source)
        and (envelope.subject is UNSET or envelope.subject.isprintable())
        and _is_valid(_IDENTIFIER, data.plan)
        and _is_valid(_IDENTIFIER, data.obligation)
        and (not data.period or _is_period(data.period))
    )


def _encode_attributes(envelope: _ReportEnvelope, subject: str | UnsetType) -> bytes:
    """Return the attributes of *envelope*, with *subject* for its own, in their one canonical writing."""
    return _ENCODER.encode(
        _AttributeFields(envelope.id, envelope.source, envelope.specversion, subject, envelope.time, envelope.type)
    )


def _encode_content(attributes: bytes, data: _DataFields) -> bytes:
    """Return an event in its canonical writing (`canonical._encode_content`), its *attributes* written already."""
    return b"[%b,%b]" % (attributes, _ENCODER.encode(data))


@lru_cache(maxsize=4096)  # many reports are of one day
def _are_dates(issued_on: str, figures_as_of: str | None) -> bool:
    return _is_valid(_DATE, issued_on) and (figures_as_of is None or _is_valid(_DATE, figures_as_of))


def _is_valid(judge: TypeAdapter[object], value: object) -> bool:
    """Whether the published type takes *value*."""
    try:
        judge.validate_python(value)
    except ValidationError:
        return False
    return True


def _is_instant(text: str) -> bool:
    return len(text) <= _SHORT_LENGTH_MAX and _is_valid(_INSTANT, text)


def _is_period(text: str) -> bool:
    try:
        periods.parse(text)
    except ValueError:
        return False
    return True


def _is_figure(figure: float | str) -> bool:
    if isinstance(figure, str):
        return len(figure) <= _SHORT_LENGTH_MAX and _is_valid(_DECIMAL, figure)
    if type(figure) is float:  # a whole one is written as its integer is, which the full way knows
        return _LOW < figure < _HIGH and not figure.is_integer()
    return _LOWEST < figure < FIGURE_BOUND


def _is_attachment(attachment: _AttachmentFields) -> bool:
    return _is_valid(_ATTACHMENT, msgspec.to_builtins(attachment))
