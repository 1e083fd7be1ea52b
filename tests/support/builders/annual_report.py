"""Build what reporting reads: a plan and its registry, assessments, alerts, and a year with every status in it."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from schemas.events.assessments import Status, StepKind
from schemas.events.deliveries import AttemptOutcome, Channel
from schemas.events.ids import DutyKey
from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.reporting.core import annual_report, timeline
from services.reporting.core.annual_report import AnnualReport, ReportQuery
from services.reporting.core.duty_lines import LineContext
from services.reporting.core.registry_index import RegistryIndex
from services.reporting.core.timeline import AssessmentRevision, DutyState, StatusSpan
from services.reporting.core.urging import AlertAttempt

# 10 December 2026, 00:00 in Vietnam: the ninth is the last day on time.
DUE = datetime(2026, 12, 9, 17, tzinfo=UTC)
OPENS = datetime(2025, 12, 31, 17, tzinfo=UTC)
AS_OF = datetime(2026, 12, 22, 2, tzinfo=UTC)
QUOTE = "Định kỳ tổ chức sơ kết đánh giá tình hình thực hiện Kế hoạch và gửi kết quả về Ngân hàng."
DISTRICTS = [
    "Bá Thước",
    "Bỉm Sơn",
    "Cẩm Thủy",
    "Đông Sơn",
    "Hà Trung",
    "Hậu Lộc",
    "Hoằng Hóa",
    "Lang Chánh",
    "Mường Lát",
    "Nga Sơn",
    "Ngọc Lặc",
    "Như Thanh",
    "Như Xuân",
    "Nông Cống",
    "Quan Hóa",
    "Quan Sơn",
    "Quảng Xương",
    "Sầm Sơn",
    "Thạch Thành",
    "Thanh Hóa",
    "Thiệu Hóa",
    "Thọ Xuân",
    "Thường Xuân",
    "Triệu Sơn",
    "Vĩnh Lộc",
    "Yên Định",
]
DEPARTMENTS = [
    "Sở Nội vụ",
    "Sở Tư pháp",
    "Sở Tài chính",
    "Sở Công Thương",
    "Sở Nông nghiệp và Môi trường",
    "Sở Xây dựng",
    "Sở Khoa học và Công nghệ",
    "Sở Văn hóa - Thể thao và Du lịch",
    "Sở Giáo dục và Đào tạo",
    "Sở Y tế",
    "Sở Dân tộc và Tôn giáo",
    "Thanh tra tỉnh",
]
STATUS_CYCLE = (
    Status.ON_TIME, Status.ON_TIME, Status.LATE, Status.ON_TIME,
    Status.ON_TIME, Status.INCOMPLETE, Status.ON_TIME, Status.OVERDUE,
)  # fmt: skip


def a_plan(**changes: Any) -> Plan:
    """Build a plan with a dated obligation and an undated one."""
    fields = {
        "plan": "6766-KH-UBND",
        "version": 1,
        "title": {"vi": "Kế hoạch triển khai Chỉ thị số 40-CT/TW", "en": "Plan implementing Directive 40"},
        "issued_on": date(2016, 5, 5),
        "registry": "thanh-hoa",
        "sources": [{"id": "kh-6766", "number": "6766/KH-UBND", "issued_on": date(2016, 5, 5)}],
        "obligations": [_dated_obligation(), _undated_obligation()],
    }
    return Plan.model_validate(fields | changes)


def a_registry(**changes: Any) -> Registry:
    """Build the registry: departments and districts."""
    agencies = [_agency(f"s-{n:02d}", name, "so-ban-nganh") for n, name in enumerate(DEPARTMENTS)]
    agencies += [_agency(f"h-{n:02d}", f"UBND huyện {name}", "ubnd-huyen") for n, name in enumerate(DISTRICTS)]
    groups = [
        {"id": "so-ban-nganh", "name": {"vi": "Sở, ban, ngành", "en": "Departments"}},
        {"id": "ubnd-huyen", "name": {"vi": "UBND huyện, thị xã, thành phố", "en": "Districts"}},
    ]
    return Registry.model_validate(
        {"registry": "thanh-hoa", "version": 1, "groups": groups, "agencies": agencies} | changes
    )


def _agency(agency_id: str, name: str, group: str) -> dict[str, Any]:
    return {"id": agency_id, "names": [{"vi": name}], "groups": [{"id": group}]}


def a_key(agency: str = "h-00", obligation: str = "annual-results", period: str | None = "2026") -> DutyKey:
    """Build a duty's key."""
    return DutyKey(plan="6766-KH-UBND", agency=agency, obligation=obligation, period=period)


def a_revision(
    key: DutyKey | None = None, *, revision: int = 1, spans: Iterable[StatusSpan] = (), **changes: Any
) -> AssessmentRevision:
    """Build one revision of the assessment of a duty; without spans it is pending, then overdue."""
    key = key or a_key()
    values: dict[str, Any] = {
        "event": f"{key}#{revision}",
        "key": key,
        "plan_version": 1,
        "registry": "thanh-hoa",
        "registry_version": 1,
        "clause": "III.1",
        "opens_at": OPENS,
        "recorded_at": OPENS + timedelta(seconds=revision),
        "revision": revision,
        "timeline": tuple(spans) or a_timeline(Status.OVERDUE),
    }
    return AssessmentRevision(**values | changes)


def a_timeline(ends: Status, **fields: Any) -> tuple[StatusSpan, ...]:
    """Build a timeline: pending from the opening, then *ends* from the report's instant or the due instant."""
    pending = StatusSpan(from_at=OPENS, status=Status.PENDING, due_at=DUE)
    received_at = fields.get("effective_at")
    return pending, StatusSpan(from_at=received_at or DUE, status=ends, **{"due_at": DUE, **fields})


