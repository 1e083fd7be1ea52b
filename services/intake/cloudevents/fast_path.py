"""The fast path: from the text of a plain report to its record and its receipt in one pass.

Nearly every event is a report in structured mode without extensions and without errors. The fast path decodes such an
event once with msgspec, validates it and builds its record, at about a third of the cost of the full path
(`http_binding`, `schema_errors`, `validator`). Anything else (another type, an unknown attribute, any error at all) it
leaves to the full path, which alone explains errors. So it may decline an event that is valid, but must never accept
one that is not; a property test holds both paths to the same record and the same receipt.
"""

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType
from pydantic import TypeAdapter, ValidationError

from schemas.events import ids
from schemas.events.facts import FIGURE_BOUND, SUBMITTED, DecimalText, Proof
from schemas.plan import periods
from schemas.plan.values import Identifier, Instant, LocalDate, MediaType
from services.intake.cloudevents import json_bounds, nfc
from services.intake.cloudevents.schema_errors import ITEMS_MAX
from services.intake.core import admission, attachment_rules, uris
from services.intake.core.admission import Admission, DutyReference, PublishedPlanSource
from services.intake.core.cloud_event import TEXT_MAX
from services.intake.core.fact_record import Receipt, RecordWithReceipt, identity_and_digest
from services.intake.core.plan_index import PlanIndex
from services.intake.core.scopes import KeyScope

# Cached admissions of one scope. A province has some hundred duties a year; beyond this the cache starts anew.
ADMISSIONS_MAX = 10_000

# Scopes with a cache of admissions.
SCOPES_MAX = 1_000

# Characters of an instant or a decimal; a longer one takes the full path.
SHORT_LENGTH_MAX = 40

_Text = Annotated[str, Meta(min_length=1, max_length=TEXT_MAX)]
_AgencyName = Annotated[str, Meta(min_length=1, max_length=200)]
# The longest form is 2026-W07.
_Period = Annotated[str, Meta(min_length=1, max_length=8)]
_Id = Annotated[str, Meta(max_length=100)]
_Date = Annotated[str, Meta(min_length=10, max_length=10)]


# The fields of the following structs stand in alphabetical order: encoded in order of declaration, they are in the
# canonical form of `canonical_json` without being sorted.


