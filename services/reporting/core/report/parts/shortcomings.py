"""Part V of the report: who still owes what, what the figures lack, and what the reminding and urging achieved."""

from collections.abc import Iterable, Sequence

from schemas.content.figure_findings import FindingKind
from schemas.events.assessments import Status, StepKind
from schemas.plan import values
from schemas.plan.plan import Obligation
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.report import words
from services.reporting.core.report.blocks import Block, CellType, Column, Heading, Paragraph, Table, TableRow
from services.reporting.core.report.inputs import ReportFinding
from services.reporting.core.report.outline import ObligationChapter, Outline
from services.reporting.core.results import RETURNED
from services.reporting.core.urging import StepEffect

DAYS_MUCH_LATE = 7
WHERE = "Phụ lục II"
FIGURES_NAMED = 3  # of those that have the same kind of slip at one agency
SLIPS = {
    FindingKind.UNCHANGED.value: "đúng bằng số liệu cùng kỳ năm trước, đề nghị kiểm tra số liệu đã được cập nhật chưa",
    FindingKind.THOUSANDFOLD.value: "chênh lệch khoảng 1.000 lần, đề nghị kiểm tra đơn vị tính",
    FindingKind.HUNDREDFOLD.value: "chênh lệch khoảng 100 lần, đề nghị kiểm tra đơn vị tính",
    FindingKind.OUT_OF_RANGE.value: "ngoài khoảng hợp lý, đề nghị kiểm tra lại",
}


def build_shortcomings(outline: Outline) -> tuple[Block, ...]:
    """Return part V."""
    return (
        Heading(level=1, text="V. TỒN TẠI, HẠN CHẾ VÀ CÔNG TÁC ĐÔN ĐỐC"),
        Heading(level=2, text="1. Tồn tại, hạn chế"),
        *_list_shortcomings(outline),
        Heading(level=2, text="2. Công tác nhắc, đôn đốc và hiệu quả"),
        *_describe_urging(outline),
    )


def _list_shortcomings(outline: Outline) -> Iterable[Block]:
    found = [one for chapter in outline.chapters for one in _list_of_chapter(chapter, outline)]
    found += _list_findings(outline)
    yield from found
    if not found:
        yield Paragraph(text="Không có đơn vị quá hạn chưa gửi, gửi chưa đầy đủ hoặc gửi trễ hạn.")
    else:
        yield Paragraph(lead="Nguyên nhân:", text="", is_item=True, has_blank=True)


def _list_of_chapter(chapter: ObligationChapter, outline: Outline) -> Iterable[Paragraph]:
    of = f" ({words.decapitalize(chapter.title)})" if len(outline.chapters) > 1 else ""
    counted = "báo cáo" if chapter.is_periodic else "đơn vị"
    overdue = [line for line in chapter.lines if line.status is Status.OVERDUE]
    if overdue:
        lead = f"{words.count(len(overdue))} {counted} quá hạn chưa gửi{of}:"
        yield Paragraph(lead=lead, text=f"{_name(overdue)}.", is_item=True)
    incomplete = [line for line in chapter.lines if line.status is Status.INCOMPLETE]
    if incomplete:
        lead = f"{words.count(len(incomplete))} {counted} chưa đầy đủ{of}:"
        yield Paragraph(lead=lead, text=f"{_name_with_missing(incomplete, chapter, outline)}.", is_item=True)
    late = [line for line in chapter.lines if line.status is Status.LATE]
    if late:
        much = [line for line in late if (line.days_late or 0) > DAYS_MUCH_LATE]
        more = f"trong đó trễ trên {DAYS_MUCH_LATE:02d} ngày: {_name(much)}" if much else ""
        lead = f"{words.count(len(late))} {counted} trễ hạn{of}{',' if much else ':'}"
        yield Paragraph(lead=lead, text=f"{more or _name(late)}.", is_item=True)


