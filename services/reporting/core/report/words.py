"""The words that the report writes in Vietnamese after Decree 30/2020: periods, dates, units, names in a row."""

import re
from collections.abc import Sequence
from datetime import date, datetime, tzinfo
from decimal import Decimal

from schemas.content import units
from schemas.plan import figures as exact
from schemas.plan import periods
from services.reporting.core import vietnamese_locale

MILLIONS_IN_A_BILLION = 1000
ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
# Names that stand in one sentence; beyond them the sentence refers to the appendix.
NAMES_IN_A_SENTENCE = 30

_DATE = re.compile(r"ngày (?P<day>\d{1,2})/(?P<month>\d{1,2})/(?P<year>\d{4})")
_PEOPLES_COMMITTEE = re.compile(r"^(?:UBND|Ủy ban nhân dân) (?:các )?", re.IGNORECASE)
_PLURAL = re.compile(r"\bcác ", re.IGNORECASE)  # says that there are several, which a number says already
# Words by which plans begin what they ask for; a sentence needs a noun.
_VERBS = ("gửi ", "xây dựng ", "tổ chức ", "lập ", "nộp ", "thực hiện ", "triển khai ", "định kỳ ", "tổng hợp ")
_BODIES = {"UBND": "Ủy ban nhân dân", "HĐND": "Hội đồng nhân dân"}


def name_period(period: str) -> str:
    """Return a period in words: `năm 2026`, `quý III năm 2026`, `6 tháng đầu năm 2026`, `tháng 7 năm 2026`."""
    return periods.name_period(periods.parse(period)).vi if period else ""


def name_period_briefly(period: str, within: str) -> str:
    """Return a period as the head of a column in a report on *within*, which says the year: `Quý III`, `Tháng 7`."""
    named, year = capitalize(name_period(period)), period[:4]
    return named.removesuffix(f" năm {year}") if within.startswith(year or "-") else named


def capitalize(text: str) -> str:
    """Return *text* with a capital first letter."""
    return text[:1].upper() + text[1:]


def shorten_name(agency: str) -> str:
    """Return the name of an agency without the words that all of its kind share, as a chart has room for it."""
    return _PEOPLES_COMMITTEE.sub("", agency)


def name_task(title: str) -> str:
    """Return the title of an obligation as a noun inside a sentence: `việc gửi kết quả …`, `báo cáo quý`."""
    noun = decapitalize(title.rstrip(". "))
    return f"việc {noun}" if noun.startswith(_VERBS) else noun


def decapitalize(text: str) -> str:
    """Return *text* with a small first letter, but for an abbreviation such as `UBND`."""
    is_abbreviation = text[1:2].isupper()
    return text if is_abbreviation else text[:1].lower() + text[1:]


def spell_out(text: str) -> str:
    """Return *text* as a first mention asks: dates in words, and the names of bodies in full."""
    for short, full in _BODIES.items():
        # Not inside the number of a document, such as 6766/KH-UBND.
        text = re.sub(rf"(?<![-/\w]){short}\b", full, text)
    return _DATE.sub(_write_matched_date, text)


def _write_matched_date(found: re.Match[str]) -> str:
    day, month, year = (int(found[name]) for name in ("day", "month", "year"))
    try:
        return write_date(date(year, month, day))
    except ValueError:
        return found[0]


def write_date(day: date) -> str:
    """Return a date in words; days below 10 and the months 1 and 2 have a leading zero: `ngày 05 tháng 5 năm 2016`."""
    month = f"{day.month:02d}" if day.month <= 2 else str(day.month)  # noqa: PLR2004 - the decree's two months
    return f"ngày {day.day:02d} tháng {month} năm {day.year}"


def write_instant(instant: datetime, zone: tzinfo) -> str:
    """Return an instant in words, in local time: `16 giờ 00 phút ngày 10 tháng 01 năm 2025`."""
    local = instant.astimezone(zone)
    return f"{local:%H} giờ {local:%M} phút {write_date(local.date())}"


def write_deadline(due_at: datetime, zone: tzinfo) -> str:
    """Return a due instant in words: `hết ngày 09 tháng 12 năm 2024`, or `trước 17 giờ 00 phút ngày …`."""
    local = due_at.astimezone(zone)
    if local.hour or local.minute or local.second:
        return f"trước {write_instant(due_at, zone)}"
    return f"hết {write_date(vietnamese_locale.last_day_on_time(due_at, zone))}"


def name_unit(unit: str | None) -> str:
    """Return a unit in words, or the unit as the plan writes it; empty where there is none."""
    described = units.describe_unit(unit)
    return "" if described is None else described.in_language("vi")


def write_amount(value: Decimal, unit: str | None) -> str:
    """Return a figure with its unit as prose says it: from a thousand million on in `tỷ đồng`, else in its own unit."""
    if unit == "million_vnd" and abs(value) >= MILLIONS_IN_A_BILLION:
        return f"{vietnamese_locale.format_number(value / MILLIONS_IN_A_BILLION, 1)} tỷ đồng"
    if unit == "percent":
        return f"{vietnamese_locale.format_number(value, 2)}%"
    places = 0 if value == value.to_integral_value() else 1
    return f"{vietnamese_locale.format_number(value, places)} {name_unit(unit)}".rstrip()


def count(number: int) -> str:
    """Return a number of things as official prose writes it: two digits below ten, as in `04 đơn vị`."""
    return f"{number:02d}" if 0 < number < 10 else vietnamese_locale.format_number(number)  # noqa: PLR2004 - one digit


def count_members(number: int, group: str) -> str:
    """Return how many members of a group there are: `27 ủy ban nhân dân huyện` of `Ủy ban nhân dân các huyện`."""
    return f"{count(number)} {decapitalize(_PLURAL.sub('', group, count=1))}"


def write_part(part: int, whole: int) -> str:
    """Return how many of how many: `1.224/1.956`."""
    return f"{vietnamese_locale.format_number(part)}/{vietnamese_locale.format_number(whole)}"


def join_with_and(parts: Sequence[str]) -> str:
    """Return parts in a row, the last one after `và`."""
    return " và ".join(part for part in (", ".join(parts[:-1]), *parts[-1:]) if part)


def join_names(names: Sequence[str], *, where: str) -> str:
    """Return names in a row; of many the first ones, how many more there are and *where* all stand."""
    if len(names) <= NAMES_IN_A_SENTENCE:
        return ", ".join(names)
    more = count(len(names) - NAMES_IN_A_SENTENCE)
    return f"{', '.join(names[:NAMES_IN_A_SENTENCE])} và {more} đơn vị khác ({where})"


def write_number(value: Decimal, places: int | None = None) -> str:
    """Return a number with every digit, or with *places* decimals."""
    return exact.write_for_people(value, "vi") if places is None else vietnamese_locale.format_number(value, places)


def divide(part: int, whole: int) -> Decimal | None:
    """Return a share of 1; None where there is no whole."""
    return Decimal(part) / Decimal(whole) if whole else None
