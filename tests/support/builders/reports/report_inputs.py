"""Build what the annual report is compiled from: the year of `annual_report`, with figures, texts and grades."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from msgspec import structs

from schemas.events.assessments import Status
from schemas.events.ids import DutyKey
from schemas.plan.indicators import Indicator
from schemas.plan.plan import Plan
from services.reporting.core import annual_report, results, timeline
from services.reporting.core.annual_report import AnnualReport, ReportQuery
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.registry_index import RegistryIndex
from services.reporting.core.report.inputs import (
    GradedAgency,
    PeriodResults,
    ReportedDocument,
    ReportFinding,
    ReportInputs,
)
from services.reporting.core.reported_duties import ReportedDuty, StandingSubmission
from services.reporting.core.results import Comparison, ResultsQuestion
from tests.support.builders.annual_report import AS_OF, a_line_context, a_plan, a_registry, a_report, a_year

CUT_OFF = date(2026, 11, 30)
LAST_CUT_OFF = date(2025, 11, 30)
DISTRICTS = "ubnd-huyen"
DEPARTMENTS = "so-ban-nganh"
INDICATORS: tuple[dict[str, Any], ...] = (
    {"code": "entrusted_local_budget", "title": {"vi": "Vốn ngân sách địa phương ủy thác (lũy kế)", "en": "Entrusted"},
     "unit": "million_vnd", "target": {"2026": 400000}},
    {"code": "entrusted_added_in_year", "title": {"vi": "Vốn ủy thác bổ sung trong năm"}, "unit": "million_vnd",
     "kind": "flow", "asked_of": [DISTRICTS], "target": {"2026": 60000}},
    {"code": "outstanding_loans", "title": {"vi": "Tổng dư nợ"}, "unit": "million_vnd", "asked_of": [DISTRICTS]},
    {"code": "overdue_debt", "title": {"vi": "Nợ quá hạn"}, "unit": "million_vnd", "asked_of": [DISTRICTS]},
    {"code": "overdue_ratio", "title": {"vi": "Tỷ lệ nợ quá hạn"}, "unit": "percent", "kind": "ratio",
     "formula": "overdue_debt * 100 / outstanding_loans"},
    {"code": "customers", "title": {"vi": "Số khách hàng còn dư nợ"}, "unit": "customer", "integer": True,
     "asked_of": [DISTRICTS]},
)  # fmt: skip
GRADING = (
    {"grade": "A", "title": {"vi": "Hoàn thành tốt", "en": "Done well"}, "when": "status == 'on_time'"},
    {"grade": "C", "title": {"vi": "Hoàn thành, còn hạn chế", "en": "Shortcomings"}, "when": "status == 'late'"},
    {"grade": "D", "title": {"vi": "Chưa hoàn thành", "en": "Not done"}, "when": "true"},
)
REPORT_FORM = {
    "superior": "NGÂN HÀNG CHÍNH SÁCH XÃ HỘI",
    "issuer": "CHI NHÁNH TỈNH THANH HÓA",
    "issuer_name": "Chi nhánh Ngân hàng Chính sách xã hội tỉnh Thanh Hóa",
    "subject": {"vi": "Kết quả thực hiện Kế hoạch số 6766/KH-UBND về tín dụng chính sách xã hội"},
    "symbol": "BC-NHCS",
    "place": "Thanh Hóa",
    "addressee": "Chủ tịch Ủy ban nhân dân tỉnh Thanh Hóa",
    "recipients": ["Như trên", "Thường trực Tỉnh ủy (để báo cáo)"],
    "filing": "VT, KHNV",
    "signer": {"title": "GIÁM ĐỐC", "name": "Nguyễn Văn A"},
}


def a_results_plan(**changes: Any) -> Plan:
    """Build the plan of `annual_report` with indicators, grades and the words of its report."""
    fields = {"indicators": INDICATORS, "grading": GRADING, "report": REPORT_FORM}
    return a_plan(**fields | changes)


def some_report_inputs(plan: Plan | None = None, **changes: Any) -> ReportInputs:
    """Build the inputs of the report on 2026 of *plan*, with those that *changes* names replaced."""
    plan = plan or a_results_plan()
    report = replace(a_report(), plan=plan)
    lines = [line for chapter in report.chapters for line in chapter.lines]
    values: dict[str, Any] = {
        "report": report,
        "registry": RegistryIndex.of(a_registry()),
        "previous": a_report_of_last_year(),
        "results": (PeriodResults(period="2026", results=consolidate_lines(lines, plan)),),
        "evaluations": tuple(_grade(line) for line in lines if line.status not in _UNGRADED),
        "documents": {line.key: _document_of(line) for line in lines if line.submissions},
        "findings": (ReportFinding(agency="h-02", code="outstanding_loans", sentence="gấp 1.000 lần năm trước"),),
    }
    return ReportInputs(**values | changes)


def a_report_of_last_year() -> AnnualReport:
    """Build the report on 2025: the same year, twelve months earlier."""
    revisions, _ = a_year()
    states = [timeline.state_at(revision, AS_OF) for revision in revisions]
    earlier = [
        structs.replace(
            state,
            assessment=structs.replace(state.assessment, key=_a_year_earlier(state.key)),
            span=structs.replace(
                state.span, due_at=_shift(state.span.due_at), effective_at=_shift(state.span.effective_at)
            ),
        )
        for state in states
    ]
    query = ReportQuery(period="2025", as_of=AS_OF, known_at=AS_OF)
    return annual_report.compile_report(query, earlier, attempts={}, context=a_line_context())


def consolidate_lines(lines: list[DutyLine], plan: Plan, *, period: str = "2026") -> results.ObligationResults:
    """Consolidate figures that are made up from the position of each line, and those of the year before."""
    obligation = plan.obligations[0]
    indicators = [Indicator.model_validate(one) for one in INDICATORS]
    duties = [_report_duty(number, line, CUT_OFF) for number, line in enumerate(lines)]
    before = [_report_duty(number, line, LAST_CUT_OFF, grown=False) for number, line in enumerate(lines)]
    question = ResultsQuestion(
        obligation=obligation.id,
        period=period,
        indicators=indicators,
        groups=obligation.addressees,
        sections=("results", "proposals"),
        duties=duties,
        previous=Comparison(period="2025", duties=before),
    )
    return results.consolidate(question)


_UNGRADED = {Status.EXEMPT, Status.SUPERSEDED, Status.ENDED_NO_SUCCESSOR}


def _grade(line: DutyLine) -> GradedAgency:
    is_good = line.status is Status.ON_TIME
    grade, title = ("A", "Hoàn thành tốt") if is_good else ("C", "Hoàn thành, còn hạn chế")
    if line.status is Status.OVERDUE:
        grade, title = "D", "Chưa hoàn thành"
    reason = "Đúng hạn, đầy đủ" if is_good else f"Trễ {line.days_late} ngày"
    return GradedAgency(agency=line.key.agency, grade=grade, title=title, reason=reason)


def _document_of(line: DutyLine) -> ReportedDocument:
    number = f"{100 + sum(line.key.agency.encode()) % 800}/BC-UBND"
    return ReportedDocument(number=number, issued_on=date(2026, 12, 3), proof="none")


def _report_duty(number: int, line: DutyLine, cut_off: date, *, grown: bool = True) -> ReportedDuty:
    has_filed = line.submissions > 0 or not grown
    base = Decimal(3000 + 137 * (number % 29))
    loans = base * 100 + (Decimal(2500) * (number % 5) if grown else Decimal(0))
    figures = {"entrusted_local_budget": base + (50 * (number % 4) if grown else 0)}
    if line.group == DISTRICTS:
        figures |= {
            "entrusted_added_in_year": Decimal(50 * (number % 4)),
            "outstanding_loans": loans,
            "overdue_debt": Decimal(400 + 31 * (number % 7)) + Decimal("0.5"),
            "customers": Decimal(4000 + 11 * number),
        }
    submission = StandingSubmission(
        source="urn:test",
        id=f"{line.key.agency}-{cut_off.year}",
        is_nil_return="nil_return" in line.flags,
        cut_off=cut_off,
        figures=figures,
        sections={
            "results": f"Đã bố trí vốn ủy thác và kiểm tra {number} xã trong năm.",
            "proposals": "Đề nghị bổ sung nguồn vốn cho vay giải quyết việc làm." if number % 5 == 0 else "",
        },
    )
    return ReportedDuty(
        agency=line.key.agency,
        status=line.status,
        flags=line.flags,
        groups=frozenset({line.group}),
        submission=submission if has_filed else None,
    )


def _a_year_earlier(key: DutyKey) -> DutyKey:
    return structs.replace(key, period=None if key.period is None else "2025")


def _shift(instant: datetime | None) -> datetime | None:
    return None if instant is None else instant - timedelta(days=365)
