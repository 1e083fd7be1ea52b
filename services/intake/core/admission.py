"""Whether a well-formed fact can be true of the adopted plan and registry, and whose duty it is about.

Decides from the fact and the prepared references alone. Whether a report is complete or in time is for rules to say.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from schemas.plan import periods
from schemas.plan.periods import Recurrence
from services.intake.core.duty_reference import DutyReference
from services.intake.core.plan_index import PlanIndex
from services.intake.core.problems import FieldError, Said, pointer_of
from services.intake.core.scopes import KeyScope


class PublishedPlanSource(Protocol):
    """The adopted plans, prepared."""

    def index_of(self, plan_id: str) -> PlanIndex | None:
        """Return the latest adopted version of a plan, or nothing where it is not known."""
        ...


class Admission(Struct, frozen=True, kw_only=True):
    """A fact that may enter: `agency` sends it, `duty_agency` is the agency whose duty it is, the key on the log."""

    agency: str
    duty_agency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfScope:
    """A fact that is well formed, but not this key's to send."""

    error: FieldError


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidEvent:
    """A fact that contradicts the plan, the registry or itself."""

    errors: tuple[FieldError, ...]


AdmissionResult = Admission | OutOfScope | InvalidEvent
FieldErrors = tuple[FieldError, ...]


def admit(claim: DutyReference, subject: str | None, *, library: PublishedPlanSource, scope: KeyScope) -> AdmissionResult:
    """Judge one fact by what it claims, sent with the CloudEvents *subject*, by a key of *scope*."""
    prepared = library.index_of(claim.plan)
    if prepared is None:
        return InvalidEvent(errors=(_unknown_id("plan", claim.plan, _PUBLISH_PLAN),))
    agency = prepared.resolve(claim.agency)
    if agency is None:
        return InvalidEvent(errors=(_unknown_id("agency", claim.agency, _USE_REGISTRY_ID),))
    if not scope.covers_agency(agency, prepared.groups_of(agency)):
        return OutOfScope(error=_out_of_scope(agency))
    predecessor = None if claim.on_behalf_of is None else prepared.resolve(claim.on_behalf_of)
    faults = (
        *_subject_errors(subject, agency, predecessor, prepared),
        *_on_behalf_errors(claim.on_behalf_of, predecessor, agency=agency, prepared=prepared),
        *_duty_errors(claim, prepared.recurrences.get(claim.obligation)),
        *_span_errors(claim.span),
    )
    return InvalidEvent(errors=faults) if faults else Admission(agency=agency, duty_agency=predecessor or agency)


def _subject_errors(subject: str | None, agency: str, predecessor: str | None, prepared: PlanIndex) -> FieldErrors:
    if subject is None or subject == agency or prepared.resolve(subject) in {agency, predecessor} - {None}:
        return ()
    return (_subject_mismatch(subject, agency),)


def _duty_errors(claim: DutyReference, recurrences: frozenset[Recurrence] | None) -> FieldErrors:
    if recurrences is None:
        return (_unknown_id("obligation", claim.obligation, _USE_OBLIGATION_ID),)
    faults: FieldErrors = ()
    for name, period in claim.periods:
        faults += _period_errors(name, period, recurrences)
    return faults


def _span_errors(span: tuple[datetime, datetime] | None) -> FieldErrors:
    if span is None or span[0] < span[1]:
        return ()
    return (_data_error("until", Said(en="must be later than from", vi="phải sau thời điểm from")),)


def _on_behalf_errors(named: str | None, predecessor: str | None, *, agency: str, prepared: PlanIndex) -> FieldErrors:
    if named is None or predecessor == agency:
        return ()
    if predecessor is None:
        return (_unknown_id("on_behalf_of", named, _USE_REGISTRY_ID),)
    if prepared.is_successor(agency, predecessor):
        return ()
    detail = Said(
        en=f"{agency} is no successor of {predecessor}; the registry has no such succession",
        vi=f"{agency} không phải đơn vị kế thừa của {predecessor} theo danh mục đơn vị",
    )
    return (_data_error("on_behalf_of", detail),)


def _period_errors(name: str, period: str | None, recurrences: frozenset[Recurrence]) -> FieldErrors:
    if period is not None and periods.parse(period).recurrence in recurrences:
        return ()
    periodic = {one for one in recurrences if one.is_periodic}
    if period is None and periodic != recurrences:
        return ()
    return (_data_error(name, _expected_period(period, periodic)),)


def _expected_period(period: str | None, periodic: set[Recurrence]) -> Said:
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


_PUBLISH_PLAN = Said(en="publish it first, or correct the id", vi="hãy công bố kế hoạch trước hoặc sửa lại mã")
_USE_REGISTRY_ID = Said(en="use an id or alias of the registry", vi="hãy dùng mã hoặc bí danh có trong danh mục đơn vị")
_USE_OBLIGATION_ID = Said(en="use the id of an obligation of the plan", vi="hãy dùng mã nhiệm vụ có trong kế hoạch")


def _unknown_id(name: str, given: str, remedy: Said) -> FieldError:
    return _data_error(name, Said(en=f"{given!r} is not known; {remedy.en}", vi=f"không có {given!r}; {remedy.vi}"))


def _out_of_scope(agency: str) -> FieldError:
    return _data_error(
        "agency", Said(en=f"the key may not post for {agency}", vi=f"khóa truy cập không được gửi thay cho {agency}")
    )


def _subject_mismatch(subject: str, agency: str) -> FieldError:
    detail = Said(
        en=f"subject {subject!r} is not the agency {agency}; leave it out or name the same agency",
        vi=f"subject {subject!r} không phải là đơn vị {agency}; hãy bỏ trống hoặc ghi cùng đơn vị",
    )
    return FieldError(pointer="/subject", detail=detail)


def _data_error(name: str, detail: Said) -> FieldError:
    return FieldError(pointer=pointer_of("data", name), detail=detail)