def an_attempt(key: DutyKey | None = None, *, at: datetime = DUE - timedelta(days=7), **changes: Any) -> AlertAttempt:
    """Build one delivered reminder by mail."""
    key = key or a_key()
    values: dict[str, Any] = {
        "event": f"{key}@{at.isoformat()}{changes.get('channel', '')}{changes.get('alert', '')}",
        "alert": f"{key}@{at.isoformat()}{changes.get('channel', '')}",
        "key": key,
        "kind": StepKind.REMINDER if at < DUE else StepKind.URGING,
        "step": f"P{abs((DUE - at).days)}D",
        "due_at": DUE,
        "channel": Channel.EMAIL,
        "to_agency": key.agency,
        "outcome": AttemptOutcome.DELIVERED,
        "attempted_at": at,
    }
    return AlertAttempt(**values | changes)


def a_year(
    registry: Registry | None = None,
) -> tuple[list[AssessmentRevision], dict[DutyKey, list[AlertAttempt]]]:
    """Build what rules and the notifier publish in one year, with every status in it."""
    registry = registry or a_registry()
    revisions, attempts = [], {}
    for number, agency in enumerate(registry.agencies):
        key = a_key(agency.id)
        ends, fields = _outcome_of_agency(number)
        revisions.append(a_revision(key, spans=a_timeline(ends, **fields)))
        attempts[key] = _build_attempts(key, ends)
        undated_status = Status.FULFILLED if number % 3 else Status.OPEN
        undated = (StatusSpan(from_at=OPENS, status=undated_status),)
        revisions.append(a_revision(a_key(agency.id, "action-programme", None), spans=undated))
    return revisions, attempts


def _outcome_of_agency(number: int) -> tuple[Status, dict[str, Any]]:
    """Return the status in which the agency of that number ends the year, and the other fields of its last span."""
    special: dict[int, tuple[Status, dict[str, Any]]] = {
        9: (Status.EXEMPT, {"effective_at": None}),
        15: (Status.SUPERSEDED, {"flags": ("inherited_by_h-19",)}),
        20: (Status.ENDED_NO_SUCCESSOR, {}),
        4: (Status.ON_TIME, {"effective_at": DUE - timedelta(minutes=1), "submissions": 1, "flags": ("nil_return",)}),
    }
    if number in special:
        return special[number]
    ends = STATUS_CYCLE[number % len(STATUS_CYCLE)]
    if ends is Status.ON_TIME:
        return ends, {"effective_at": DUE - timedelta(days=number % 6, minutes=1), "submissions": 1}
    if ends is Status.LATE:
        return ends, {"effective_at": DUE + timedelta(days=number % 5, hours=8), "submissions": 1}
    if ends is Status.INCOMPLETE:
        return ends, {"submissions": 1, "missing": ("indicators.entrusted_local_budget", "signed")}
    return ends, {}


def _build_attempts(key: DutyKey, ends: Status) -> list[AlertAttempt]:
    reminders = [an_attempt(key, at=DUE - timedelta(days=days)) for days in (7, 3)]
    match ends:
        case Status.OVERDUE | Status.INCOMPLETE | Status.LATE:
            urgings = [
                an_attempt(key, at=DUE + timedelta(hours=2)),
                an_attempt(key, at=DUE + timedelta(hours=2), channel=Channel.SMS),
            ]
            return reminders + urgings
        case _:
            return reminders[:1]


def a_line_context(as_of: datetime = AS_OF, language: str = "vi", **documents: Any) -> LineContext:
    """Build the context of lines; *documents* may replace its `plan` and its `registry`."""
    plan, registry = documents.get("plan", a_plan()), documents.get("registry", a_registry())
    return LineContext(plan=plan, registry=RegistryIndex.of(registry), as_of=as_of, language=language)


def compile_states(states: Iterable[DutyState]) -> AnnualReport:
    """Compile the report of *states*, about which there are no alerts."""
    query = ReportQuery(period="2026", as_of=AS_OF, known_at=AS_OF)
    return annual_report.compile_report(query, states, attempts={}, context=a_line_context())


def a_report(as_of: datetime = AS_OF) -> AnnualReport:
    """Compile the report of `a_year`."""
    revisions, attempts = a_year()
    states = [timeline.state_at(revision, as_of) for revision in revisions]
    query = ReportQuery(period="2026", as_of=as_of, known_at=as_of)
    return annual_report.compile_report(query, states, attempts=attempts, context=a_line_context(as_of))


def _dated_obligation() -> dict[str, Any]:
    return {
        "id": "annual-results",
        "citation": {"source": "kh-6766", "clause": "III.1", "quote": QUOTE},
        "title": {"vi": "Kết quả thực hiện Kế hoạch hằng năm", "en": "Annual results"},
        "addressees": ["so-ban-nganh", "ubnd-huyen"],
        "versions": [
            {
                "from": "2016-05-05",
                "recurrence": "year",
                "due": {"month": 12, "day": 10},
                "requires": {
                    "sections": ["proposals", {"id": "results", "title": {"vi": "Kết quả thực hiện"}}],
                    "indicators": [
                        {"code": "entrusted_local_budget", "title": {"vi": "Vốn ngân sách địa phương ủy thác"}}
                    ],
                },
            }
        ],
    }


def _undated_obligation() -> dict[str, Any]:
    return {
        "id": "action-programme",
        "citation": {
            "source": "kh-6766",
            "clause": "III.1",
            "quote": "xây dựng chương trình hành động",
        },
        "title": {"vi": "Chương trình, kế hoạch hành động", "en": "Action programme"},
        "addressees": ["so-ban-nganh", "ubnd-huyen"],
        "versions": [{"from": "2016-05-05", "recurrence": "once"}],
    }
