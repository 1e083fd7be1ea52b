"""Part I of the report: what it rests on, whom it covers, as of which day, and how its totals are made."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from schemas.content import citations
from schemas.plan.plan import Obligation, ObligationKind
from services.reporting.core.report import letterhead, words
from services.reporting.core.report.blocks import Block, Heading, Paragraph
from services.reporting.core.report.figures import known_total
from services.reporting.core.report.outline import ObligationChapter, Outline
from services.reporting.core.report.parts import changes
from services.reporting.core.results import UNASKED, ObligationResults

# The decree wants each appendix to be referred to in the document (Decree 30/2020, Appendix I, part one, III.1).
WHAT_IS_APPENDED = (
    "Kèm theo Báo cáo có Phụ lục I (số liệu của từng đơn vị), Phụ lục II (tình hình gửi báo cáo của từng đơn vị) và "
    "Phụ lục III (nhiệm vụ không quy định thời hạn đã ghi nhận kết quả)."
)
HOW_TOTALS_ARE_MADE = (
    "Số tổng cộng là tổng số liệu trong báo cáo hợp lệ sau cùng của từng đơn vị; báo cáo gửi trễ hoặc chưa đầy đủ vẫn "
    "được cộng và được ghi chú. Không ước tính thay đơn vị chưa có số liệu; mỗi chỉ tiêu ghi rõ số đơn vị có số liệu, "
    "tăng, giảm chỉ tính trên các đơn vị có số liệu cả hai năm. Chỉ tiêu tỷ lệ được tính từ các số tổng cộng."
)
NOT_CONSOLIDATED = "Số liệu của các báo cáo chưa tổng hợp được vì có bản ghi lưu trữ không đọc được."
NO_FIGURES = "Các báo cáo theo {plan} không có chỉ tiêu số liệu; Báo cáo tổng hợp tình hình gửi và nội dung báo cáo."


def introduce(outline: Outline) -> Paragraph:
    """Return the sentence before part I: on what ground who reports what to whom."""
    plan, head = outline.report.plan, outline.letterhead
    source = letterhead.find_source(plan)
    full, brief = letterhead.cite_fully(outline.inputs, source), letterhead.cite_briefly(plan)
    called = f" (sau đây gọi là {brief})" if source is not None else ""
    issuer = head.issuer_name or outline.speaker
    named = f" (sau đây gọi là {outline.speaker})" if outline.speaker != issuer else ""
    to = f"kính báo cáo {head.addressee}" if head.addressee else "báo cáo"
    period = words.name_period(outline.report.period)
    return Paragraph(
        text=f"Thực hiện {full}{called}, {issuer}{named} tổng hợp, đánh giá kết quả thực hiện {period} của các cơ "
        f"quan, đơn vị được giao và {to} như sau:"
    )


def build_basis(outline: Outline) -> tuple[Block, ...]:
    """Return part I."""
    has_figures = any(one.indicators for chapter in outline.chapters for one in chapter.results.values())
    return (
        Heading(level=1, text="I. CĂN CỨ, PHẠM VI TỔNG HỢP"),
        Heading(level=2, text="1. Căn cứ"),
        *(Paragraph(text=text) for text in _cite_clauses(outline)),
        Heading(level=2, text="2. Phạm vi và thời điểm số liệu"),
        *(Paragraph(text=_describe_scope(chapter, outline)) for chapter in outline.chapters),
        *_note_unreadable(outline),
        Heading(level=2, text="3. Cách tổng hợp"),
        Paragraph(text=HOW_TOTALS_ARE_MADE if has_figures else _explain_no_figures(outline)),
        *(Paragraph(text=text) for chapter in outline.chapters for text in _describe_holes(chapter, outline)),
        Paragraph(text=WHAT_IS_APPENDED),
        *changes.build_changes(outline),
    )


def _explain_no_figures(outline: Outline) -> str:
    return NOT_CONSOLIDATED if outline.report.unreadable else NO_FIGURES.format(plan=outline.plan_name)


def _cite_clauses(outline: Outline) -> Iterable[str]:
    """Yield the clauses that ask for the reports, and the one that asks the issuer to consolidate them."""
    plan = outline.report.plan
    asked = [chapter.obligation for chapter in outline.chapters]
    consolidating = [one for one in plan.obligations if one.kind is ObligationKind.AGGREGATION and one not in asked]
    cited: set[str] = {source.id} if (source := letterhead.find_source(plan)) else set()
    seen: set[tuple[str, str]] = set()
    for obligation in (*asked, *consolidating[:1]):
        place = (obligation.citation.clause, obligation.citation.quote)
        if place not in seen:
            seen.add(place)
            document = _cite_source(obligation, outline, cited)
            clause = citations.name_clause(obligation.citation.clause).vi
            yield f"{clause[0].upper()}{clause[1:]} {document} quy định: {_quote(obligation.citation.quote)}"


def _cite_source(obligation: Obligation, outline: Outline, cited: set[str]) -> str:
    source = letterhead.find_source(outline.report.plan, obligation)
    if source is None or source.id in cited:
        return letterhead.cite_briefly(outline.report.plan, source)
    cited.add(source.id)
    return letterhead.cite_fully(outline.inputs, source)


def _quote(text: str) -> str:
    quoted = text.strip()
    return f"“{quoted}”" if quoted.endswith((".", ";")) else f"“{quoted}”."


def _describe_scope(chapter: ObligationChapter, outline: Outline) -> str:
    scope = _describe_periods(chapter, outline) if chapter.is_periodic else _describe_roster(chapter, outline)
    newest = chapter.newest_results
    return f"{scope} {_describe_cut_offs(newest)}".rstrip() if newest is not None else scope


def _describe_roster(chapter: ObligationChapter, outline: Outline) -> str:
    (of_period,) = chapter.periods
    total = of_period.total
    title = chapter.title_for(of_period.period or outline.report.period)
    groups = words.join_with_and(
        [
            words.count_members(sum(line.group == group.group for line in of_period.lines), group.name)
            for group in of_period.groups
        ]
    )
    listed = len(of_period.lines)
    excluded = _describe_excluded(chapter, outline)
    owed = f"{excluded} nên số đơn vị phải gửi là {words.count(total.expected)}" if excluded else ""
    deadline = words.write_deadline(of_period.due_at, outline.zone) if of_period.due_at else ""
    due = f" Hạn gửi là {deadline}." if deadline else ""
    on_file = total.actual + total.incomplete
    return (
        f"{title}: {words.count(listed)} đơn vị thuộc diện gửi, gồm {groups}"
        f"{f'; {owed}' if owed else ''}.{due} Đến {words.write_instant(outline.report.as_of, outline.zone)}, "
        f"{outline.speaker} đã nhận báo cáo của {words.count(on_file)}/{words.count(total.expected)} đơn vị, "
        f"trong đó {words.count(total.actual)} báo cáo đầy đủ."
    )


def _describe_periods(chapter: ObligationChapter, outline: Outline) -> str:
    total = chapter.total
    agencies = len({line.key.agency for line in chapter.lines})
    names = ", ".join(
        words.decapitalize(words.name_period_briefly(one.period or "", outline.report.period))
        for one in chapter.periods
    )
    due = total.expected - total.pending
    return (
        f"{chapter.title}: {words.count(len(chapter.periods))} kỳ báo cáo ({names}) của {words.count(agencies)} đơn "
        f"vị, tổng số {words.count(total.expected)} báo cáo phải gửi. "
        f"Đến {words.write_instant(outline.report.as_of, outline.zone)} có {words.count(due)} báo cáo đã đến hạn hoặc "
        f"đã gửi, trong đó {words.count(total.actual)} báo cáo đầy đủ."
    )


def _describe_excluded(chapter: ObligationChapter, outline: Outline) -> str:
    """Return who is exempt by which decision, and who ended or was superseded; empty where nobody was."""
    parts = []
    for line in chapter.periods[0].excluded:
        decision = outline.cite_decision(line)
        match line.status.value:
            case "exempt":
                parts.append(f"{line.agency_name} được miễn{f' theo {decision}' if decision else ''}")
            case "superseded":
                heirs = ", ".join(line.successors)
                parts.append(f"{line.agency_name} có đơn vị kế thừa{f' là {heirs}' if heirs else ''}")
            case _:
                parts.append(f"{line.agency_name} đã chấm dứt hoạt động, chưa có đơn vị kế thừa")
    return words.join_names(parts, where="Phụ lục")


def _describe_cut_offs(results: ObligationResults) -> str:
    """Return as of which day the figures are, with how many agencies where the days differ."""
    by_agency: dict[str, date | None] = {}
    for result in results.indicators:
        by_agency |= {one.agency: one.cut_off for one in result.figures if UNASKED not in one.flags}
    counts = Counter(by_agency.values())
    if not counts:
        return ""
    dated = sorted((day, number) for day, number in counts.items() if day is not None)
    names = [(f"tính đến {words.write_date(day)}", number) for day, number in dated]
    if counts[None]:
        names.append(("không ghi ngày chốt", counts[None]))
    if len(names) == 1:
        return f"Số liệu của các đơn vị {names[0][0]}."
    described = "; ".join(f"{name}: {words.count(number)} đơn vị" for name, number in names)
    return f"Thời điểm chốt số liệu của các đơn vị không thống nhất: {described}."


def _describe_holes(chapter: ObligationChapter, outline: Outline) -> Iterable[str]:
    """Yield who gave no figure at all, and how large their figures were a year before."""
    results = chapter.newest_results
    silent = _list_silent(results) if results is not None else []
    if results is None or not silent:
        return
    names = words.join_names([outline.names.get(agency, agency) for agency in silent], where="Phụ lục I")
    measured = next((one for one in results.indicators if one.indicator.kind != "ratio" and one.previous), None)
    size = ""
    if measured is not None and (previous := measured.previous) is not None and previous.is_comparable:
        gone = previous.agencies - previous.same.agencies
        missing = (previous.total or Decimal(0)) - (previous.same.previous or Decimal(0))
        if gone > 0 and missing and known_total(measured) is not None:
            amount = words.write_amount(missing, measured.indicator.unit)
            title = words.decapitalize(measured.indicator.label_in("vi"))
            size = (
                f" Riêng chỉ tiêu {title}, {words.count(gone)} đơn vị có số liệu năm trước nhưng kỳ này chưa có, "
                f"số liệu năm trước là {amount}."
            )
    # Where several reports are consolidated, each names its own totals: the same agencies may be missing from all.
    several = f" của {words.decapitalize(chapter.obligation.title.vi)}" if len(outline.chapters) > 1 else ""
    yield f"Các số tổng cộng{several} chưa có số liệu của {words.count(len(silent))} đơn vị: {names}.{size}"


def _list_silent(results: ObligationResults) -> list[str]:
    """Return the agencies that are asked for figures and gave none of them."""
    summed = [one for one in results.indicators if one.indicator.kind != "ratio"]
    gave = {figure.agency for result in summed for figure in result.figures}
    return sorted({agency for result in summed for agency in result.not_given} - gave)


def _note_unreadable(outline: Outline) -> Iterable[Paragraph]:
    unreadable = len(outline.report.unreadable)
    if unreadable:
        text = f"Có {words.count(unreadable)} bản ghi lưu trữ không đọc được, chưa tính trong Báo cáo này."
        yield Paragraph(text=text)
