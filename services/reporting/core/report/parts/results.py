"""Part II of the report: what was achieved, a few lines first, then tables, a ranking, and the agencies' own words."""

from collections.abc import Iterable
from decimal import Decimal

from services.reporting.core import vietnamese_locale
from services.reporting.core.report import words
from services.reporting.core.report.blocks import Block, Heading, Paragraph, Table
from services.reporting.core.report.figures import known_total
from services.reporting.core.report.outline import ObligationChapter, Outline
from services.reporting.core.report.parts import indicator_tables, quotations, ranking
from services.reporting.core.results import IndicatorResult, ObligationResults

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
    for chapter in outline.chapters:
        results = chapter.newest_results
        for result in [] if results is None else _choose_for_summary(results):
            yield _summarize_indicator(result)
        yield _summarize_discipline(chapter, is_one_of_several=len(outline.chapters) > 1)
    if outline.report.undated:
        yield _summarize_undated(outline)


def _choose_for_summary(results: ObligationResults) -> list[IndicatorResult]:
    known = [one for one in results.indicators if known_total(one) is not None]
    summed = [one for one in known if one.indicator.kind != "ratio"]
    chosen = [one for one in summed if one.target is not None] or summed
    ratios = [one for one in known if one.indicator.kind == "ratio"]
    return [*chosen[: SUMMARY_INDICATORS - 1], *ratios[:1]]


def _summarize_indicator(result: IndicatorResult) -> Paragraph:
    total, indicator = known_total(result) or Decimal(0), result.indicator
    behind = words.write_part(result.agencies, result.asked)
    parts = [
        f"{words.write_amount(total, indicator.unit)} theo báo cáo của {behind} đơn vị",
        *_describe_change(result),
    ]
    if result.target:
        share = vietnamese_locale.format_number(total * 100 / result.target, 1)
        parts.append(f"đạt {share}% chỉ tiêu")
    return Paragraph(lead=f"{indicator.label_in('vi')}:", text=f"{', '.join(parts)}.", is_item=True)


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


def _summarize_discipline(chapter: ObligationChapter, *, is_one_of_several: bool) -> Paragraph:
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
    of = f" ({words.decapitalize(chapter.title)})" if is_one_of_several else ""
    return Paragraph(lead=f"Chấp hành chế độ báo cáo{of}:", text=f"{', '.join(parts)}.", is_item=True)


def _summarize_undated(outline: Outline) -> Paragraph:
    undated = outline.report.undated
    recorded = sum(one.fulfilled > 0 for one in undated)
    text = (
        f"trong {words.count(len(undated))} nhiệm vụ Kế hoạch giao không quy định thời hạn, đã ghi nhận kết quả của "
        f"{words.count(recorded)} nhiệm vụ; chưa ghi nhận không có nghĩa là chưa thực hiện."
    )
    return Paragraph(lead="Nhiệm vụ không quy định thời hạn:", text=text, is_item=True)


def _rank(chapter: ObligationChapter, outline: Outline) -> Iterable[Block]:
    found = ranking.find_ranking(chapter)
    if found is None:
        return
    yield ranking.describe(found, outline)
    yield ranking.build_table(found, outline)
    yield ranking.build_chart(found, outline)
