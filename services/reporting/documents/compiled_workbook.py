"""What an agency of the middle level compiles as a workbook: a sheet a report, a row an agency below it, the sums."""

import io
from collections.abc import Mapping
from datetime import UTC
from zoneinfo import ZoneInfo

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from schemas.content import units
from schemas.plan import figures, periods
from schemas.plan.values import Bilingual
from schemas.text import normal_form
from services.reporting.core import labels, vietnamese_locale
from services.reporting.core.content.compiled_report import CompiledReports, ConsolidatedReport
from services.reporting.documents import xlsx

_HEADER_ROW, _FIRST_ROW = 3, 4  # below the title, the moment and a blank line
_FIXED_COLUMNS = (
    (Bilingual(vi="TT", en="No."), 6),
    (Bilingual(vi="Đơn vị", en="Agency"), 36),
    (Bilingual(vi="Mã đơn vị", en="Agency id"), 16),
    (Bilingual(vi="Tình trạng", en="Status"), 20),
    (Bilingual(vi="Đã đưa vào báo cáo tổng hợp", en="Named in the compiled report"), 16),
)
_FIGURE_WIDTH = 18
_NUMBER = {"num_format": xlsx.DECIMALS}
_SHEET_NAME_MAX = 31  # characters, of the file format
_SHEET = Bilingual(vi="Báo cáo {number}", en="Report {number}")
_MOMENT = Bilingual(
    vi="Số liệu lúc {as_of}, theo thông tin ghi nhận đến {known_at}.",
    en="Figures as of {as_of}, by what was on record until {known_at}.",
)
_YES = Bilingual(vi="có", en="yes")
_SUM = Bilingual(vi="Cộng các đơn vị", en="Sum of the agencies")
_GIVEN = Bilingual(vi="Số đơn vị có số liệu", en="Agencies that gave it")
_OWN = Bilingual(vi="Báo cáo tổng hợp", en="Compiled report")
_DIFFERENCE = Bilingual(vi="Chênh lệch", en="Difference")


def render_compiled_xlsx(compiled: CompiledReports, language: str) -> bytes:
    """Render the workbook; the same reports give the same bytes."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False}) as workbook:
        # Without a date the library writes the wall clock.
        workbook.set_properties({"created": compiled.as_of.astimezone(UTC).replace(tzinfo=None)})
        for number, report in enumerate(compiled.reports, start=1):
            name = _SHEET.in_language(language).format(number=number)[:_SHEET_NAME_MAX]
            _fill_sheet(workbook, workbook.add_worksheet(name), report, compiled, language=language)
        if not compiled.reports:
            workbook.add_worksheet().write_string(0, 0, normal_form.drop_unseen(compiled.agency_name))
    return buffer.getvalue()


def _fill_sheet(
    workbook: Workbook, sheet: Worksheet, report: ConsolidatedReport, compiled: CompiledReports, *, language: str
) -> None:
    bold = workbook.add_format({"bold": True})
    header = workbook.add_format({"bold": True, "text_wrap": True, "bottom": 1, "valign": "top"})
    sheet.write_string(0, 0, normal_form.drop_unseen(_name_report(report, compiled, language)), bold)
    sheet.write_string(1, 0, _describe_moment(compiled, language))
    titles = [(title.in_language(language), width) for title, width in _FIXED_COLUMNS]
    for total in report.totals:
        unit = units.describe_unit(total.indicator.unit)
        of_unit = f" ({unit.in_language(language)})" if unit else ""
        titles.append((f"{total.indicator.label_in(language)}{of_unit}", _FIGURE_WIDTH))
    for column, (title, width) in enumerate(titles):
        sheet.set_column(column, column, width)
        sheet.write_string(_HEADER_ROW, column, normal_form.drop_unseen(title), header)
    names = {part.agency: compiled.name_of(part.agency) for part in report.parts}
    _write_parts(sheet, report, names, language=language, number_format=workbook.add_format(_NUMBER))
    _write_totals(sheet, report, language, number_format=workbook.add_format({**_NUMBER, "bold": True}))
    sheet.autofilter(_HEADER_ROW, 0, _FIRST_ROW + len(report.parts) - 1, len(titles) - 1)
    sheet.freeze_panes(_FIRST_ROW, 2)
    sheet.set_paper(xlsx.A4)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(_HEADER_ROW)


def _write_parts(
    sheet: Worksheet,
    report: ConsolidatedReport,
    names: Mapping[str, str],
    *,
    language: str,
    number_format: Format,
) -> None:
    for row, part in enumerate(report.parts, start=_FIRST_ROW):
        sheet.write_number(row, 0, row - _FIRST_ROW + 1)
        texts = (
            names[part.agency],
            part.agency,
            labels.status_label(part.status, language),
            _YES.in_language(language) if part.is_named else "",
        )
        for column, text in enumerate(texts, start=1):
            sheet.write_string(row, column, normal_form.drop_unseen(text))
        for column, total in enumerate(report.totals, start=len(_FIXED_COLUMNS)):
            figure = part.figures.get(total.indicator.code)
            if figure is not None:
                xlsx.write_number(sheet, (row, column), figure, number_format)


def _write_totals(sheet: Worksheet, report: ConsolidatedReport, language: str, *, number_format: Format) -> None:
    """Write below the agencies what they add up to, the figure of the compiled report, and the difference."""
    first, after = _FIRST_ROW, _FIRST_ROW + len(report.parts)
    for row, name in enumerate((_SUM, _GIVEN, _OWN, _DIFFERENCE), start=after):
        sheet.write_string(row, 1, name.in_language(language), number_format)
    for column, total in enumerate(report.totals, start=len(_FIXED_COLUMNS)):
        letters = xl_col_to_name(column)
        cells = f"{letters}{first + 1}:{letters}{after}"
        sheet.write_formula(after, column, f"=SUM({cells})", number_format, float(total.total))
        sheet.write_formula(after + 1, column, f"=COUNT({cells})", number_format, total.given)
        if total.own is not None:
            xlsx.write_number(sheet, (after + 2, column), total.own, number_format)
            difference = float(figures.add_exactly((total.own, -total.total)))
            formula = f"={letters}{after + 3}-{letters}{after + 1}"
            sheet.write_formula(after + 3, column, formula, number_format, difference)


def _name_report(report: ConsolidatedReport, compiled: CompiledReports, language: str) -> str:
    """Return the title of a report with its period, and who compiles it."""
    obligation = compiled.plan.obligation(report.obligation)
    title = report.obligation if obligation is None else obligation.letter_title.in_language(language)
    named = periods.add_period(title, compiled.period, "en" if language == "en" else "vi")
    return f"{compiled.agency_name}: {named}"


def _describe_moment(compiled: CompiledReports, language: str) -> str:
    """Return the instants that the figures are of, in words."""
    zone = ZoneInfo(compiled.plan.zone)
    instants = {"as_of": compiled.as_of, "known_at": compiled.known_at}
    if language == "en":
        written = {name: f"{one.astimezone(zone):%H:%M on %Y-%m-%d}" for name, one in instants.items()}
    else:
        written = {name: vietnamese_locale.format_instant(one, zone) for name, one in instants.items()}
    return _MOMENT.in_language(language).format(**written)
