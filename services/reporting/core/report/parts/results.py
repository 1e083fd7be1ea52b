"""Part II of the report: what was achieved, a few lines first, then tables, a ranking, and the agencies' own words."""

from collections.abc import Iterable
from decimal import Decimal

from services.reporting.core import vietnamese_locale
from services.reporting.core.report import words
from services.reporting.core.report.blocks import Block, Heading, Paragraph, Table
from services.reporting.core.report.figures import known_total
from services.reporting.core.report.outline import ObligationChapter, Outline
from services.reporting.core.report.parts import indicator_tables, quotations, ranking
from services.reporting.core.results import IndicatorResult

# The lines that a reader who stops there has read: the first indicators with a target, then one ratio.
SUMMARY_INDICATORS = 4


def build_results(outline: Outline) -> tuple[Block, ...]:
    """Return part II."""
    blocks: list[Block] = [
        Heading(level=1, text="II. KẾT QUẢ THỰC HIỆN"),
        Heading(level=2, text="1. Kết quả chung"),
        *_summarize(outline),
    ]
    number = 1
    for chapter in outline.chapters:
        for title, content in _build_sections(chapter, outline):
            if content:
                number += 1
                of = f" ({words.decapitalize(chapter.title)})" if len(outline.chapters) > 1 else ""
                blocks += [Heading(level=2, text=f"{number}. {title}{of}"), *content]
    return tuple(blocks)


def _build_sections(chapter: ObligationChapter, outline: Outline) -> Iterable[tuple[str, list[Block]]]:
    """Yield the sections about one obligation, of which some may be empty."""
    results = chapter.newest_results
    if results is not None and results.indicators:
        period = words.name_period(chapter.newest_period or outline.report.period)
        tables: list[Table | None] = [
            indicator_tables.build_comparison_table(chapter, results, outline),
            *indicator_tables.build_series_tables(chapter, outline),
            indicator_tables.build_group_table(chapter, results, outline),
        ]
        yield f"Kết quả theo chỉ tiêu {period}", [table for table in tables if table is not None]
        yield "Kết quả của từng đơn vị", list(_rank(chapter, outline))
    yield "Nội dung các đơn vị báo cáo", quotations.quote_sections(chapter, outline)


def _summarize(outline: Outline) -> Iterable[Paragraph]:
    if len(outline.chapters) > 1:
        yield from (_summarize_chapter(chapter, outline) for chapter in outline.chapters)
    else:
        for chapter in outline.chapters:
            yield from (_summarize_indicator(result) for result in _choose_for_summary(chapter))
            said = f"{_describe_discipline(chapter)}."
            yield Paragraph(lead="Chấp hành chế độ báo cáo:", text=said, is_item=True)
    if outline.report.undated:
        yield _summarize_undated(outline)


def _summarize_chapter(chapter: ObligationChapter, outline: Outline) -> Paragraph:
    """Return one of several reports in one paragraph: how it was sent, then its figures in the newest period."""
    chosen = _choose_for_summary(chapter)
    behind = {_count_behind(one) for one in chosen}
    is_same = len(behind) == 1  # then it is said once
    figures = [
        f"{words.decapitalize(one.indicator.label_in('vi'))} {_describe_result(one, with_behind=not is_same)}"
        for one in chosen
    ]
    period = words.name_period(chapter.newest_period or outline.report.period)
    of = f" {behind.pop()}" if is_same else ""
    said = f" Số liệu {period}{of}: {'; '.join(figures)}." if figures else ""
    return Paragraph(lead=f"{chapter.title}:", text=f"{_describe_discipline(chapter)}.{said}", is_item=True)


def _choose_for_summary(chapter: ObligationChapter) -> list[IndicatorResult]:
    results = chapter.newest_results
    if results is None:
        return []
    known = [one for one in results.indicators if known_total(one) is not None]
    summed = [one for one in known if one.indicator.kind != "ratio"]
    chosen = [one for one in summed if one.target is not None] or summed
    ratios = [one for one in known if one.indicator.kind == "ratio"]
    return [*chosen[: SUMMARY_INDICATORS - 1], *ratios[:1]]


