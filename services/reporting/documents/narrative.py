"""The text of the report, section by section: I basis, II results, III shortcomings, IV urging, V proposals.

Every sentence is made of figures of the report or of the plan's own words. What only the bank can say is left as a
dotted line.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from services.reporting.core import vietnamese
from services.reporting.core.annual_report import AnnualReport, Chapter, UndatedScore
from services.reporting.core.scorecard import Scorecard
from services.reporting.documents import tables
from services.reporting.documents.table import Table

TO_FILL = "…" * 30
"""A dotted line: the signatory's own words, never invented."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A numbered section: its paragraphs, then its tables; the chart follows the tables where it is asked for."""

    numeral: str
    title: str
    paragraphs: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    has_chart: bool = False


def subject(report: AnnualReport) -> str:
    """Return the `trích yếu`: what the report is about."""
    source = report.source
    if source is None:
        return f"Kết quả thực hiện {report.plan.title.vi} năm {report.period}"
    issued = f" ngày {vietnamese.short_date(source.issued_on)}" if source.issued_on else ""
    named = f"Kế hoạch số {source.number}{issued} của UBND tỉnh"
    return f"Kết quả thực hiện {named} về tín dụng chính sách xã hội năm {report.period}"


def sections(report: AnnualReport) -> tuple[Section, ...]:
    """Return the five sections of the body."""
    return (_basis(report), _results(report), _shortcomings(report), _urging(report), _proposals(report))


def appendix(report: AnnualReport) -> tuple[Table, ...]:
    """Return the tables of the appendix: every agency, those out of the denominator, the duties without a date."""
    zone = ZoneInfo(report.plan.zone)
    found = [table for chapter in report.chapters for table in (tables.agencies(chapter, zone), tables.apart(chapter))]
    found.append(tables.undated(report))
    return tuple(table for table in found if table.rows)


def colophon(report: AnnualReport) -> str:
    """Return the line that says what the figures rest on and how to check them."""
    zone = ZoneInfo(report.plan.zone)
    return (
        f"Số liệu tính đến {vietnamese.moment(report.as_of, zone)}, theo thông tin ghi nhận đến "
        f"{vietnamese.moment(report.known_at, zone)}. Mã kiểm chứng (SHA-256): {report.digest}"
    )


def _basis(report: AnnualReport) -> Section:
    zone = ZoneInfo(report.plan.zone)
    paragraphs = [paragraph for chapter in report.chapters for paragraph in _asked(chapter, report, zone)]
    paragraphs.append(f"Số liệu trong báo cáo được tổng hợp đến {vietnamese.moment(report.as_of, zone)}.")
    return Section(numeral="I", title="CĂN CỨ VÀ PHẠM VI TỔNG HỢP", paragraphs=tuple(paragraphs))


def _asked(chapter: Chapter, report: AnnualReport, zone: ZoneInfo) -> Iterable[str]:
    citation = chapter.obligation.citation
    source = next((one for one in report.plan.sources if one.id == citation.source), None)
    where = f"Mục {citation.clause} {'văn bản số ' + source.number if source else 'của Kế hoạch'}"
    yield f"{where} quy định: “{citation.quote}”"
    if chapter.due_at is not None:
        yield (
            f"Hạn cuối gửi kết quả năm {report.period}: {vietnamese.deadline(chapter.due_at, zone)}. "
            f"Số đơn vị phải gửi: {vietnamese.number(chapter.total.expected)}{_beside(chapter.total)}."
        )


def _beside(total: Scorecard) -> str:
    parts = [
        f"{vietnamese.number(count)} đơn vị {words}"
        for count, words in (
            (total.exempt, "được miễn"),
            (total.superseded, "có đơn vị kế thừa thực hiện"),
            (total.ended_no_successor, "chấm dứt hoạt động, chưa có đơn vị kế thừa"),
        )
        if count
    ]
    return f" (không tính {', '.join(parts)})" if parts else ""


def _results(report: AnnualReport) -> Section:
    paragraphs = [_result(chapter.title, chapter.total) for chapter in report.chapters]
    paragraphs += [_undated(report.undated)] if report.undated else []
    return Section(
        numeral="II",
        title="KẾT QUẢ THỰC HIỆN",
        paragraphs=tuple(paragraphs),
        tables=tuple(tables.summary(chapter) for chapter in report.chapters),
        has_chart=bool(report.chapters),
    )


