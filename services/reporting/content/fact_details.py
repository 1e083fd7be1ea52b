"""Decode the content of a fact for a reader, kind by kind.

The decoder is tolerant: what is missing, or has another type than the schema says, reads as absent. The record itself
is shown beside it, byte for byte.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

import msgspec

from schemas.events import facts
from schemas.events.facts import UNPROVEN
from services.reporting.core.evidence.duty_facts import (
    AcceptanceDetails,
    ExemptionDetails,
    ExtensionDetails,
    FactDetails,
    NamedFile,
    ReassignmentDetails,
    ReportDetails,
    ReturnDetails,
    RevocationDetails,
    UnknownDetails,
    WithdrawalDetails,
)
from services.runtime import attachment_store, decoding
from services.runtime.decoding import RecordDecoder, UnreadableRecordError


class _DetailedEvent(msgspec.Struct):
    type: str
    data: dict[str, Any]
    dispatchproof: Any = None


# Numbers with a point are kept as text, for a double would not hold their digits.
_DECODER: RecordDecoder[_DetailedEvent] = RecordDecoder(_DetailedEvent, float_hook=str)


def decode_details(record: bytes | None) -> FactDetails:
    """Return the content of the fact in *record*; raise `UnreadableRecordError` where it is no event with data."""
    event = _DECODER.decode(record)
    if event.type == facts.SUBMITTED:
        return _read_report(event.data, is_proven=event.dispatchproof != UNPROVEN)
    read = _READERS.get(event.type)
    return UnknownDetails() if read is None else read(event.data)


def _read_report(data: Mapping[str, Any], *, is_proven: bool) -> ReportDetails:
    document, dispatch = _members(data.get("document")), _members(data.get("dispatch"))
    content = _members(data.get("content"))
    is_proven = is_proven and bool((_text(dispatch.get("reference")) or "").strip())
    attachments = data.get("attachments")
    return ReportDetails(
        number=_text(document.get("number")) or "",
        issued_on=_day(document.get("issued_on")),
        signed_by=_text(document.get("signed_by")),
        title=_text(document.get("title")) or "",
        sent_at=_instant(dispatch.get("sent_at")),
        proof=(_text(dispatch.get("proof")) if is_proven else None) or "none",
        on_behalf_of=_text(data.get("on_behalf_of")),
        is_nil_return=content.get("nil_return") is True,
        cut_off=_day(content.get("figures_as_of")),
        figures={code: str(one) for code, one in _members(content.get("indicators")).items() if _is_figure(one)},
        sections={name: one for name, one in _members(content.get("sections")).items() if isinstance(one, str)},
        attachments=tuple(map(_read_file, attachments)) if isinstance(attachments, list) else (),
    )


def _read_file(given: object) -> NamedFile:
    file = _members(given)
    size, sha256 = file.get("size"), _text(file.get("sha256")) or ""
    return NamedFile(
        name=_text(file.get("name")) or sha256,
        media_type=_text(file.get("media_type")) or "",
        size=size if isinstance(size, int) else 0,
        sha256=sha256,
        is_stored=file.get("url") == attachment_store.attachment_urn(sha256.lower()),
    )


def _read_withdrawal(data: Mapping[str, Any]) -> WithdrawalDetails:
    return WithdrawalDetails(reason=_text(data.get("reason")) or "")


def _read_reassignment(data: Mapping[str, Any]) -> ReassignmentDetails:
    return ReassignmentDetails(
        from_period=_text(data.get("from_period")),
        to_period=_text(data.get("to_period")),
        reason=_text(data.get("reason")) or "",
    )


def _read_return(data: Mapping[str, Any]) -> ReturnDetails:
    return ReturnDetails(reason=_text(data.get("reason")) or "", respond_by=_instant(data.get("respond_by")))


def _read_acceptance(data: Mapping[str, Any]) -> AcceptanceDetails:
    return AcceptanceDetails(note=_text(data.get("note")) or "")


def _read_extension(data: Mapping[str, Any]) -> ExtensionDetails:
    return ExtensionDetails(
        decision=_read_decision(data), due_at=_instant(data.get("due_at")), reason=_text(data.get("reason")) or ""
    )


def _read_exemption(data: Mapping[str, Any]) -> ExemptionDetails:
    return ExemptionDetails(
        decision=_read_decision(data),
        from_at=_instant(data.get("from")),
        until=_instant(data.get("until")),
        reason=_text(data.get("reason")) or "",
    )


def _read_revocation(data: Mapping[str, Any]) -> RevocationDetails:
    return RevocationDetails(
        decision=_read_decision(data), due_at=_instant(data.get("due_at")), reason=_text(data.get("reason")) or ""
    )


_READERS: Mapping[str, Callable[[Mapping[str, Any]], FactDetails]] = {
    facts.WITHDRAWN: _read_withdrawal,
    facts.REASSIGNED: _read_reassignment,
    facts.RETURNED: _read_return,
    facts.ACCEPTED: _read_acceptance,
    facts.EXTENDED: _read_extension,
    facts.EXEMPTED: _read_exemption,
    facts.REVOKED: _read_revocation,
}


def _read_decision(data: Mapping[str, Any]) -> str:
    return _text(_members(data.get("decision")).get("number")) or ""


def _members(given: object) -> Mapping[str, Any]:
    return given if isinstance(given, dict) else {}


def _text(given: object) -> str | None:
    return given if isinstance(given, str) and given else None


def _is_figure(given: object) -> bool:
    return isinstance(given, str | int) and not isinstance(given, bool)


def _day(given: object) -> date | None:
    try:
        return date.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        return None


def _instant(given: object) -> datetime | None:
    try:
        return decoding.read_instant(given, "") if isinstance(given, str) else None
    except UnreadableRecordError:
        return None