def _summarize_indicator(result: IndicatorResult) -> Paragraph:
    return Paragraph(lead=f"{result.indicator.label_in('vi')}:", text=f"{_describe_result(result)}.", is_item=True)


def _count_behind(result: IndicatorResult) -> str:
    return f"theo báo cáo của {words.write_part(result.agencies, result.asked)} đơn vị"


def _describe_result(result: IndicatorResult, *, with_behind: bool = True) -> str:
    total, indicator = known_total(result) or Decimal(0), result.indicator
    behind = f" {_count_behind(result)}" if with_behind else ""
    parts = [f"{words.write_amount(total, indicator.unit)}{behind}", *_describe_change(result)]
    if result.target:
        share = vietnamese_locale.format_number(total * 100 / result.target, 1)
        parts.append(f"đạt {share}% chỉ tiêu")
    return ", ".join(parts)


def _describe_change(result: IndicatorResult) -> Iterable[str]:
    """Yield the change of the agencies that compare, and how many they are where they are not all that are summed."""
    previous, unit = result.previous, result.indicator.unit
    if previous is None or not previous.agencies:
        return
    period = words.name_period(previous.period)
    same = previous.same
    if not same.agencies or same.total is None or same.previous is None:
        yield f"không so sánh được với {period}"
        return
    change = same.total - same.previous
    if result.indicator.kind == "ratio":
        earlier = f"{period} là {words.write_amount(same.previous, unit)}"
        alone = (
            f"riêng {words.count(same.agencies)} đơn vị có số liệu cả hai kỳ là {words.write_amount(same.total, unit)}"
        )
        yield earlier if same.total == result.total else f"{alone}, {earlier}"
        return
    basis = "" if same.agencies == result.agencies else f" (tính trên {words.count(same.agencies)} đơn vị)"
    if not change:
        yield f"bằng {period}{basis}"
        return
    word = "tăng" if change > 0 else "giảm"
    share = f"{vietnamese_locale.format_number(abs(change) * 100 / same.previous, 1)}%" if same.previous else ""
    percent = f" ({share})" if share else ""
    yield f"{word} {words.write_amount(abs(change), unit)}{percent} so với {period}{basis}"


def _describe_discipline(chapter: ObligationChapter) -> str:
    total = chapter.total
    counted = "đơn vị" if not chapter.is_periodic else "báo cáo"
    rate = vietnamese_locale.format_percent(total.reporting_rate_on_time)
    parts = [f"{words.write_part(total.on_time, total.expected)} {counted} đúng hạn ({rate})"]
    for number, name in (
        (total.late, "trễ hạn"),
        (total.incomplete, "chưa đầy đủ"),
        (total.overdue, "quá hạn chưa gửi"),
        (total.pending, "chưa đến hạn"),
    ):
        if number:
            parts.append(f"{words.count(number)} {counted} {name}")
    return ", ".join(parts)


def _summarize_undated(outline: Outline) -> Paragraph:
    undated = outline.report.undated
    recorded = sum(one.fulfilled > 0 for one in undated)
    text = (
        f"trong {words.count(len(undated))} nhiệm vụ {outline.plan_name} giao không quy định thời hạn, đã ghi nhận kết "
        f"quả của {words.count(recorded)} nhiệm vụ; chưa ghi nhận không có nghĩa là chưa thực hiện."
    )
    return Paragraph(lead="Nhiệm vụ không quy định thời hạn:", text=text, is_item=True)


def _rank(chapter: ObligationChapter, outline: Outline) -> Iterable[Block]:
    found = ranking.find_ranking(chapter)
    if found is None:
        return
    yield ranking.describe(found, outline)
    yield ranking.build_table(found, outline)
    yield ranking.build_chart(found, outline)
