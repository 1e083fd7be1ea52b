"""Part VI of the report: what the agencies propose, verbatim and by group, what the issuer asks for, the closing."""

from collections.abc import Iterable, Sequence

from schemas.events.assessments import Status
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.report import letterhead, words
from services.reporting.core.report.blocks import Block, Heading, Paragraph
from services.reporting.core.report.outline import ObligationChapter, Outline
from services.reporting.core.report.parts import quotations
from services.reporting.core.results import AgencyText, ObligationResults

NOT_ASKED = "Mẫu báo cáo theo {plan} không có mục kiến nghị, đề xuất."


def build_proposals(outline: Outline) -> tuple[Block, ...]:
    """Return part VI and the closing sentence of the report."""
    return (
        Heading(level=1, text="VI. KIẾN NGHỊ, ĐỀ XUẤT"),
        Heading(level=2, text="1. Kiến nghị của các đơn vị"),
        *_quote_proposals(outline),
        Heading(level=2, text=f"2. Kiến nghị của {outline.speaker}"),
        *_ask(outline),
        _close(outline),
    )


def _quote_proposals(outline: Outline) -> Iterable[Block]:
    asked = [
        (chapter, results)
        for chapter in outline.chapters
        if (results := chapter.newest_results) is not None and quotations.PROPOSALS in results.sections
    ]
    if not asked:
        yield Paragraph(text=NOT_ASKED.format(plan=outline.plan_name))
    for chapter, results in asked:
        yield from _quote_of_chapter(chapter, results, outline)


def _quote_of_chapter(chapter: ObligationChapter, results: ObligationResults, outline: Outline) -> Iterable[Block]:
    texts = results.sections[quotations.PROPOSALS]
    of = f" trong {words.decapitalize(chapter.title)}" if len(outline.chapters) > 1 else ""
    silent = results.standing - len(texts)
    if not texts:
        yield Paragraph(text=f"Không có đơn vị nào nêu kiến nghị{of}.")
        return
    rest = f"; {words.count(silent)} đơn vị đã gửi báo cáo không có kiến nghị" if silent > 0 else ""
    yield Paragraph(text=f"Có {words.count(len(texts))} đơn vị nêu kiến nghị{of}, trích nguyên văn{rest}.")
    left, omitted = quotations.find_room(outline), 0
    grouped = _group_by_group(texts, chapter)
    for letter, (name, of_group) in zip(quotations.LETTERS, grouped.items(), strict=False):
        quoted = quotations.merge_equal(of_group, chapter, outline)
        shown, left = quotations.choose_fitting(quoted, left)
        omitted += len(quoted) - len(shown)
        yield from [Heading(level=3, text=f"{letter}) {name}")] if len(grouped) > 1 and shown else []
        yield from quotations.print_quotations(shown)
    yield from quotations.count_left_out(omitted)


def _group_by_group(texts: Sequence[AgencyText], chapter: ObligationChapter) -> dict[str, list[AgencyText]]:
    """Return the texts under the names of the groups of the agencies, in the order of the report."""
    group_of = {line.key.agency: line.group_name for line in chapter.lines}
    grouped: dict[str, list[AgencyText]] = {name: [] for name in dict.fromkeys(group_of.values())}
    for text in texts:
        grouped.setdefault(group_of.get(text.agency, ""), []).append(text)
    return {name: of_group for name, of_group in grouped.items() if of_group}


def _ask(outline: Outline) -> Iterable[Block]:
    today = outline.report.as_of.astimezone(outline.zone).date()
    # Nobody can be asked of an office that has ended; what its heir owes stands under the heir.
    owing = [
        line
        for chapter in outline.chapters
        for line in chapter.lines
        if outline.inputs.registry.registry.exists_on(line.key.agency, today)
    ]
    overdue = _name([line for line in owing if line.status is Status.OVERDUE])
    incomplete = _name([line for line in owing if line.status is Status.INCOMPLETE])
    to = outline.letterhead.addressee
    yield Paragraph(text=f"Kính đề nghị {to or 'cấp có thẩm quyền'} quan tâm, chỉ đạo:", leads_on=True)
    asked = [f"{overdue} gửi báo cáo còn thiếu"] if overdue else []
    asked += [f"{incomplete} bổ sung, hoàn chỉnh báo cáo"] if incomplete else []
    if asked:
        yield Paragraph(text=f"{'; '.join(asked)} và gửi về {outline.speaker}.", is_item=True)
    yield Paragraph(text="", is_item=True, has_blank=True)


def _name(lines: Sequence[DutyLine]) -> str:
    return words.join_names(list(dict.fromkeys(line.agency_name for line in lines)), where="Phụ lục II")


def _close(outline: Outline) -> Paragraph:
    head, plan = outline.letterhead, outline.report.plan
    to = f"kính báo cáo {head.addressee} xem xét, chỉ đạo" if head.addressee else "báo cáo"
    brief = letterhead.cite_briefly(plan)
    period = words.name_period(outline.report.period)
    issuer = head.issuer_name or outline.speaker
    # The signature does not stand on a page by itself: this sentence goes with it.
    return Paragraph(text=f"Trên đây là báo cáo kết quả thực hiện {brief} {period}, {issuer} {to}./.", leads_on=True)
