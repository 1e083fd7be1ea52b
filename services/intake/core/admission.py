"""Decides whether a well-formed fact can be true of the adopted plan and registry, and whose duty it is about.

Decides from the fact and the prepared plan alone. It does not judge whether a report is complete or on time: that is
for rules to decide.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from schemas.events.facts import DutyRef, ExemptionGranted, FactModel, ReportReassigned, ReportSubmitted
from schemas.plan import calendar, periods
from schemas.plan.periods import Recurrence
from schemas.plan.plan import Obligation
from schemas.plan.values import Bilingual
from schemas.problems import FieldError, pointer_of
from services.intake.core.cloud_event import CloudEvent
from services.intake.core.plan_index import PlanIndex
from services.intake.core.scopes import KeyScope

# Pairs of a field's name and the period it holds, for example `(("from_period", "2026-Q1"),)`.
Periods = tuple[tuple[str, str | None], ...]

FieldErrors = tuple[FieldError, ...]


class DutyReference(Struct, frozen=True, kw_only=True):
    """The part of a fact that plan and registry can confirm or refute: whose duty it is about, and which periods.

    `span` is the half-open interval that an exemption covers.
    """

    plan: str
    obligation: str
    agency: str
    periods: Periods = ()
    on_behalf_of: str | None = None
    span: tuple[datetime, datetime] | None = None


class Admission(Struct, frozen=True, kw_only=True):
    """The admission of a fact: `agency` sends it, `duty_agency` owes the duty and is the record's key in the log.

    The two differ if a successor reports on behalf of its predecessor.
    """

    agency: str
    duty_agency: str


class AcceptedEvent(Struct, frozen=True, kw_only=True):
    """An event that may enter the log, with its admission.

    `is_dispatch_unproven` tells that its key may not state the proof of dispatch that it names (ruling 12).
    """

    event: CloudEvent
    admission: Admission
    is_dispatch_unproven: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfScope:
    """A well-formed event that the key may not send."""

    error: FieldError


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidEvent:
    """An event that breaks the rules of its format, or contradicts the plan, the registry or itself."""

    errors: FieldErrors


AdmissionResult = Admission | OutOfScope | InvalidEvent


class PublishedPlanSource(Protocol):
    """Finds the adopted plans, prepared for admission."""

    def index_of(self, plan_id: str) -> PlanIndex | None:
        """Return the latest adopted version of a plan, or None if the plan is not known."""
        ...


def duty_reference_of(fact: FactModel) -> DutyReference:
    """Return what *fact* says of the duty it is about."""
    return DutyReference(
        plan=fact.plan,
        obligation=fact.obligation,
        agency=fact.agency,
        periods=_periods_of(fact),
        on_behalf_of=fact.on_behalf_of if isinstance(fact, ReportSubmitted) else None,
        span=(fact.from_, fact.until) if isinstance(fact, ExemptionGranted) else None,
    )


def is_dispatch_unproven(fact: FactModel, scope: KeyScope) -> bool:
    """Whether *fact* states a proof of dispatch that a key of *scope* may not state (ruling 12)."""
    return isinstance(fact, ReportSubmitted) and not scope.covers_proof(fact.dispatch.proof)


def admit(
    reference: DutyReference, subject: str | None, *, plans: PublishedPlanSource, scope: KeyScope
) -> AdmissionResult:
    """Decide on the admission of one fact, sent with the CloudEvents *subject* and a key of *scope*."""
    plan = plans.index_of(reference.plan)
    if plan is None:
        return InvalidEvent(errors=(_unknown_id("plan", reference.plan, _PUBLISH_PLAN),))
    agency = plan.resolve(reference.agency)
    if agency is None:
        return InvalidEvent(errors=(_unknown_id("agency", reference.agency, _USE_REGISTRY_ID),))
    if not _covers_agency(scope, agency, plan):
        return OutOfScope(error=_agency_out_of_scope(agency))
    predecessor = None if reference.on_behalf_of is None else plan.resolve(reference.on_behalf_of)
    errors = (
        *_subject_errors(subject, agency, predecessor, plan),
        *_on_behalf_errors(reference.on_behalf_of, predecessor, agency=agency, plan=plan),
        *_duty_errors(reference, plan.obligations.get(reference.obligation)),
        *_span_errors(reference.span),
    )
    return InvalidEvent(errors=errors) if errors else Admission(agency=agency, duty_agency=predecessor or agency)


def _covers_agency(scope: KeyScope, agency: str, plan: PlanIndex) -> bool:
    """Whether *scope* names *agency*, by its id or an alias as events may, or one of its groups."""
    if scope.covers_agency(agency, plan.groups_of(agency)):
        return True
    return any(plan.resolve(name) == agency for name in scope.agencies)


def _periods_of(fact: FactModel) -> Periods:
    match fact:
        case ReportReassigned():
            return ("from_period", fact.from_period), ("to_period", fact.to_period)
        case DutyRef():
            return (("period", fact.period),)
        case _:
            return ()


def _subject_errors(subject: str | None, agency: str, predecessor: str | None, plan: PlanIndex) -> FieldErrors:
    """Return an error unless *subject* is absent or names the agency or its predecessor, by id or alias."""
    if subject is None or subject == agency or plan.resolve(subject) in {agency, predecessor} - {None}:
        return ()
    return (_subject_mismatch(subject, agency),)


def _on_behalf_errors(name: str | None, predecessor: str | None, *, agency: str, plan: PlanIndex) -> FieldErrors:
    """Return an error unless *agency* succeeded *predecessor*, the permanent id of *name* as sent (None if unknown)."""
    if name is None or predecessor == agency:
        return ()
    if predecessor is None:
        return (_unknown_id("on_behalf_of", name, _USE_REGISTRY_ID),)
    if plan.is_successor(agency, predecessor):
        return ()
    detail = Bilingual.of(
        en=f"{agency} is no successor of {predecessor}; the registry has no such succession",
        vi=f"{agency} không phải đơn vị kế thừa của {predecessor} theo danh mục đơn vị",
    )
    return (_data_error("on_behalf_of", detail),)


def _duty_errors(reference: DutyReference, obligation: Obligation | None) -> FieldErrors:
    if obligation is None:
        return (_unknown_id("obligation", reference.obligation, _USE_OBLIGATION_ID),)
    errors: FieldErrors = ()
    for name, period in reference.periods:
        errors += _period_errors(name, period, obligation)
    return errors


def _span_errors(span: tuple[datetime, datetime] | None) -> FieldErrors:
    if span is None or span[0] < span[1]:
        return ()
    return (_data_error("until", Bilingual.of(en="must be later than from", vi="phải sau thời điểm from")),)


def _period_errors(name: str, period: str | None, obligation: Obligation) -> FieldErrors:
    """Return an error unless a version of *obligation* asks for *period*; some recurrences have no periods."""
    if period is None:
        if any(not version.recurrence.is_periodic for version in obligation.versions):
            return ()
    elif calendar.is_asked_for(obligation, periods.parse(period)):
        return ()
    return (_data_error(name, _period_remedy(period, _period_forms(obligation))),)


def _period_remedy(period: str | None, forms: str) -> Bilingual:
    if not forms:
        return Bilingual.of(
            en="must be left out: this duty has no periods", vi="phải bỏ trống: nhiệm vụ này không theo kỳ"
        )
    if period is None:
        return Bilingual.of(en=f"is required here; write {forms}", vi=f"là bắt buộc; hãy ghi {forms}")
    return Bilingual.of(
        en=f"{period} does not fit this obligation; write {forms}",
        vi=f"{period} không khớp với kỳ báo cáo của nhiệm vụ này; hãy ghi {forms}",
    )


_PERIOD_FORMS = {
    Recurrence.YEAR: "YYYY",
    Recurrence.HALF_YEAR: "YYYY-H1",
    Recurrence.NINE_MONTH: "YYYY-9M",
    Recurrence.QUARTER: "YYYY-Q1",
    Recurrence.MONTH: "YYYY-MM",
    Recurrence.WEEK: "YYYY-W01",
}


def _period_forms(obligation: Obligation) -> str:
    """Return how the periods of *obligation* are written; where only some parts of a year are asked for, these."""
    forms: list[str] = []
    for recurrence, form in _PERIOD_FORMS.items():
        chosen = [version.only for version in obligation.versions if version.recurrence is recurrence]
        parts = [part for only in chosen if only is not None for part in only]
        if chosen:
            forms += [form] if None in chosen else [f"YYYY-{part}" for part in dict.fromkeys(parts)]
    return " / ".join(forms)


_PUBLISH_PLAN = Bilingual.of(en="publish it first, or correct the id", vi="hãy công bố kế hoạch trước hoặc sửa lại mã")
_USE_REGISTRY_ID = Bilingual.of(
    en="use an id or alias of the registry", vi="hãy dùng mã hoặc bí danh có trong danh mục đơn vị"
)
_USE_OBLIGATION_ID = Bilingual.of(
    en="use the id of an obligation of the plan", vi="hãy dùng mã nhiệm vụ có trong kế hoạch"
)


def _unknown_id(name: str, value: str, remedy: Bilingual) -> FieldError:
    return _data_error(
        name, Bilingual.of(en=f"{value!r} is not known; {remedy.en}", vi=f"không có {value!r}; {remedy.vi}")
    )


def _agency_out_of_scope(agency: str) -> FieldError:
    return _data_error(
        "agency",
        Bilingual.of(en=f"the key may not post for {agency}", vi=f"khóa truy cập không được gửi thay cho {agency}"),
    )


def _subject_mismatch(subject: str, agency: str) -> FieldError:
    detail = Bilingual.of(
        en=f"subject {subject!r} is not the agency {agency}; leave it out or name the same agency",
        vi=f"subject {subject!r} không phải là đơn vị {agency}; hãy bỏ trống hoặc ghi cùng đơn vị",
    )
    return FieldError(pointer="/subject", detail=detail)


def _data_error(name: str, detail: Bilingual) -> FieldError:
    return FieldError(pointer=pointer_of("data", name), detail=detail)
