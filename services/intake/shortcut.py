"""The shortcut from the text of a usual report to its record and its receipt, in one pass: nearly every event takes it.

It never says yes wrongly, and says nothing else: what is not usual, or not to be admitted, goes the full way through
`modes` and `desk`, which alone tell a fault. A test holds the two ways to the same record and the same receipt.
"""

import hashlib
from typing import NamedTuple

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from schemas.facts import SUBMITTED
from services.intake import usual
from services.intake.core import admission
from services.intake.core.admission import Admitted, Library
from services.intake.core.claims import Claim
from services.intake.core.digest import Receipt, identity_and_digest
from services.intake.core.references import Prepared
from services.intake.core.scopes import Scope
from services.intake.core.stamps import stamped
from services.intake.records import Registered
from services.intake.usual import Report

ADMISSIONS_MAX = 10_000
"""Remembered of one scope. A province has some hundred duties a year; who names more starts anew."""

SCOPES_MAX = 1_000

_Named = tuple[str, str, str, str | None, str | None, str | None]


class _Admission(NamedTuple):
    """An admission, by which plan it was given, and its agency as the log has it."""

    plan: Prepared
    agency: str
    key: bytes


class _Recorded(Struct, frozen=True, kw_only=True, gc=False):
    specversion: str
    id: str
    source: str
    type: str
    time: str | UnsetType
    subject: str
    datacontenttype: str
    receivedtime: str
    receiptid: str
    data: Raw


_ENCODER = msgspec.json.Encoder()


class Shortcut:
    """Registers usual reports by the published plans. What was admitted once is admitted again while they stand."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._admissions: dict[Scope, Admissions] = {}

    def admissions_of(self, scope: Scope) -> "Admissions":
        """Return what *scope* admits."""
        known = self._admissions.get(scope)
        if known is None:
            if len(self._admissions) >= SCOPES_MAX:
                self._admissions.clear()
            known = self._admissions[scope] = Admissions(self._library, scope)
        return known


class Admissions:
    """Registers usual reports that one scope may send."""

    def __init__(self, library: Library, scope: Scope) -> None:
        self._library = library
        self._scope = scope
        self._known: dict[_Named, _Admission] = {}

    def registered(self, text: bytes | Raw, receivedtime: str) -> Registered | None:
        """Return the event of *text*, in structured mode, registered; nothing where the full way must be taken."""
        report = usual.read(text)
        if report is None:
            return None
        admission_ = self._admitted(report)
        if admission_ is None:
            return None
        envelope = report.envelope
        identity, digest = identity_and_digest(envelope.source, envelope.id, report.content)
        receiptid = digest.hex()
        value = _Recorded(
            specversion=envelope.specversion,
            id=envelope.id,
            source=envelope.source,
            type=envelope.type,
            time=envelope.time,
            subject=admission_.agency,
            datacontenttype="application/json",
            receivedtime=receivedtime,
            receiptid=receiptid,
            data=envelope.data,
        )
        return Registered(
            admission_.key,
            _ENCODER.encode(value),
            identity,
            stamped(digest, receivedtime),
            Receipt(envelope.id, envelope.source, receiptid, receivedtime, hashlib.sha256(text).hexdigest()),
        )

    def _admitted(self, report: Report) -> _Admission | None:
        envelope, data = report.envelope, report.data
        subject = None if envelope.subject is UNSET else envelope.subject
        predecessor, period = data.on_behalf_of or None, data.period or None
        named = (data.plan, data.obligation, data.agency, predecessor, period, subject)
        known = self._known.get(named)
        if known is not None and known.plan is self._library.prepared(data.plan):
            return known
        return self._admitted_anew(named)

    def _admitted_anew(self, named: _Named) -> _Admission | None:
        plan, obligation, agency, predecessor, period, subject = named
        claim = Claim(
            plan=plan, obligation=obligation, agency=agency, on_behalf_of=predecessor, periods=(("period", period),)
        )
        verdict = admission.admit(claim, subject, library=self._library, scope=self._scope)
        prepared = self._library.prepared(plan)
        if prepared is None or not isinstance(verdict, Admitted) or not self._scope.covers_type(SUBMITTED):
            return None
        if len(self._known) >= ADMISSIONS_MAX:
            self._known.clear()
        admitted = self._known[named] = _Admission(prepared, verdict.agency, verdict.duty_of.encode())
        return admitted
