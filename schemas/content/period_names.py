"""Reporting periods in words, and titles with their period: `Báo cáo quý IV năm 2025`, never `Báo cáo quý quý IV`."""

import re

from schemas.plan import periods
from schemas.plan.periods import Period, Recurrence
from schemas.plan.values import Bilingual, Language

_ROMAN = ("I", "II", "III", "IV")
_ORDINALS = ("first", "second", "third", "fourth")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

PLACE_OF_PERIOD = "{period}"
"""Where a title has its period, if not at its end."""

# A rhythm at the end of a title. With `hằng` it only says how often; alone it may belong to what stands before it.
_HOW_OFTEN = re.compile(r"[ ,]+(?:định kỳ )?(?:hằng|hàng|định kỳ|mỗi) (?:năm|quý|tháng|tuần)$", re.IGNORECASE)
_PART_OF_YEAR = re.compile(r"[ ,]+(?:6|9|sáu|chín) tháng(?: (?:đầu|cuối) năm)?$", re.IGNORECASE)
_RHYTHM = re.compile(r"[ ,]+(?P<rhythm>năm|quý|tháng|tuần)$", re.IGNORECASE)
_BELONGS_TO_RHYTHM = re.compile(r"(?:đầu|cuối|giữa|trong|cả|một|nửa|từng)$", re.IGNORECASE)
_NUMBER = re.compile(r"\d$")


def name_period(period: Period) -> Bilingual:
    """Return a period in words: `quý III năm 2026` and `the third quarter of 2026`."""
    year = period.year
    match period.recurrence:
        case Recurrence.HALF_YEAR:
            first = period.part == "H1"
            vi, en = ("đầu", "first") if first else ("cuối", "second")
            return Bilingual.of(vi=f"6 tháng {vi} năm {year}", en=f"the {en} half of {year}")
        case Recurrence.NINE_MONTH:
            return Bilingual.of(vi=f"9 tháng đầu năm {year}", en=f"the first nine months of {year}")
        case Recurrence.QUARTER:
            place = int(period.part[1:]) - 1
            return Bilingual.of(vi=f"quý {_ROMAN[place]} năm {year}", en=f"the {_ORDINALS[place]} quarter of {year}")
        case Recurrence.MONTH:
            month = int(period.part)
            return Bilingual.of(vi=f"tháng {month} năm {year}", en=f"{_MONTHS[month - 1]} {year}")
        case Recurrence.WEEK:
            week = int(period.part[1:])
            return Bilingual.of(vi=f"tuần {week} năm {year}", en=f"week {week} of {year}")
        case _:
            return Bilingual.of(vi=f"năm {year}", en=str(year))


def add_period(title: str, period: str | None, language: Language = "vi") -> str:
    """Return *title* with its period, where it says `{period}` or at the end; no word is said twice.

    What the title says of the rhythm gives way to the period. A one-off duty has none.
    """
    if period is None:
        return " ".join(title.replace(PLACE_OF_PERIOD, "").split()) if PLACE_OF_PERIOD in title else title
    named = name_period(periods.parse(period)).in_language(language)
    if PLACE_OF_PERIOD in title:
        return title.replace(PLACE_OF_PERIOD, named)
    stem = title.rstrip(".;, ")
    if language == "en":
        return f"{stem} for {named}"
    return _join_vietnamese(stem, named)


def _join_vietnamese(title: str, named: str) -> str:
    stem = _PART_OF_YEAR.sub("", _HOW_OFTEN.sub("", title))
    first_word = named.partition(" ")[0]
    found = _RHYTHM.search(stem)
    if found is None:
        return f"{stem} {named}"
    before, rhythm = stem[: found.start()], found["rhythm"].casefold()
    if _NUMBER.search(before):  # `kế hoạch 5 năm` is no rhythm
        return f"{stem}, {named}" if rhythm == first_word else f"{stem} {named}"
    if rhythm == first_word or not _BELONGS_TO_RHYTHM.search(before):
        return f"{before} {named}"
    return f"{stem} {named}"