def _name(lines: Sequence[DutyLine]) -> str:
    """Return the agencies of *lines*, each once; with how many of its reports are meant where it is more than one."""
    counts: dict[str, int] = {}
    for line in lines:
        counts[line.agency_name] = counts.get(line.agency_name, 0) + 1
    names = [f"{name} ({words.count(number)} kỳ)" if number > 1 else name for name, number in counts.items()]
    return words.join_names(names, where=WHERE)


def _name_with_missing(lines: Sequence[DutyLine], chapter: ObligationChapter, outline: Outline) -> str:
    if chapter.is_periodic:
        return _name(lines)
    described = [f"{line.agency_name} ({describe_missing(line, chapter, outline)})" for line in lines]
    return words.join_names(described, where=WHERE)


def describe_missing(line: DutyLine, chapter: ObligationChapter, outline: Outline) -> str:
    """Return what a report lacks, or that it was returned, in words."""
    return "; ".join(list_missing(line, chapter.obligation, outline))


def list_missing(line: DutyLine, obligation: Obligation, outline: Outline) -> list[str]:
    """Return that a report was returned, and what it lacks, each in words."""
    lacks = [outline.name_missing_part(name, obligation) for name in line.missing if name != RETURNED]
    parts = ["bị trả lại, chưa sửa"] if RETURNED in line.missing else []
    parts += [f"thiếu {', '.join(lacks)}"] if lacks else []
    return parts


def _list_findings(outline: Outline) -> list[Paragraph]:
    """Return what the figures themselves show: one sentence an agency and kind of slip."""
    by_kind: dict[tuple[str, str], list[ReportFinding]] = {}
    for one in outline.inputs.findings:
        by_kind.setdefault((one.agency, one.kind), []).append(one)
    if not by_kind:
        return []
    described = [_describe_findings(agency, kind, found, outline) for (agency, kind), found in by_kind.items()]
    text = "; ".join(described[: words.NAMES_IN_A_SENTENCE])
    left = len(described) - words.NAMES_IN_A_SENTENCE
    more = f"; {words.count(left)} trường hợp khác tại tệp số liệu kèm theo Báo cáo" if left > 0 else ""
    return [Paragraph(lead="Chất lượng số liệu:", text=f"{text}{more}.", is_item=True)]


def _describe_findings(agency: str, kind: str, found: Sequence[ReportFinding], outline: Outline) -> str:
    name = outline.names.get(agency, agency)
    codes = list(dict.fromkeys(one.code for one in found))
    if len(codes) == 1:
        return f"{name}: {found[0].sentence.rstrip('.')}"
    titles = {one.code: one.label_in("vi") for one in outline.list_indicators()}
    said = SLIPS.get(kind, "cần kiểm tra lại")
    shown = [words.decapitalize(titles.get(code, code)) for code in codes[:FIGURES_NAMED]]
    rest = len(codes) - len(shown)
    more = f" và {words.count(rest)} chỉ tiêu khác" if rest else ""
    return f"{name}: {words.count(len(codes))} chỉ tiêu {said} ({', '.join(shown)}{more})"


def _describe_urging(outline: Outline) -> Iterable[Block]:
    lines = [line for chapter in outline.chapters for line in chapter.lines]
    alerted = [line for line in lines if line.urging.occasions]
    unreached = sorted({line.agency_name for line in lines if line.urging.unsent and not line.urging.occasions})
    if not alerted and not unreached:
        yield Paragraph(text="Không phát sinh việc nhắc, đôn đốc.")
        return
    yield Paragraph(text=_count_alerts(alerted, outline), leads_on=True)
    table = _build_steps(outline)
    if table.rows:
        yield table
    if unreached:
        names = words.join_names(unreached, where=WHERE)
        text = f"{words.count(len(unreached))} đơn vị không nhận được nhắc, đôn đốc do không liên hệ được: {names}."
        yield Paragraph(text=text)
    on_time = [line for line in alerted if line.status is Status.ON_TIME and line.urging.urgings]
    if on_time:
        names = words.join_names(sorted({line.agency_name for line in on_time}), where=WHERE)
        yield Paragraph(
            text=f"{words.count(len(on_time))} trường hợp gửi đúng hạn nhưng đã được đôn đốc trước khi báo cáo được "
            f"ghi nhận: {names}."
        )


