"""What the page of a duty shows: the explained status, the figures beside last year's, the course, the versions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation, localcontext
from enum import StrEnum

from schemas.content import figure_findings, units
from schemas.content.figure_findings import FigureFinding
from schemas.events.assessments import Status, StepKind
from schemas.events.deliveries import REPORTED
from schemas.plan import figures, periods
from schemas.plan.calendar import Calendar
from schemas.plan.indicators import Indicator
from schemas.plan.plan import ObligationVersion, SourceDocument
from schemas.plan.registry import WorkingDays
from services.reporting.core import labels
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.evidence import duty_facts, explanation, fact_words, revision_differences
from services.reporting.core.evidence.duty_evidence import DutyEvidence
from services.reporting.core.evidence.duty_facts import Alert, DutyFact, NamedFile, ReportDetails
from services.reporting.core.evidence.half_sentences import ExplanationPart
from services.reporting.core.evidence.revision_differences import ReportPart
from services.reporting.core.evidence.wording import Wording
from services.reporting.core.timeline import StatusSpan

_MANYFOLD_PERCENT = 1_000
_EXPONENT_MAX = 60  # twice what intake takes; a record that came another way may hold anything
_CHANGE_DIGITS = 200  # a figure has at most 30 digits before the point, and as many behind it as its sender wrote
SHOWN_FIGURE = 40  # characters of what is no number; the whole stands on the page of the event
SHOWN_TEXT = 400  # characters of a text that differs; the whole stands on the page of the event


class CourseKind(StrEnum):
    """What an entry of the course of events tells of."""

    FACT = "fact"
    ALERT = "alert"
    TOLD_OTHERS = "told"
    TURN = "turn"
    FUTURE = "future"


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseEntry:
    """An entry of the course of events: `event` is what it links to, `before` and `after` the statuses of a turn."""

    at: datetime
    kind: CourseKind
    text: str = ""
    note: str = ""
    event: str = ""
    before: Status | None = None
    after: Status | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedFigure:
    """A figure of the report that stands, beside the agency's own of the year before."""

    title: str
    unit: str
    value: str
    previous: str
    change: str
    finding: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceRow:
    """A part in which a version differs from the one before it."""

    title: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionView:
    """A version of the report, with what differs from the one that it corrects or, without one, that came before."""

    number: int
    fact: DutyFact
    name: str
    stands: bool
    compared: str = ""
    rows: tuple[DifferenceRow, ...] = ()
    equal: int = 0


