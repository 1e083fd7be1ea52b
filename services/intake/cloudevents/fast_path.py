"""The shortcut from the text of a usual report to its record and its receipt, in one pass: nearly every event takes it.

It never says yes wrongly, and says nothing else: what is not usual, or not to be admitted, goes the full way through
`modes` and `desk`, which alone tell a fault. A test holds the two ways to the same record and the same receipt.
"""

import hashlib
from typing import NamedTuple

from msgspec import UNSET, Raw, UnsetType

from schemas.events.facts import SUBMITTED
from services.intake.cloudevents import fast_path_decoding
from services.intake.cloudevents.fast_path_decoding import _Report
from services.intake.core import admission
from services.intake.core.admission import Admission, PublishedPlanSource
from services.intake.core.duty_reference import DutyReference
from services.intake.core.event_id import Receipt, identity_and_digest
from services.intake.core.fact_record import RecordWithReceipt, make_stamp
from services.intake.core.plan_index import PlanIndex
from services.intake.core.scopes import KeyScope

ADMISSIONS_MAX = 10_000
"""Remembered of one scope. A province has some hundred duties a year; who names more starts anew."""

SCOPES_MAX = 1_000

_OptionalText = str | UnsetType | None
_AdmissionKey = tuple[str, str, str, _OptionalText, _OptionalText, _OptionalText, str]


class _CachedAdmission(NamedTuple):
    """An admission, by which plan it was given, and its agency as the log has it."""

    plan: PlanIndex
    agency: str
    key: bytes


_RECEIVED, _RECEIPT, _DATA = b',"datacontenttype":"application/json","receivedtime":"', b'","receiptid":"', b'","data":'
"""What stands between the parts of a record, written as `records` writes it."""


class FastPath:
    """Registers usual reports by the published plans. What was admitted once is admitted again while they stand."""

    def __init__(self, library: PublishedPlanSource) -> None:
        self._library = library
        self._admissions: dict[KeyScope, _ScopedFastPath] = {}

    def admissions_of(self, scope: KeyScope) -> "_ScopedFastPath":
        """Return what *scope* admits."""
        known = self._admissions.get(scope)
        if known is None:
            if len(self._admissions) >= SCOPES_MAX:
                self._admissions.clear()
            known = self._admissions[scope] = _ScopedFastPath(self._library, scope)
        return known


class _ScopedFastPath:
    """Registers usual reports that one scope may send."""

    def __init__(self, library: PublishedPlanSource, scope: KeyScope) -> None:
        self._library = library
        self._scope = scope
        self._known: dict[_AdmissionKey, _CachedAdmission] = {}

    def registered(self, text: bytes | Raw, receivedtime: str) -> RecordWithReceipt | None:
        """Return the event of *text*, in structured mode, registered; nothing where the full way must be taken."""
        report = fast_path_decoding._decode_report(text)
        if report is None:
            return None
        envelope, data = report
        source, subject = envelope.source, envelope.subject
        names = (data.plan, data.obligation, data.agency, data.on_behalf_of, data.period, subject, source)
        admission_ = self._known.get(names)
        if admission_ is None or admission_.plan is not self._library.index_of(data.plan):
            admission_ = self._admitted(report)
            if admission_ is None:
                return None
            self._remember(names, admission_)
        attributes = fast_path_decoding._encode_attributes(envelope, subject)
        identity, digest = identity_and_digest(source, envelope.id, fast_path_decoding._encode_content(attributes, data))
        receiptid = digest.hex()
        if subject != admission_.agency:
            attributes = fast_path_decoding._encode_attributes(envelope, admission_.agency)
        parts = (attributes[:-1], _RECEIVED, receivedtime.encode(), _RECEIPT, receiptid.encode(), _DATA, envelope.data)
        return RecordWithReceipt(
            admission_.key,
            b"".join((*parts, b"}")),
            identity,
            make_stamp(digest, receivedtime),
            Receipt(envelope.id, source, receiptid, receivedtime, hashlib.sha256(text).hexdigest()),
        )

    def _admitted(self, report: _Report) -> _CachedAdmission | None:
        envelope, data = report
        if not fast_path_decoding._are_valid_names(envelope, data) or not self._scope.covers_type(SUBMITTED):
            return None
        claim = DutyReference(
            plan=data.plan,
            obligation=data.obligation,
            agency=data.agency,
            on_behalf_of=data.on_behalf_of or None,
            periods=(("period", data.period or None),),
        )
        subject = None if envelope.subject is UNSET else envelope.subject
        verdict = admission.admit(claim, subject, library=self._library, scope=self._scope)
        plan = self._library.index_of(data.plan)
        if plan is None or not isinstance(verdict, Admission):
            return None
        return _CachedAdmission(plan, verdict.agency, verdict.duty_agency.encode())

    def _remember(self, names: _AdmissionKey, admission_: _CachedAdmission) -> None:
        if len(self._known) >= ADMISSIONS_MAX:
            self._known.clear()
        self._known[names] = admission_
