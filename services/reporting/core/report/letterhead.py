"""Who issues the report, about what, to whom, and who signs it (Decree 30/2020, Appendix I).

The plan's `report` says it; what is absent there follows from the plan, its registry and the recipient of its reports.
The number and the day stay blank for the records clerk.
"""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from schemas.content import citations
from schemas.plan import periods
from schemas.plan.plan import Obligation, Plan, SourceDocument
from schemas.plan.values import Bilingual
from services.reporting.core.annual_report import AnnualReport
from services.reporting.core.report import words
from services.reporting.core.report.inputs import ReportedDecision, ReportInputs

NATION = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"
MOTTO = "Độc lập - Tự do - Hạnh phúc"
DOCUMENT_TYPE = "BÁO CÁO"
DRAFT = "DỰ THẢO"
DEFAULT_SYMBOL = "BC"
COPY_TO_ADDRESSEE = "Như trên"
DEFAULT_FILING = "VT"
BLANK = "\u00a0" * 9  # room for a number or a day that somebody writes by hand; it does not collapse
PLACE_BLANK = "…………"

OTHER_DOCUMENT = "Văn bản"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterhead:
    """The words around the body of the report: its head, its addressee, its recipients and its signature."""

    superior: str
    issuer: str
    issuer_name: str
    symbol: str
    place: str
    year: int
    subject: str
    addressee: str
    recipients: tuple[str, ...]
    authority: str
    title: str
    signer: str
    is_draft: bool

    @property
    def number_line(self) -> str:
        """The number and symbol; the records office fills in the number."""
        return f"Số:{BLANK}/{self.symbol}"

    @property
    def place_line(self) -> str:
        """The place and date; the day and month are filled in on the day of signing."""
        return f"{self.place}, ngày{BLANK}tháng{BLANK}năm {self.year}"

    @property
    def reference(self) -> str:
        """What an appendix refers to: number, date and issuer of the report that it belongs to."""
        issued_by = f" của {self.issuer_name}" if self.issuer_name else ""
        number = f"Báo cáo số{BLANK}/{self.symbol}"
        return f"(Kèm theo {number} ngày{BLANK}tháng{BLANK}năm {self.year}{issued_by})"


def build_letterhead(inputs: ReportInputs) -> Letterhead:
    """Return the words around the body of the report."""
    report, form = inputs.report, inputs.report.plan.report
    recipient = _find_recipient(inputs)
    name = _in_vietnamese(form.issuer_name) or recipient
    copies = form.recipients or (COPY_TO_ADDRESSEE,)
    filing = form.filing or DEFAULT_FILING
    return Letterhead(
        superior=form.superior or "",
        issuer=form.issuer or name.upper(),
        issuer_name=name,
        symbol=form.symbol or DEFAULT_SYMBOL,
        place=form.place or PLACE_BLANK,
        year=report.as_of.astimezone(ZoneInfo(report.plan.zone)).year,
        subject=name_subject(report),
        addressee=form.addressee or _name_agency(inputs, report.plan.issuer),
        recipients=(*(f"- {copy.rstrip('.;')};" for copy in copies), f"- Lưu: {filing}."),
        authority=form.signer.authority,
        title=form.signer.title or "",
        signer=form.signer.name,
        is_draft=inputs.seal is None,
    )


def name_subject(report: AnnualReport) -> str:
    """Return the subject (`trích yếu`) with the period: `Kết quả thực hiện Kế hoạch số … năm 2024`."""
    plan = report.plan
    given = None if plan.report.subject is None else plan.report.subject.in_language("vi")
    subject = given or f"Kết quả thực hiện {cite_briefly(plan)}"
    return words.spell_out(periods.add_period(subject, report.period))


def find_source(plan: Plan, obligation: Obligation | None = None) -> SourceDocument | None:
    """Return the document that *obligation* cites, else the plan's first source; None where it names none."""
    if obligation is not None:
        return next((one for one in plan.sources if one.id == obligation.citation.source), None)
    return next(iter(plan.sources), None)


def cite_fully(inputs: ReportInputs, source: SourceDocument | None) -> str:
    """Return a document as it is cited first: kind, number, date in words, issuer and subject (Decree 30/2020)."""
    plan = inputs.report.plan
    if source is None:
        return words.spell_out(plan.title.vi)
    is_plan = source == find_source(plan)
    issuer = _name_agency(inputs, plan.issuer) if is_plan else ""
    subject = plan.title.vi if is_plan else (source.title.vi if source.title else "")
    kind = name_kind(source)
    # A title that begins with the kind of the document would say it twice.
    if subject.casefold().startswith(kind.casefold()):
        subject = subject[len(kind) :].lstrip(" ,:")
    parts = (
        f"{kind} số {source.number}",
        words.write_date(source.issued_on) if source.issued_on else "",
        f"của {issuer}" if issuer else "",
        subject if is_plan else words.decapitalize(subject),
    )
    return words.spell_out(" ".join(part for part in parts if part))


def cite_briefly(plan: Plan, source: SourceDocument | None = None) -> str:
    """Return a document as it is cited again: kind and number, or the plan's title where it has no number."""
    source = source or find_source(plan)
    return plan.title.vi if source is None else f"{name_kind(source)} số {source.number}"


def name_kind(source: SourceDocument) -> str:
    """Return the kind of a document: `Kế hoạch` for `6766/KH-UBND`, `Chỉ thị` for `40-CT/TW`."""
    title = source.title.vi if source.title else ""
    return citations.find_kind(source.number, title) or OTHER_DOCUMENT


def name_plan(plan: Plan) -> str:
    """Return what a plan is called in a sentence that follows its citation: `Kế hoạch`, `Thông tư`, `Nghị định`."""
    source = find_source(plan)
    return "Kế hoạch" if source is None else name_kind(source)


def cite_decision_briefly(decision: ReportedDecision) -> str:
    """Return a decision as a table cites it: `Quyết định số 3905/QĐ-UBND`."""
    kind = citations.find_kind(decision.number) or OTHER_DOCUMENT
    return f"{kind} số {decision.number}" if decision.number else kind


def cite_decision(decision: ReportedDecision) -> str:
    """Return a decision as it is cited: `Quyết định số 3905/QĐ-UBND ngày 16 tháng 10 năm 2024 do … ký`."""
    parts = (
        cite_decision_briefly(decision),
        words.write_date(decision.issued_on) if decision.issued_on else "",
        f"do {decision.signed_by} ký" if decision.signed_by else "",
    )
    return words.spell_out(" ".join(part for part in parts if part))


def _find_recipient(inputs: ReportInputs) -> str:
    """Return the name of the agency to which the first dated obligation is reported; empty where it is a relation."""
    recipients = [chapter.obligation.recipient for chapter in inputs.report.chapters]
    return next((name for one in recipients if (name := _name_agency(inputs, one))), "")


def _name_agency(inputs: ReportInputs, agency: str | None) -> str:
    if agency is None or agency not in inputs.registry.agencies:
        return ""
    day = inputs.report.as_of.astimezone(ZoneInfo(inputs.report.plan.zone)).date()
    return inputs.registry.name_on(agency, day)


def _in_vietnamese(text: str | Bilingual | None) -> str:
    if text is None:
        return ""
    return text if isinstance(text, str) else text.in_language("vi")