@dataclass(frozen=True, slots=True)
class DutyView:
    """Everything that the template shows of a duty; `previous` is what the agency reported for the year before."""

    evidence: DutyEvidence
    previous: ReportDetails | None = None
    words: Wording = field(init=False)

    def __post_init__(self) -> None:
        context = self.evidence.context
        object.__setattr__(self, "words", Wording(zone=context.zone, language=context.language))

    @property
    def line(self) -> DutyLine:
        """The duty."""
        return self.evidence.line

    @property
    def is_compilation(self) -> bool:
        """Whether the report consolidates those of the agencies below."""
        return self.evidence.obligation.compiles is not None and self.line.key.period is not None

    @property
    def parts(self) -> tuple[ExplanationPart, ...]:
        """The half-sentences that explain the status."""
        return explanation.explain_status(self.evidence)

    def find_link(self, part: ExplanationPart) -> str:
        """Return the event that a half-sentence links to, the receipt of a fact where it is one; empty for none."""
        receipts = {one.event: one.fact.receiptid for one in self.evidence.facts}
        return next((receipts.get(event, event) for event in part.events), "")

    @property
    def standing(self) -> DutyFact | None:
        """The submission whose content counts."""
        return duty_facts.find_report(self.evidence.facts, self.evidence.state.span.standing)

    @property
    def source(self) -> SourceDocument | None:
        """The document in which the clause stands."""
        sources = self.evidence.context.plan.sources
        return next((one for one in sources if one.id == self.evidence.obligation.citation.source), None)

    @property
    def missing(self) -> tuple[str, ...]:
        """What the report still lacks, in words."""
        return tuple(self.evidence.name_part(one) for one in self.line.missing if one != explanation.RETURNED)

    def list_required(self) -> tuple[str, ...]:
        """Return what a report must contain to be complete, in words."""
        version = self._version()
        requires, language = version.requires, self.words.language
        titles = {one.code: one.label_in(language) for one in self._indicators()}
        parts = [f"sections.{one.id}" for one in requires.sections]
        named = [self.evidence.name_part(one) for one in parts]
        asked = [titles.get(one.code, one.code) for one in requires.indicators]
        files = [self.evidence.name_part("attachments")]
        signature = [self.evidence.name_part("signed")]
        return (
            *named,
            *asked,
            *(files if requires.attachments.min else ()),
            *(signature if requires.signed else ()),
        )

    @property
    def notes(self) -> list[str]:
        """The remarks beside the status."""
        return labels.describe_notes(self.line, self.words.language)

    @property
    def urging(self) -> str:
        """How often the agency was alerted, in words."""
        return labels.describe_urging(self.line.urging, self.evidence.context.zone, self.words.language)

    @property
    def sections(self) -> tuple[tuple[str, str], ...]:
        """The texts of the report that stands, with their titles."""
        report = self.standing.report if self.standing else None
        return (
            () if report is None else tuple((self._section_title(name), one) for name, one in report.sections.items())
        )

    @property
    def attachments(self) -> tuple[NamedFile, ...]:
        """The files of the report that stands."""
        report = self.standing.report if self.standing else None
        return () if report is None else report.attachments

    @property
    def figure_rows(self) -> tuple[ComparedFigure, ...]:
        """The figures of the report that stands, in the plan's order, then those that nobody asked for."""
        report = self.standing.report if self.standing else None
        if report is None or report.is_nil_return:
            return ()
        found = {one.code: one for one in self.findings}
        asked = [one for one in self._indicators() if one.code in report.figures]
        unasked = [code for code in report.figures if code not in {one.code for one in asked}]
        rows = [self._build_row(one.label_in(self.words.language), one.unit, one.code, found) for one in asked]
        return (*rows, *(self._build_row(code, None, code, found) for code in unasked))

    @property
    def findings(self) -> tuple[FigureFinding, ...]:
        """What looks like a slip in the figures of the report that stands."""
        report = self.standing.report if self.standing else None
        if report is None or report.is_nil_return:
            return ()
        before = None if self.previous is None else _read_figures(self.previous)
        return figure_findings.find_slips(self._indicators(), _read_figures(report), before)

    @property
    def course(self) -> tuple[CourseEntry, ...]:
        """What happened, what the agency was told, and how the status turned, the latest first."""
        # Of one instant the fact comes before the turn that it caused, so in reverse it stands behind it.
        order = tuple(CourseKind)
        entries = (*self._list_facts(), *self._list_alerts(), *self._list_turns())
        return tuple(sorted(entries, key=lambda one: (one.at, order.index(one.kind)), reverse=True))

    @property
    def versions(self) -> tuple[VersionView, ...]:
        """The versions of the report in order of receipt."""
        reports = [one for one in self.evidence.facts if one.report is not None]
        return tuple(self._build_version(number, one, reports) for number, one in enumerate(reports, 1))

    def _build_version(self, number: int, fact: DutyFact, reports: list[DutyFact]) -> VersionView:
        report = fact.report or ReportDetails()
        corrected = next((one for one in reports if one.event == fact.fact.names), None)
        before = corrected or (reports[number - 2] if number > 1 else None)
        view = VersionView(
            number=number,
            fact=fact,
            name=self.words.report(report),
            stands=fact.fact.identity == self.evidence.state.span.standing,
        )
        if before is None or before.report is None:
            return view
        compared = f"{reports.index(before) + 1}"
        rows = tuple(
            DifferenceRow(
                title=self._part_title(one.part, one.id),
                before=self._write_part(one.part, one.before),
                after=self._write_part(one.part, one.after),
            )
            for one in revision_differences.compare_reports(before.report, report)
        )
        equal = revision_differences.count_equal_parts(before.report, report)
        return VersionView(
            number=number, fact=fact, name=view.name, stands=view.stands, compared=compared, rows=rows, equal=equal
        )

    def _write_part(self, part: ReportPart, text: str | None) -> str:
        """Return a part of a version as people write it."""
        if text is None:
            return ""
        match part:
            case ReportPart.ISSUED_ON | ReportPart.CUT_OFF:
                return self.words.day(date.fromisoformat(text))
            case ReportPart.SENT_AT:
                return self.words.instant(datetime.fromisoformat(text))
            case ReportPart.NIL_RETURN:
                return {"true": self.words.choose(vi="có", en="yes")}.get(text, self.words.choose(vi="không", en="no"))
            case ReportPart.INDICATOR:
                return self._write(_read_figure(text)) or text[:SHOWN_FIGURE]
            case _:
                return text if len(text) <= SHOWN_TEXT else f"{text[:SHOWN_TEXT]}…"

    def _list_facts(self) -> Iterator[CourseEntry]:
        for one in self.evidence.facts:
            text = fact_words.describe_fact(one, self.evidence.facts, self.words)
            yield CourseEntry(
                at=one.fact.received_at,
                kind=CourseKind.FACT,
                text=text,
                note=self._describe_content(one.report),
                event=one.fact.receiptid,
            )

    def _describe_content(self, report: ReportDetails | None) -> str:
        if report is None:
            return ""
        figures_given, files = len(report.figures), len(report.attachments)
        signed = self.words.choose(vi=f"ký: {report.signed_by}", en=f"signed by {report.signed_by}")
        parts = [
            self.words.choose(vi=f"{figures_given} chỉ tiêu", en=f"{figures_given} figures"),
            self.words.choose(vi=f"{files} tệp kèm theo", en=f"{files} attached files"),
            *([signed] if report.signed_by else [self.words.choose(vi="chưa ký", en="not signed")]),
        ]
        return ", ".join(parts)

    def _list_alerts(self) -> Iterator[CourseEntry]:
        for one in self.evidence.alerts:
            yield CourseEntry(
                at=one.attempts[0].attempted_at,
                kind=CourseKind.TOLD_OTHERS if one.final.kind is StepKind.ESCALATION else CourseKind.ALERT,
                text=fact_words.describe_alert(one.final, self.evidence.name_told(one.final), self.words),
                note=self._describe_attempts(one),
                event=one.final.event,
            )

    def _describe_attempts(self, alert: Alert) -> str:
        outcome = fact_words.describe_outcome(alert.final, self.words)
        count = sum(one.outcome not in REPORTED for one in alert.attempts)
        tried = self.words.choose(vi=f", sau {count} lần gửi", en=f", after {count} attempts")
        return outcome + (tried if count > 1 else "")

    def _list_turns(self) -> Iterator[CourseEntry]:
        before: StatusSpan | None = None
        for span in self.evidence.state.assessment.timeline:
            is_past = span.from_at <= self.evidence.context.as_of
            if before is not None and span.status is not before.status:
                yield CourseEntry(
                    at=span.from_at,
                    kind=CourseKind.TURN if is_past else CourseKind.FUTURE,
                    before=before.status,
                    after=span.status,
                )
            before = span

    def _indicators(self) -> tuple[Indicator, ...]:
        return self.evidence.context.plan.list_indicators(self._version())

    def _version(self) -> ObligationVersion:
        """Return the settings of the obligation that rule the period, else the latest."""
        context, period = self.evidence.context, self.line.key.period
        dates = Calendar(context.plan, WorkingDays(context.registry.registry))
        terms = dates.terms_of(self.evidence.obligation, None if period is None else periods.parse(period))
        return self.evidence.obligation.versions[-1] if terms is None else terms.version

    def _build_row(
        self, title: str, unit: str | None, code: str, findings: Mapping[str, FigureFinding]
    ) -> ComparedFigure:
        report = self.standing.report if self.standing else None
        written = report.figures.get(code, "") if report else ""
        value = _read_figure(written)
        before = _read_figure(self.previous.figures.get(code)) if self.previous else None
        described = units.describe_unit(unit)
        finding = findings.get(code)
        return ComparedFigure(
            title=title,
            unit=described.in_language(self.words.language) if described else "",
            value=self._write(value) or written[:SHOWN_FIGURE],
            previous=self._write(before),
            change=_write_change(before, value, self.words),
            finding=finding.words.in_language(self.words.language) if finding else "",
        )

    def _write(self, value: Decimal | None) -> str:
        return "" if value is None else figures.write_for_people(value, self.words.language)

    def _section_title(self, name: str) -> str:
        for version in reversed(self.evidence.obligation.versions):
            section = version.find_section(name)
            if section is not None:
                return section.label_in(self.words.language)
        return name

    def _part_title(self, part: ReportPart, name: str | None) -> str:
        if part is ReportPart.INDICATOR:
            titles = {one.code: one.label_in(self.words.language) for one in self._indicators()}
            return titles.get(name or "", name or "")
        if part is ReportPart.SECTION:
            return self._section_title(name or "")
        return _PART_TITLES[part][0 if self.words.language == "vi" else 1]


