"""The reports that agencies of any plan send, and the outcome that must follow: made up, and the same in every run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from typing import Any

from schemas.content import requested_content
from schemas.events import facts, ids
from schemas.events.assessments import Status
from schemas.plan import periods
from schemas.plan.indicators import Indicator
from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.console.demo.any_plan.planned_duties import PlannedDuty
from services.console.demo.draws import draw_number
from services.console.demo.scenario import Event, ScheduledPost, UpstreamSystem

PORTAL = UpstreamSystem(name="portal", source="//bao-cao.example")
EXCHANGE = UpstreamSystem(name="exchange", source="//truc-van-ban.example", proof="exchange-log")
TRANSMISSION_TIME = timedelta(minutes=4)
OFFICE_HOURS = (time(8, 30), time(14))  # few, so that many reports are posted at one stop of the clock
SIGNED = "signed"
USUAL_SIZE = (12, 400)  # of a figure, per month
SIZES = {"case": (4, 40), "person": (1, 18)}
PART_OF_FLOW, PART_OF_STOCK = (40, 100), (2, 25)  # percent: what was settled of what came, and what is left of it
PROPOSALS = "proposals"  # the section whose texts the annual report quotes as proposals
PROPOSED_BY_ONE_OF = 6
WHAT_IS_PROPOSED = (
    "Đề nghị hướng dẫn thống nhất cách tính số liệu của kỳ báo cáo.",
    "Đề nghị tổ chức tập huấn cho công chức làm công tác tổng hợp, báo cáo.",
    "Đề nghị kết nối các hệ thống thông tin báo cáo để không phải nhập số liệu nhiều lần.",
    "Đề nghị bố trí kinh phí nâng cấp trang thiết bị phục vụ báo cáo điện tử.",
)
WHAT_IS_TOLD = (
    "hoàn thành đúng tiến độ đề ra",
    "một số nhiệm vụ phải gia hạn do chờ ý kiến của cơ quan liên quan",
    "không phát sinh vướng mắc vượt thẩm quyền",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report as its agency writes it, posted at `at`."""

    duty: PlannedDuty
    plan: Plan
    at: datetime
    serial: int = 1
    upstream: UpstreamSystem = PORTAL
    corrects: str | None = None
    is_nil: bool = False
    is_signed: bool = True
    figures: Mapping[str, int] = field(default_factory=dict)
    sections: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{'-'.join(self.duty.name)}-{self.serial}"

    @property
    def effective_at(self) -> datetime:
        """When it counts: the dispatch where the exchange vouches for it, else its receipt."""
        return self.at if self.upstream.proof == "none" else self.at - TRANSMISSION_TIME

    def to_post(self) -> ScheduledPost:
        """Return the report as a CloudEvent with the instant at which it is posted."""
        event: Event = {
            "specversion": "1.0",
            "type": facts.SUBMITTED,
            "id": self.id,
            "source": self.upstream.source,
            "subject": self.duty.agency,
            "time": self.at.isoformat(timespec="milliseconds"),
            "datacontenttype": "application/json",
            "data": self._build_data(),
        }
        return ScheduledPost(at=self.at, event=event)

    def _build_data(self) -> Mapping[str, Any]:
        agency, obligation, period = self.duty.name
        sent_at, proof = self.effective_at, self.upstream.proof
        corrected = {} if self.corrects is None else {"corrects": self.corrects}
        return {
            "plan": self.plan.plan,
            "obligation": obligation,
            "period": period,
            "agency": agency,
            **corrected,
            "document": {
                "number": f"{draw_number(self.id, 40, 980)}/BC",
                "issued_on": sent_at.date().isoformat(),
                "signed_by": "Thủ trưởng cơ quan" if self.is_signed else "",
                "title": periods.add_period(self.duty.obligation.letter_title.vi, period),
            },
            "dispatch": {
                "sent_at": sent_at.isoformat(timespec="milliseconds"),
                "proof": proof,
                "reference": f"{proof}/{self.id}",
            },
            "content": self._build_content(),
            "attachments": [] if self.is_nil else [*map(self._attach, self._media_types)],
        }

    def _build_content(self) -> Mapping[str, Any]:
        parts = {"parts": list(self.duty.parts)} if self.duty.parts else {}
        return {
            "nil_return": self.is_nil,
            "figures_as_of": self.duty.cut_off.isoformat() if self.figures else None,
            "sections": dict(self.sections),
            "indicators": dict(self.figures),
            **parts,
        }

    @property
    def _media_types(self) -> tuple[str, ...]:
        wanted = self.duty.version.requires.attachments
        return (wanted.media_types or ("application/pdf",)) * wanted.min

    def _attach(self, media_type: str) -> dict[str, Any]:
        digest = ids.digest("file", self.id, media_type)
        return {"name": f"{self.id}.pdf", "media_type": media_type, "size": 120_000, "sha256": digest, "url": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The posts of one agency for one period, and the state in which its duty must be when the scenario ends.

    `standing` is the report whose figures and texts count then.
    """

    duty: PlannedDuty
    posts: tuple[ScheduledPost, ...] = ()
    status: Status
    effective_at: datetime | None = None
    flags: frozenset[str] = frozenset()
    missing: tuple[str, ...] = ()
    standing: Report | None = None


def decide_outcome(report: Report) -> Outcome:
    """Return what the agency of *report* does, of which *report* is the complete one sent in time."""
    duty = report.duty
    drawn = draw_number(f"{duty.seed}/does", 0, 100)
    morning = datetime.combine(duty.last_day, OFFICE_HOURS[0], report.at.tzinfo)
    first, again = max(duty.opens_at, morning - timedelta(days=1)), replace(report, serial=2, corrects=report.id)
    is_signature_asked = duty.version.requires.signed
    match drawn:
        case _ if drawn < 6:  # noqa: PLR2004 - of a hundred
            return Outcome(duty=duty, status=Status.OVERDUE)
        case _ if drawn < 14:  # noqa: PLR2004
            return _report_late(replace(report, at=morning + timedelta(days=drawn % 3 + 1)))
        case _ if drawn < 20 and is_signature_asked:  # noqa: PLR2004
            draft = replace(report, at=first, is_signed=False, upstream=PORTAL)
            return _report_in_time(replace(again, at=morning, upstream=PORTAL), draft)
        case _ if drawn < 24 and is_signature_asked:  # noqa: PLR2004
            return _stay_incomplete(replace(report, is_signed=False))
        case _ if drawn < 28 and not duty.parts:  # noqa: PLR2004
            nil = _report_in_time(replace(report, is_nil=True, figures={}, sections={}))
            return replace(nil, flags=frozenset({"nil_return"}))
        case _ if drawn < 33:  # noqa: PLR2004
            return _amend(report, replace(again, at=morning + timedelta(days=3), upstream=PORTAL))
        case _:
            return _report_in_time(report)


def draft_report(duty: PlannedDuty, plan: Plan, registry: Registry) -> Report:
    """Return the complete report that *duty* asks for, sent in office hours of one of its last two days."""
    back = draw_number(f"{duty.seed}/day", 0, 2)
    clock = OFFICE_HOURS[draw_number(f"{duty.seed}/hour", 0, len(OFFICE_HOURS))]
    at = datetime.combine(duty.last_day - timedelta(days=back), clock, duty.due_at.tzinfo)
    agency = registry.agency(duty.agency)
    names = (
        {duty.agency, *(one.id for one in agency.groups if one.contains(duty.last_day))} if agency else {duty.agency}
    )
    asked = requested_content.list_requested(plan, duty.version, names)
    upstream = EXCHANGE if draw_number(f"{duty.seed}/way", 0, 3) == 0 else PORTAL
    return Report(
        duty=duty,
        plan=plan,
        at=max(at, duty.opens_at + TRANSMISSION_TIME),
        upstream=upstream,
        figures=_draw_figures(
            duty, plan, registry, [one.indicator for one in asked.figures if one.indicator.kind != "ratio"]
        ),
        sections={
            one.id: text
            for one in (*duty.version.requires.sections, *duty.version.accepts.sections)
            if (text := _write_section(duty, one.id))
        },
    )


def _draw_figures(
    duty: PlannedDuty, plan: Plan, registry: Registry, indicators: Iterable[Indicator]
) -> Mapping[str, int]:
    """Return made-up figures that hold together.

    A flow grows with the length of the period, everything with the number of agencies that went into this one. Of
    several figures of one unit the later ones are parts of the first; so is what a percentage is of.
    """
    merged = max(1, sum(len(one.from_) for one in registry.successions if duty.agency in one.to))
    months = periods.MONTHS_OF.get(duty.period.recurrence, 1)
    figures: dict[str, int] = {}
    wholes: dict[str, int] = {}
    for one in indicators:
        seed, unit, is_flow = f"{duty.seed}/{one.code}", one.unit or "", one.kind == "flow"
        if unit in wholes:
            figures[one.code] = wholes[unit] * draw_number(seed, *(PART_OF_FLOW if is_flow else PART_OF_STOCK)) // 100
            continue
        figures[one.code] = draw_number(seed, *SIZES.get(unit, USUAL_SIZE)) * merged * (months if is_flow else 1)
        if unit not in SIZES:
            wholes[unit] = figures[one.code]
    for ratio in plan.indicators:
        formula = ratio.parse_formula()
        if formula is not None and ratio.unit == "percent" and figures.keys() >= {*formula.codes}:
            part, whole = formula.codes[0], formula.codes[-1]
            figures[part] = figures[whole] * draw_number(f"{duty.seed}/{ratio.code}", *PART_OF_FLOW) // 100
    return figures


def _write_section(duty: PlannedDuty, section: str) -> str:
    """Return what an agency writes in a section; few agencies propose anything."""
    number = draw_number(f"{duty.seed}/{section}", 2, 40)
    if section == PROPOSALS:
        round_, rest = divmod(number, PROPOSED_BY_ONE_OF)
        return "" if rest else WHAT_IS_PROPOSED[round_ % len(WHAT_IS_PROPOSED)]
    return f"Đã triển khai {number:02d} nhiệm vụ trong kỳ, {WHAT_IS_TOLD[number % len(WHAT_IS_TOLD)]}."


def _report_in_time(report: Report, *before: Report) -> Outcome:
    return Outcome(
        duty=report.duty,
        posts=tuple(one.to_post() for one in (*before, report)),
        status=Status.ON_TIME,
        effective_at=report.effective_at,
        standing=report,
    )


def _report_late(report: Report) -> Outcome:
    return replace(_report_in_time(report), status=Status.LATE)


def _stay_incomplete(report: Report) -> Outcome:
    return replace(
        _report_in_time(report),
        status=Status.INCOMPLETE,
        flags=frozenset({"first_sent_on_time", "past_due"}),
        missing=(SIGNED,),
    )


def _amend(report: Report, correction: Report) -> Outcome:
    amended = replace(correction, figures={code: value + 1 for code, value in correction.figures.items()})
    return replace(
        _report_in_time(amended, report),
        effective_at=report.effective_at,
        flags=frozenset({"amended_after_deadline"}),
    )
