"""The text of the report, section by section: I basis, II results, III shortcomings, IV urging, V proposals.

Every sentence is built from the figures of the report or quotes the plan. Where only the bank can speak, the text has a
dotted line to fill in.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from services.reporting.core import vietnamese_locale
from services.reporting.core.annual_report import AnnualReport, Chapter, UndatedObligation
from services.reporting.core.duty_counts import DutyCounts
from services.reporting.documents import report_tables
from services.reporting.documents.table_model import Table

# The signatory's own words go here; the system never invents them.
DOTTED_LINE = "…" * 30


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSection:
    """A numbered section: its paragraphs, then its tables, then the charts if `has_chart`."""

    numeral: str
    title: str
    paragraphs: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    has_chart: bool = False


def subject_of(report: AnnualReport) -> str:
    """Return the subject line of the report (`trích yếu`)."""
    source = report.source
    if source is None:
        return f"Kết quả thực hiện {report.plan.title.vi} năm {report.period}"
    issue_date = f" ngày {vietnamese_locale.format_date(source.issued_on)}" if source.issued_on else ""
    plan_name = f"Kế hoạch số {source.number}{issue_date} của UBND tỉnh"
    return f"Kết quả thực hiện {plan_name} về tín dụng chính sách xã hội năm {report.period}"


def build_sections(report: AnnualReport) -> tuple[ReportSection, ...]:
    """Return the five sections of the body."""
    return (
        _build_basis(report),
        _build_results(report),
        _build_shortcomings(report),
        _build_urging(report),
        _build_proposals(report),
    )


def build_appendix(report: AnnualReport) -> tuple[Table, ...]:
    """Return the tables of the appendix that have rows: every agency, the excluded, the undated obligations."""
    zone = ZoneInfo(report.plan.zone)
    tables: list[Table] = []
    for chapter in report.chapters:
        tables += (report_tables.build_agency_table(chapter, zone), report_tables.build_excluded_table(chapter))
    tables.append(report_tables.build_undated_table(report))
    return tuple(table for table in tables if table.rows)


def verification_note(report: AnnualReport) -> str:
    """Return the note that states both instants of the figures and the digest by which they can be verified."""
    zone = ZoneInfo(report.plan.zone)
    return (
        f"Số liệu tính đến {vietnamese_locale.format_instant(report.as_of, zone)}, theo thông tin ghi nhận đến "
        f"{vietnamese_locale.format_instant(report.known_at, zone)}. Mã kiểm chứng (SHA-256): {report.digest}"
    )


def note_unreadable(report: AnnualReport) -> str | None:
    """Return the sentence that says how many stored records the figures leave out; None if they leave out none."""
    if not report.unreadable:
        return None
    count = vietnamese_locale.format_number(len(report.unreadable))
    return f"Có {count} bản ghi lưu trữ không đọc được, chưa tính trong báo cáo này."


def _build_basis(report: AnnualReport) -> ReportSection:
    zone = ZoneInfo(report.plan.zone)
    paragraphs = [
        paragraph for chapter in report.chapters for paragraph in _build_basis_of_chapter(chapter, report, zone)
    ]
    paragraphs.append(
        f"Số liệu trong báo cáo được tổng hợp đến {vietnamese_locale.format_instant(report.as_of, zone)}."
    )
    unreadable = note_unreadable(report)
    paragraphs += [] if unreadable is None else [unreadable]
    return ReportSection(numeral="I", title="CĂN CỨ VÀ PHẠM VI TỔNG HỢP", paragraphs=tuple(paragraphs))


def _build_basis_of_chapter(chapter: Chapter, report: AnnualReport, zone: ZoneInfo) -> Iterable[str]:
    citation = chapter.obligation.citation
    source = next((one for one in report.plan.sources if one.id == citation.source), None)
    place = f"Mục {citation.clause} {'văn bản số ' + source.number if source else 'của Kế hoạch'}"
    yield f"{place} quy định: “{citation.quote}”"
    if chapter.due_at is not None:
        yield (
            f"Hạn cuối gửi kết quả năm {report.period}: {vietnamese_locale.format_deadline(chapter.due_at, zone)}. "
            f"Số đơn vị phải gửi: {vietnamese_locale.format_number(chapter.total.expected)}"
            f"{_describe_excluded(chapter.total)}."
        )


def _describe_excluded(total: DutyCounts) -> str:
    parts = [
        f"{vietnamese_locale.format_number(count)} đơn vị {words}"
        for count, words in (
            (total.exempt, "được miễn"),
            (total.superseded, "có đơn vị kế thừa thực hiện"),
            (total.ended_no_successor, "chấm dứt hoạt động, chưa có đơn vị kế thừa"),
        )
        if count
    ]
    return f" (không tính {', '.join(parts)})" if parts else ""


def _build_results(report: AnnualReport) -> ReportSection:
    paragraphs = [_describe_result(chapter.title, chapter.total) for chapter in report.chapters]
    paragraphs += [_describe_undated(report.undated)] if report.undated else []
    return ReportSection(
        numeral="II",
        title="KẾT QUẢ THỰC HIỆN",
        paragraphs=tuple(paragraphs),
        tables=tuple(report_tables.build_summary_table(chapter) for chapter in report.chapters),
        has_chart=bool(report.chapters),
    )


def _describe_result(title: str, total: DutyCounts) -> str:
    number, percent = vietnamese_locale.format_number, vietnamese_locale.format_percent
    nil = f", trong đó {number(total.nil_returns)} báo cáo không phát sinh" if total.nil_returns else ""
    extended = f" Có {number(total.under_extension)} đơn vị được gia hạn." if total.under_extension else ""
    return (
        f"{title}: đã nhận đủ {number(total.actual)}/{number(total.expected)} báo cáo "
        f"({percent(total.reporting_rate)}){nil}; đúng hạn {number(total.on_time)} "
        f"({percent(total.reporting_rate_on_time)}), trễ hạn {number(total.late)}, "
        f"chưa đầy đủ {number(total.incomplete)}, quá hạn chưa gửi {number(total.overdue)}, "
        f"chưa đến hạn {number(total.pending)}.{extended}"
    )


def _describe_undated(obligations: Sequence[UndatedObligation]) -> str:
    fulfilled = vietnamese_locale.format_number(sum(obligation.fulfilled > 0 for obligation in obligations))
    return (
        f"Ngoài ra, Kế hoạch giao {vietnamese_locale.format_number(len(obligations))} nhiệm vụ "
        f"không quy định thời hạn; "
        f"đã ghi nhận kết quả của {fulfilled} nhiệm vụ (chi tiết tại Phụ lục). "
        "Chưa ghi nhận kết quả không có nghĩa là chưa thực hiện."
    )


def _build_shortcomings(report: AnnualReport) -> ReportSection:
    tables = [report_tables.build_missing_table(chapter) for chapter in report.chapters if chapter.outstanding]
    if not tables:
        return ReportSection(
            numeral="III",
            title="TỒN TẠI, HẠN CHẾ",
            paragraphs=("Không có đơn vị quá hạn chưa gửi hoặc gửi chưa đầy đủ.",),
        )
    count = vietnamese_locale.format_number(sum(len(table.rows) for table in tables))
    sentence = f"Đến thời điểm tổng hợp còn {count} trường hợp đã quá hạn mà chưa gửi hoặc gửi chưa đầy đủ:"
    return ReportSection(numeral="III", title="TỒN TẠI, HẠN CHẾ", paragraphs=(sentence,), tables=tuple(tables))


def _build_urging(report: AnnualReport) -> ReportSection:
    zone = ZoneInfo(report.plan.zone)
    lines = [line for chapter in report.chapters for line in chapter.urged]
    if not lines:
        return ReportSection(
            numeral="IV", title="CÔNG TÁC NHẮC, ĐÔN ĐỐC", paragraphs=("Không phát sinh việc nhắc, đôn đốc.",)
        )
    reminded = sum(line.urging.reminders for line in lines)
    urged = sum(line.urging.occasions for line in lines) - reminded
    answered = sum(line.urging.answered_at is not None for line in lines)
    sentence = (
        f"Chi nhánh đã nhắc trước hạn {vietnamese_locale.format_number(reminded)} lần, đôn đốc và đề nghị bổ sung "
        f"{vietnamese_locale.format_number(urged)} lần đối với {vietnamese_locale.format_number(len(lines))} đơn vị; "
        f"{vietnamese_locale.format_number(answered)} đơn vị đã gửi đầy đủ sau khi được nhắc, đôn đốc."
    )
    beyond_reminders = [chapter.urged_beyond_reminders for chapter in report.chapters if chapter.urged_beyond_reminders]
    tables = tuple(report_tables.build_urging_table(chapter_lines, zone) for chapter_lines in beyond_reminders)
    return ReportSection(numeral="IV", title="CÔNG TÁC NHẮC, ĐÔN ĐỐC", paragraphs=(sentence,), tables=tables)


def _build_proposals(report: AnnualReport) -> ReportSection:
    outstanding = sum(len(chapter.outstanding) for chapter in report.chapters)
    paragraphs = [DOTTED_LINE]
    if outstanding:
        paragraphs.insert(
            0,
            "Kính đề nghị Chủ tịch UBND tỉnh quan tâm, chỉ đạo các đơn vị nêu tại Mục III sớm gửi đầy đủ kết quả "
            "thực hiện về Chi nhánh Ngân hàng Chính sách xã hội tỉnh.",
        )
    return ReportSection(numeral="V", title="KIẾN NGHỊ, ĐỀ XUẤT", paragraphs=tuple(paragraphs))