def _count_alerts(lines: Sequence[DutyLine], outline: Outline) -> str:
    reminders = sum(line.urging.reminders for line in lines)
    reminded = len({line.key.agency for line in lines if line.urging.reminders})
    urgings = sum(line.urging.urgings + line.urging.about_incomplete for line in lines)
    urged = [line for line in lines if line.urging.urgings or line.urging.about_incomplete]
    came = sum(line.is_complete for line in urged)
    escalations = sum(line.urging.escalations for line in lines)
    escalated = f" {words.count(escalations)} lượt được báo cáo cấp trên của đơn vị." if escalations else ""
    return (
        f"{outline.speaker} đã nhắc trước hạn {words.count(reminders)} lượt đối với {words.count(reminded)} đơn vị; "
        f"đôn đốc, đề nghị bổ sung {words.count(urgings)} lượt đối với "
        f"{words.count(len({line.key.agency for line in urged}))} đơn vị, trong đó {words.count(came)} báo cáo đã gửi "
        f"đủ đến ngày tổng hợp.{escalated}"
    )


def _build_steps(outline: Outline) -> Table:
    """Return whom each step reached and who then reported before the next one."""
    merged: dict[tuple[StepKind, str], StepEffect] = {}
    for chapter in outline.chapters:
        for of_period in chapter.periods:
            for one in of_period.steps:
                known = merged.get((one.kind, one.step))
                merged[one.kind, one.step] = one if known is None else _add(known, one)
    steps = [one for one in merged.values() if one.kind is not StepKind.ESCALATION]
    rows = [
        TableRow(cells=(name_step(one.kind, one.step), one.asked, one.answered, words.divide(one.answered, one.asked)))
        for one in steps
    ]
    is_single = len(outline.chapters) == 1 and not outline.chapters[0].is_periodic
    reached = "Số đơn vị được nhắc" if is_single else "Số báo cáo được nhắc"
    return Table(
        name="steps",
        title="Hiệu quả nhắc, đôn đốc theo từng mốc",
        columns=(
            Column(name="step", title="Mốc nhắc, đôn đốc", share=40),
            Column(name="asked", title=reached, share=20, cell_type=CellType.NUMBER, is_centred=True),
            Column(
                name="answered", title="Gửi đủ trước mốc kế tiếp", share=25, cell_type=CellType.NUMBER, is_centred=True
            ),
            Column(name="share", title="Tỷ lệ", share=15, cell_type=CellType.PERCENT, is_centred=True),
        ),
        rows=tuple(rows),
        size=10.5,
    )


def _add(one: StepEffect, other: StepEffect) -> StepEffect:
    return StepEffect(
        kind=one.kind, step=one.step, asked=one.asked + other.asked, answered=one.answered + other.answered
    )


def name_step(kind: StepKind, step: str) -> str:
    """Return a step in words: `Trước hạn 7 ngày`, `Ngay khi quá hạn`, `Quá hạn 3 ngày`."""
    if kind is StepKind.INCOMPLETE:
        return "Đề nghị bổ sung báo cáo chưa đầy đủ"
    if kind is StepKind.RETURNED:
        return "Trả lại báo cáo, đề nghị sửa"
    try:
        days = getattr(values.parse_duration(step), "days", None)
    except ValueError:
        days = None
    if kind is StepKind.REMINDER:
        return f"Trước hạn {days} ngày" if days else "Trước hạn"
    if days == 0:
        return "Ngay khi quá hạn"
    return f"Quá hạn {days} ngày" if days else "Quá hạn"
