"""Whether a well-formed fact can be true of the adopted plan and registry, and whose duty it is about.

Decides from the fact and the prepared references alone. Whether a report is complete or in time is for rules to say.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from schemas.plan import periods
from schemas.plan.periods import Recurrence
from services.intake.core.duty_reference import Claim
from services.intake.core.plan_index import Prepared
from services.intake.core.problems import Finding, Said, pointer_of
from services.intake.core.scopes import Scope


class Library(Protocol):
    """The adopted plans, prepared."""

    def prepared(self, plan_id: str) -> Prepared | None:
        """Return the latest adopted version of a plan, or nothing where it is not known."""
        ...


class Admitted(Struct, frozen=True, kw_only=True):
    """A fact that may enter: `agency` sends it, `duty_of` is the agency whose duty it is, the key on the log."""

    agency: str
    duty_of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotInScope:
    """A fact that is well formed, but not this key's to send."""

    finding: Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Untrue:
    """A fact that contradicts the plan, the registry or itself."""

    findings: tuple[Finding, ...]


Verdict = Admitted | NotInScope | Untrue
Faults = tuple[Finding, ...]


def admit(claim: Claim, subject: str | None, *, library: Library, scope: Scope) -> Verdict:
    """Judge one fact by what it claims, sent with the CloudEvents *subject*, by a key of *scope*."""
    prepared = library.prepared(claim.plan)
    if prepared is None:
        return Untrue(findings=(_unknown("plan", claim.plan, _PUBLISH),))
    agency = prepared.resolve(claim.agency)
    if agency is None:
        return Untrue(findings=(_unknown("agency", claim.agency, _REGISTRY),))
    if not scope.covers_agency(agency, prepared.groups_of(agency)):
        return NotInScope(finding=_out_of_scope(agency))
    predecessor = None if claim.on_behalf_of is None else prepared.resolve(claim.on_behalf_of)
    faults = (
        *_faults_of_subject(subject, agency, predecessor, prepared),
        *_faults_of_behalf(claim.on_behalf_of, predecessor, agency=agency, prepared=prepared),
        *_faults_of_duty(claim, prepared.recurrences.get(claim.obligation)),
        *_faults_of_span(claim.span),
    )
    return Untrue(findings=faults) if faults else Admitted(agency=agency, duty_of=predecessor or agency)


def _faults_of_subject(subject: str | None, agency: str, predecessor: str | None, prepared: Prepared) -> Faults:
    if subject is None or subject == agency or prepared.resolve(subject) in {agency, predecessor} - {None}:
        return ()
    return (_subject_differs(subject, agency),)


def _faults_of_duty(claim: Claim, recurrences: frozenset[Recurrence] | None) -> Faults:
    if recurrences is None:
        return (_unknown("obligation", claim.obligation, _OBLIGATIONS),)
    faults: Faults = ()
    for name, period in claim.periods:
        faults += _faults_of_period(name, period, recurrences)
    return faults


def _faults_of_span(span: tuple[datetime, datetime] | None) -> Faults:
    if span is None or span[0] < span[1]:
        return ()
    return (_data("until", Said(en="must be later than from", vi="phải sau thời điểm from")),)


def _faults_of_behalf(named: str | None, predecessor: str | None, *, agency: str, prepared: Prepared) -> Faults:
    if named is None or predecessor == agency:
        return ()
    if predecessor is None:
        return (_unknown("on_behalf_of", named, _REGISTRY),)
    if prepared.is_heir(agency, predecessor):
        return ()
    detail = Said(
        en=f"{agency} is no successor of {predecessor}; the registry has no such succession",
        vi=f"{agency} không phải đơn vị kế thừa của {predecessor} theo danh mục đơn vị",
    )
    return (_data("on_behalf_of", detail),)


def _faults_of_period(name: str, period: str | None, recurrences: frozenset[Recurrence]) -> Faults:
    if period is not None and periods.parse(period).recurrence in recurrences:
        return ()
    periodic = {one for one in recurrences if one.is_periodic}
    if period is None and periodic != recurrences:
        return ()
    return (_data(name, _period_meant(period, periodic)),)


def _period_meant(period: str | None, periodic: set[Recurrence]) -> Said:
    if not periodic:
        return Said(en="must be left out: this duty has no periods", vi="phải bỏ trống: nhiệm vụ này không theo kỳ")
    forms = _forms(periodic)
    if period is None:
        return Said(en=f"is required here; write {forms}", vi=f"là bắt buộc; hãy ghi {forms}")
    return Said(
        en=f"{period} does not fit this obligation; write {forms}",
        vi=f"{period} không khớp với kỳ báo cáo của nhiệm vụ này; hãy ghi {forms}",
    )


_FORMS = {
    Recurrence.YEAR: "YYYY",
    Recurrence.HALF_YEAR: "YYYY-H1",
    Recurrence.QUARTER: "YYYY-Q1",
    Recurrence.MONTH: "YYYY-MM",
}


def _forms(recurrences: set[Recurrence]) -> str:
    return " / ".join(_FORMS[one] for one in _FORMS if one in recurrences)


_PUBLISH = Said(en="publish it first, or correct the id", vi="hãy công bố kế hoạch trước hoặc sửa lại mã")
_REGISTRY = Said(en="use an id or alias of the registry", vi="hãy dùng mã hoặc bí danh có trong danh mục đơn vị")
_OBLIGATIONS = Said(en="use the id of an obligation of the plan", vi="hãy dùng mã nhiệm vụ có trong kế hoạch")


def _unknown(name: str, given: str, remedy: Said) -> Finding:
    return _data(name, Said(en=f"{given!r} is not known; {remedy.en}", vi=f"không có {given!r}; {remedy.vi}"))


def _out_of_scope(agency: str) -> Finding:
    return _data(
        "agency", Said(en=f"the key may not post for {agency}", vi=f"khóa truy cập không được gửi thay cho {agency}")
    )


def _subject_differs(subject: str, agency: str) -> Finding:
    detail = Said(
        en=f"subject {subject!r} is not the agency {agency}; leave it out or name the same agency",
        vi=f"subject {subject!r} không phải là đơn vị {agency}; hãy bỏ trống hoặc ghi cùng đơn vị",
    )
    return Finding(pointer="/subject", detail=detail)


def _data(name: str, detail: Said) -> Finding:
    return Finding(pointer=pointer_of("data", name), detail=detail)