def _result(title: str, total: Scorecard) -> str:
    nil = f", trong đó {vietnamese.number(total.nil_returns)} báo cáo không phát sinh" if total.nil_returns else ""
    extended = f" Có {vietnamese.number(total.under_extension)} đơn vị được gia hạn." if total.under_extension else ""
    return (
        f"{title}: đã nhận đủ {vietnamese.number(total.actual)}/{vietnamese.number(total.expected)} báo cáo "
        f"({vietnamese.percent(total.reporting_rate)}){nil}; đúng hạn {vietnamese.number(total.on_time)} "
        f"({vietnamese.percent(total.reporting_rate_on_time)}), trễ hạn {vietnamese.number(total.late)}, "
        f"chưa đầy đủ {vietnamese.number(total.incomplete)}, quá hạn chưa gửi {vietnamese.number(total.overdue)}, "
        f"chưa đến hạn {vietnamese.number(total.pending)}.{extended}"
    )


def _undated(scores: Sequence[UndatedScore]) -> str:
    heard_of = vietnamese.number(sum(score.fulfilled > 0 for score in scores))
    return (
        f"Ngoài ra, Kế hoạch giao {vietnamese.number(len(scores))} nhiệm vụ không quy định thời hạn; "
        f"đã ghi nhận kết quả của {heard_of} nhiệm vụ (chi tiết tại Phụ lục). "
        "Chưa ghi nhận kết quả không có nghĩa là chưa thực hiện."
    )


def _shortcomings(report: AnnualReport) -> Section:
    found = [tables.missing(chapter) for chapter in report.chapters if chapter.outstanding]
    if not found:
        return Section(
            numeral="III",
            title="TỒN TẠI, HẠN CHẾ",
            paragraphs=("Không có đơn vị quá hạn chưa gửi hoặc gửi chưa đầy đủ.",),
        )
    count = vietnamese.number(sum(len(table.rows) for table in found))
    sentence = f"Đến thời điểm tổng hợp còn {count} trường hợp đã quá hạn mà chưa gửi hoặc gửi chưa đầy đủ:"
    return Section(numeral="III", title="TỒN TẠI, HẠN CHẾ", paragraphs=(sentence,), tables=tuple(found))


def _urging(report: AnnualReport) -> Section:
    zone = ZoneInfo(report.plan.zone)
    lines = [line for chapter in report.chapters for line in chapter.urged]
    if not lines:
        return Section(
            numeral="IV", title="CÔNG TÁC NHẮC, ĐÔN ĐỐC", paragraphs=("Không phát sinh việc nhắc, đôn đốc.",)
        )
    reminded = sum(line.urging.reminders for line in lines)
    urged = sum(line.urging.occasions for line in lines) - reminded
    answered = sum(line.urging.answered_at is not None for line in lines)
    sentence = (
        f"Chi nhánh đã nhắc trước hạn {vietnamese.number(reminded)} lần, đôn đốc và đề nghị bổ sung "
        f"{vietnamese.number(urged)} lần đối với {vietnamese.number(len(lines))} đơn vị; "
        f"{vietnamese.number(answered)} đơn vị đã gửi đầy đủ sau khi được nhắc, đôn đốc."
    )
    pressed = [chapter.pressed for chapter in report.chapters if chapter.pressed]
    found = tuple(tables.urgings(chapter_lines, zone) for chapter_lines in pressed)
    return Section(numeral="IV", title="CÔNG TÁC NHẮC, ĐÔN ĐỐC", paragraphs=(sentence,), tables=found)


def _proposals(report: AnnualReport) -> Section:
    outstanding = sum(len(chapter.outstanding) for chapter in report.chapters)
    paragraphs = [TO_FILL]
    if outstanding:
        paragraphs.insert(
            0,
            "Kính đề nghị Chủ tịch UBND tỉnh quan tâm, chỉ đạo các đơn vị nêu tại Mục III sớm gửi đầy đủ kết quả "
            "thực hiện về Chi nhánh Ngân hàng Chính sách xã hội tỉnh.",
        )
    return Section(numeral="V", title="KIẾN NGHỊ, ĐỀ XUẤT", paragraphs=tuple(paragraphs))