class ReportEnvelope(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """The attributes of a report, and its data as the sender wrote it."""

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
    indicators: Annotated[dict[str, int | float | str], Meta(max_length=ITEMS_MAX)]
    nil_return: bool
    sections: Annotated[dict[str, str], Meta(max_length=ITEMS_MAX)]


class _DispatchFields(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    proof: Proof
    reference: str | None
    sent_at: str | None


class _DocumentFields(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    issued_on: _Date
    number: str
    signed_by: str | None
    title: str


class DataFields(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """The data of a report."""

    agency: _AgencyName
    attachments: Annotated[list[_AttachmentFields], Meta(max_length=ITEMS_MAX)]
    content: _ContentFields
    corrects: _Text | UnsetType | None = UNSET
    dispatch: _DispatchFields
    document: _DocumentFields
    obligation: _Id
    on_behalf_of: _AgencyName | UnsetType | None = UNSET
    period: _Period | UnsetType | None = UNSET
    plan: _Id


DecodedReport = tuple[ReportEnvelope, DataFields]

# An instant of this century, on a day that every month has: surely one, whatever month it is of. ASCII, because
# elsewhere `\d` matches the digits of every script, which RFC 3339 does not know.
_TIME = re.compile(
    r"20\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d"
    r"(?:\.\d{1,9})?(?:Z|[+-](?:0\d|1[0-2]):[0-5]\d)",
    re.ASCII,
)

_PLAIN_FIGURE = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,15})?")
"""A figure as nearly every sender writes it: surely a decimal below the bound."""

_LOWEST = -FIGURE_BOUND

# The same bounds as floats: comparing a float with a large integer takes longer.
_LOWEST_FLOAT, _HIGHEST_FLOAT = float(-FIGURE_BOUND), float(FIGURE_BOUND)

_ENVELOPE = msgspec.json.Decoder(ReportEnvelope)
_DATA = msgspec.json.Decoder(DataFields)
_ENCODER = msgspec.json.Encoder(order="deterministic")
_IDENTIFIER = TypeAdapter[object](Identifier)
_LOCAL_DATE = TypeAdapter[object](LocalDate)
_INSTANT = TypeAdapter[object](Instant)
_DECIMAL = TypeAdapter[object](DecimalText)
_MEDIA_TYPE = TypeAdapter[object](MediaType)
_SHA256 = re.compile("[0-9a-fA-F]{64}")

# By how many bytes an event without white space is longer than its canonical form, which has brackets for them.
_DATA_BYTES = len(b'"data":') - len(b"{}")
_DATA_AND_TYPE_BYTES = _DATA_BYTES + len(b'"datacontenttype":"application/json",')

# The text between the parts of a record, exactly as `pipeline.build_record` encodes it.
_RECEIVED, _RECEIPT, _DATA_PART, _UNPROVEN_DATA_PART = (
    b',"datacontenttype":"application/json","receivedtime":"',
    b'","receiptid":"',
    b'","data":',
    b'","dispatchproof":"unproven","data":',
)

_OptionalText = str | UnsetType | None

# Everything of a report that its admission depends on: plan, obligation, agency and so on, subject, source.
_AdmissionKey = tuple[str, str, str, _OptionalText, _OptionalText, _OptionalText, str]


class _CachedAdmission(NamedTuple):
    """An admission with the plan it was decided by, and the record's key in the log."""

    plan: PlanIndex
    agency: str
    key: bytes


_Admissions = dict[_AdmissionKey, _CachedAdmission]


class _RequestContext(NamedTuple):
    """What the events of one request have in common; `received_part` is what their records have of it.

    `is_normalized` tells that the whole body surely is in NFC, so that no event need be looked at by itself.
    """

    scope: KeyScope
    admissions: _Admissions
    is_normalized: bool
    receivedtime: str
    received_at: bytes
    received_part: bytes


class FastPath:
    """Builds the records of plain reports. An admission is cached as long as its plan stays the same."""

    def __init__(self, plans: PublishedPlanSource) -> None:
        self._plans = plans
        self._admissions: dict[KeyScope, _Admissions] = {}

    def build_records(
        self, body: bytes, texts: Sequence[bytes | Raw], scope: KeyScope, receivedtime: str
    ) -> list[RecordWithReceipt | None]:
        """Return the record of each event of *texts* (structured mode); None for an event that takes the full path.

        *body* is that of their request.
        """
        received_at = receivedtime.encode()
        received_part = b"".join((_RECEIVED, received_at, _RECEIPT))
        admissions = self._admissions_of(scope)
        # Nearly every body has Latin letters and no escape sequence. To look at it whole, and only at what is not
        # ASCII, takes a quarter of the time of one event after the other. What is no UTF-8 matches nothing.
        letters = body.translate(None, nfc.ASCII).decode(errors="replace")
        is_normalized = b"\\" not in body and nfc.match_latin(letters) is not None
        request = _RequestContext(scope, admissions, is_normalized, receivedtime, received_at, received_part)
        return [self._build_record(text, request) for text in texts]

    def _admissions_of(self, scope: KeyScope) -> _Admissions:
        """Return the cache of the admissions of *scope*."""
        admissions = self._admissions.get(scope)
        if admissions is None:
            if len(self._admissions) >= SCOPES_MAX:
                self._admissions.clear()
            admissions = self._admissions[scope] = {}
        return admissions

    def _build_record(self, text: bytes | Raw, request: _RequestContext) -> RecordWithReceipt | None:
        report = decode_report(text)
        if report is None:
            return None
        envelope, data = report
        source, subject = envelope.source, envelope.subject
        key = (data.plan, data.obligation, data.agency, data.on_behalf_of, data.period, subject, source)
        scope, admissions, is_normalized, receivedtime, received_at, received_part = request
        admitted = admissions.get(key)
        # The plan must be the very object that the admission was decided by: a newer version is another object.
        if admitted is None or admitted.plan is not self._plans.index_of(data.plan):
            admitted = self._admit(report, scope)
            if admitted is None:
                return None
            if len(admissions) >= ADMISSIONS_MAX:
                admissions.clear()
            admissions[key] = admitted
        # The receipt id derives from the event as sent, so before the subject becomes the agency's permanent id.
        attributes = encode_attributes(envelope, subject)
        event = encode_event(attributes, data)
        if not (is_normalized or nfc.is_normalized(event)) or not _has_each_member_once(text, report, event):
            return None
        identity, digest = identity_and_digest(source, envelope.id, event)
        receiptid = digest.hex()
        if subject != admitted.agency:
            attributes = encode_attributes(envelope, admitted.agency)
        data_part = _DATA_PART if scope.covers_proof(data.dispatch.proof) else _UNPROVEN_DATA_PART
        return RecordWithReceipt(
            admitted.key,
            b"".join((attributes[:-1], received_part, receiptid.encode(), data_part, envelope.data, b"}")),
            identity,
            digest + received_at,
            Receipt(envelope.id, source, receiptid, receivedtime, hashlib.sha256(text).hexdigest()),
        )

    def _admit(self, report: DecodedReport, scope: KeyScope) -> _CachedAdmission | None:
        envelope, data = report
        if not are_valid_names(envelope, data) or not scope.covers_type(SUBMITTED):
            return None
        # The id of a sheet derives from its content: only the full path verifies that.
        if envelope.source == ids.SHEET_SOURCE or not scope.sources.covers(envelope.source):
            return None
        reference = DutyReference(
            plan=data.plan,
            obligation=data.obligation,
            agency=data.agency,
            on_behalf_of=data.on_behalf_of or None,
            periods=(("period", data.period or None),),
        )
        subject = None if envelope.subject is UNSET else envelope.subject
        result = admission.admit(reference, subject, plans=self._plans, scope=scope)
        plan = self._plans.index_of(data.plan)
        if plan is None or not isinstance(result, Admission):
            return None
        return _CachedAdmission(plan, result.agency, result.duty_agency.encode())


def decode_report(text: bytes | Raw) -> DecodedReport | None:
    """Return the report that *text* holds in structured mode; None unless it is a plain one without errors.

    Its names are not checked yet. They are few, so that the caller can cache what `are_valid_names` says of them.
    """
    try:
        envelope = _ENVELOPE.decode(text)
        data = _DATA.decode(envelope.data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    content = data.content
    # One expression, because it is evaluated for every event: each further function costs a hundredth of the whole.
    is_valid = (
        envelope.id.isprintable()  # no control character, nothing unassigned
        and (envelope.time is UNSET or _TIME.fullmatch(envelope.time) is not None)
        and _are_dates(data.document.issued_on, content.figures_as_of)
        and (data.dispatch.sent_at is None or _is_instant(data.dispatch.sent_at))
        and data.document.number.strip()
        and (not content.indicators or all(map(_is_figure, content.indicators.values())))
        and (not data.attachments or all(map(_is_attachment, data.attachments)))
    )
    return (envelope, data) if is_valid else None


def are_valid_names(envelope: ReportEnvelope, data: DataFields) -> bool:
    """Whether the source, the subject and the names of the duty are well formed in a decoded report."""
    return (
        uris.is_reference(envelope.source)
        and (envelope.subject is UNSET or envelope.subject.isprintable())
        and _is_valid(_IDENTIFIER, data.plan)
        and _is_valid(_IDENTIFIER, data.obligation)
        and (not data.period or _is_period(data.period))
    )


def encode_attributes(envelope: ReportEnvelope, subject: str | UnsetType) -> bytes:
    """Return the attributes of *envelope* in canonical form, with *subject* in the place of its own."""
    return _ENCODER.encode(
        _AttributeFields(envelope.id, envelope.source, envelope.specversion, subject, envelope.time, envelope.type)
    )


def encode_event(attributes: bytes, data: DataFields) -> bytes:
    """Return an event in canonical form, as `canonical_json.encode_event` does; *attributes* are encoded already."""
    return b"[%b,%b]" % (attributes, _ENCODER.encode(data))


def _has_each_member_once(text: bytes | Raw, report: DecodedReport, event: bytes) -> bool:
    """Whether *text* surely has no member name twice; *event* is what it was decoded to, encoded again.

    Its depth needs no look: the structs above are far less deep than an event may be, and refuse unknown members.
    """
    envelope, data = report
    surplus = _DATA_BYTES if envelope.datacontenttype is UNSET else _DATA_AND_TYPE_BYTES
    # Anything beyond the canonical form makes a text longer: white space, an escape sequence, a second member of a
    # name. Only a number with an exponent can be shorter than its canonical form.
    if len(memoryview(text)) == len(event) + surplus and (
        not data.content.indicators or float not in map(type, data.content.indicators.values())
    ):
        return True
    # The canonical form lacks the names of two members: `data`, and `datacontenttype` where there is one.
    colons = event.count(b":") + (1 if envelope.datacontenttype is UNSET else 2)
    written = bytes(text)
    # Of a text without escape sequences the number of colons alone is proof: each member has one.
    return written.count(b":") == colons and (b"\\" not in written or json_bounds.has_each_member_once(written, colons))


@lru_cache(maxsize=4096)  # many reports bear the same few dates
def _are_dates(issued_on: str, figures_as_of: str | None) -> bool:
    return _is_valid(_LOCAL_DATE, issued_on) and (figures_as_of is None or _is_valid(_LOCAL_DATE, figures_as_of))


def _is_valid(adapter: TypeAdapter[object], value: object) -> bool:
    """Whether *value* is valid by the published type behind *adapter*."""
    try:
        adapter.validate_python(value)
    except ValidationError:
        return False
    return True


def _is_instant(text: str) -> bool:
    return _TIME.fullmatch(text) is not None or (len(text) <= SHORT_LENGTH_MAX and _is_valid(_INSTANT, text))


def _is_period(text: str) -> bool:
    try:
        periods.parse(text)
    except ValueError:
        return False
    return True


def _is_figure(figure: float | str) -> bool:
    if isinstance(figure, str):
        if _PLAIN_FIGURE.fullmatch(figure) is not None:
            return True
        return len(figure) <= SHORT_LENGTH_MAX and _is_valid(_DECIMAL, figure)
    # The canonical form of a whole float is that of its integer (1.0 becomes 1), which only the full path knows.
    if type(figure) is float:
        return _LOWEST_FLOAT < figure < _HIGHEST_FLOAT and not figure.is_integer()
    return _LOWEST < figure < FIGURE_BOUND


def _is_attachment(attachment: _AttachmentFields) -> bool:
    # The same as the published model `Attachment` and its rules, at a fifth of the cost: a report has at least one.
    return (
        attachment.size >= 0
        and _SHA256.fullmatch(attachment.sha256) is not None
        and _is_media_type(attachment.media_type)
        and bool(attachment.name.strip())
        and attachment_rules.are_acceptable(
            name=attachment.name, media_type=attachment.media_type, size=attachment.size, url=attachment.url
        )
    )


@lru_cache(maxsize=256)  # there are a few media types of documents
def _is_media_type(text: str) -> bool:
    return _is_valid(_MEDIA_TYPE, text)