_PART_TITLES = {
    ReportPart.NUMBER: ("Số văn bản", "Number of the document"),
    ReportPart.ISSUED_ON: ("Ngày ban hành", "Date of the document"),
    ReportPart.SIGNED_BY: ("Người ký", "Signed by"),
    ReportPart.TITLE: ("Trích yếu", "Title"),
    ReportPart.SENT_AT: ("Thời điểm gửi", "Sent at"),
    ReportPart.NIL_RETURN: ("Không phát sinh", "Nil return"),
    ReportPart.CUT_OFF: ("Số liệu tính đến", "Figures as of"),
    ReportPart.ATTACHMENT: ("Tệp kèm theo", "Attached file"),
}


def _read_figures(report: ReportDetails) -> dict[str, Decimal]:
    read = {code: _read_figure(one) for code, one in report.figures.items()}
    return {code: one for code, one in read.items() if one is not None}


def _read_figure(text: str | None) -> Decimal | None:
    """Return the number that a figure is; None for what is none, or so large that no sender could mean it."""
    try:
        figure = None if text is None else Decimal(text)
    except InvalidOperation:
        return None
    is_usable = figure is not None and figure.is_finite() and abs(figure.adjusted()) <= _EXPONENT_MAX
    return figure if is_usable else None


def _write_change(before: Decimal | None, after: Decimal | None, words: Wording) -> str:
    """Return the change against last year: `+12,5 %`, or how manyfold it is; empty where nothing compares."""
    if before is None or after is None or before == 0:
        return ""
    with localcontext(prec=_CHANGE_DIGITS):
        percent = ((after - before) * 100 / abs(before)).quantize(Decimal("0.1"))
        if abs(percent) >= _MANYFOLD_PERCENT:
            times = figures.write_for_people((after / before).quantize(Decimal(1)), words.language)
            return words.choose(vi=f"gấp {times} lần", en=f"{times} times")
        sign = "+" if percent > 0 else "−" if percent < 0 else ""
        return f"{sign}{figures.write_for_people(abs(percent), words.language)} %"
