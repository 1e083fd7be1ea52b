"""Whether a well-formed fact can be true of the adopted plan and registry, and whose duty it is about.

Decides from the fact and the prepared references alone. Whether a report is complete or in time is for rules to say.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from schemas import periods
from schemas.facts import ExemptionGranted, FactModel, ReportReassigned, ReportSubmitted
from schemas.periods import Recurrence
from services.intake.core.references import Prepared
from services.intake.core.refusals import Finding, Said, pointer_of
from services.intake.core.scopes import Scope


class Library(Protocol):
    """The adopted plans, prepared."""

    def prepared(self, plan_id: str) -> Prepared | None:
        """Return the latest adopted version of a plan, or nothing where it is not known."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
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


def admit(fact: FactModel, subject: str | None, *, library: Library, scope: Scope) -> Verdict:
    """Judge one fact, sent with the CloudEvents *subject*, by a key of *scope*."""
    prepared = library.prepared(fact.plan)
    if prepared is None:
        return Untrue(findings=(_unknown("plan", fact.plan, _PUBLISH),))
    agency = prepared.resolve(fact.agency)
    if agency is None:
        return Untrue(findings=(_unknown("agency", fact.agency, _REGISTRY),))
    if not scope.covers_agency(agency, prepared.groups_of(agency)):
        return NotInScope(finding=_out_of_scope(agency))
    faults = tuple(_faults(fact, subject, agency=agency, prepared=prepared))
    if faults:
        return Untrue(findings=faults)
    return Admitted(agency=agency, duty_of=_predecessor_named(fact, prepared) or agency)


def _faults(fact: FactModel, subject: str | None, *, agency: str, prepared: Prepared) -> Iterator[Finding]:
    predecessor = _predecessor_named(fact, prepared)
    if subject is not None and subject != agency and prepared.resolve(subject) not in {agency, predecessor} - {None}:
        yield _subject_differs(subject, agency)
    if isinstance(fact, ReportSubmitted) and fact.on_behalf_of is not None:
        yield from _faults_of_behalf(fact.on_behalf_of, predecessor, agency=agency, prepared=prepared)
    recurrences = prepared.recurrences.get(fact.obligation)
    if recurrences is None:
        yield _unknown("obligation", fact.obligation, _OBLIGATIONS)
    else:
        for name, period in _periods_of(fact).items():
            yield from _faults_of_period(name, period, recurrences)
    if isinstance(fact, ExemptionGranted) and fact.until <= fact.from_:
        yield _data("until", Said(en="must be later than from", vi="phải sau thời điểm from"))


def _predecessor_named(fact: FactModel, prepared: Prepared) -> str | None:
    if isinstance(fact, ReportSubmitted) and fact.on_behalf_of is not None:
        return prepared.resolve(fact.on_behalf_of)
    return None


def _faults_of_behalf(named: str, predecessor: str | None, *, agency: str, prepared: Prepared) -> Iterator[Finding]:
    if predecessor is None:
        yield _unknown("on_behalf_of", named, _REGISTRY)
    elif predecessor != agency and not prepared.is_heir(agency, predecessor):
        yield _data(
            "on_behalf_of",
            Said(
                en=f"{agency} is no successor of {predecessor}; the registry has no such succession",
                vi=f"{agency} không phải đơn vị kế thừa của {predecessor} theo danh mục đơn vị",
            ),
        )


def _periods_of(fact: FactModel) -> Mapping[str, str | None]:
    match fact:
        case ReportReassigned():
            return {"from_period": fact.from_period, "to_period": fact.to_period}
        case _ if hasattr(fact, "period"):
            return {"period": fact.period}
        case _:
            return {}


def _faults_of_period(name: str, period: str | None, recurrences: frozenset[Recurrence]) -> Iterator[Finding]:
    if period is not None and periods.parse(period).recurrence in recurrences:
        return
    periodic = {one for one in recurrences if one.is_periodic}
    if period is None:
        if periodic == recurrences:
            yield _data(
                name,
                Said(en=f"is required here; write {_forms(periodic)}", vi=f"là bắt buộc; hãy ghi {_forms(periodic)}"),
            )
        return
    if not periodic:
        yield _data(
            name, Said(en="must be left out: this duty has no periods", vi="phải bỏ trống: nhiệm vụ này không theo kỳ")
        )
    else:
        yield _data(
            name,
            Said(
                en=f"{period} does not fit this obligation; write {_forms(periodic)}",
                vi=f"{period} không khớp với kỳ báo cáo của nhiệm vụ này; hãy ghi {_forms(periodic)}",
            ),
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
