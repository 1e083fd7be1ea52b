"""Parses days and times as people write them (09/12/2026 16:30) and renders them for people (hết ngày 09/12/2026)."""

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, tzinfo

from schemas.plan import periods
from schemas.plan.calendar import FiguresWindow
from schemas.plan.values import Bilingual
from schemas.text import normal_form

_YEARS = range(1900, 2200)
_DAY = re.compile(
    r"""
    (?:[^\W\d_][^\d,]*,\ ?)?            # the place before a document's day, or the day of the week
    (?:ngày\ )?
    (?:
        (?P<day>\d{1,2})\ ?[/.-]\ ?(?P<month>\d{1,2})\ ?[/.-]\ ?(?P<year>\d{4})
        | (?P<word_day>\d{1,2})\ tháng\ (?P<word_month>\d{1,2}),?\ năm\ (?P<word_year>\d{4})
        | (?P<iso>\d{4}-\d{2}-\d{2}|\d{4}/\d{2}/\d{2})
    )
    (?:[ T]0{1,2}:00(?::00(?:\.0+)?)?)?  # a day that a program has written as its midnight
    """,
    re.VERBOSE | re.IGNORECASE,
)
_TIME = re.compile(
    r"(?P<hour>\d{1,2})(?::|h|g| ?giờ ?)(?P<minute>\d{2})?(?: ?(?:phút|ph))?(?::(?P<second>\d{2}))?", re.IGNORECASE
)
_AT = re.compile(r"\b(?:lúc|hồi|vào) ", re.IGNORECASE)
_DAYS_OF_WEEK = ("thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy", "Chủ nhật")


def parse_day(text: str) -> date | Bilingual:
    """Return the day in *text*, or a sentence saying why there is none.

    Taken is the day before the month (`9/12/2026`), ISO 8601, and the words of documents (`Thanh Hóa, ngày 09 tháng 12
    năm 2026`). A year of two digits is refused, because it may be the day or the century that is missing.
    """
    found = _DAY.fullmatch(_normalize(text))
    if found is None:
        return _not_a_day(text)
    try:
        if found["iso"]:
            day = date.fromisoformat(found["iso"].replace("/", "-"))
        else:
            parts = (found[name] or found[f"word_{name}"] for name in ("year", "month", "day"))
            day = date(*map(int, parts))
    except ValueError:
        return _not_a_day(text)
    return day if day.year in _YEARS else _not_a_day(text)


def parse_instant(text: str, zone: tzinfo) -> datetime | Bilingual:
    """Return the instant in *text*, a day and a time in *zone*, in either order; or a sentence saying why not.

    People write `09/12/2026 16h30`, documents `16 giờ 30 phút, ngày 09 tháng 12 năm 2026`.
    """
    for day_text, time_text in _split_instant(_normalize(text)):
        day, found = parse_day(day_text), _TIME.fullmatch(time_text)
        if isinstance(day, Bilingual) or found is None:
            continue
        # An hour alone is a time only in words: `16h`, not `16:`.
        if found["minute"] is None and ":" in time_text:
            continue
        try:
            at = time(int(found["hour"]), int(found["minute"] or 0), int(found["second"] or 0))
        except ValueError:
            break
        return datetime.combine(day, at, zone)
    return _not_an_instant(text)


def _normalize(text: str) -> str:
    """Return *text* in NFC with single plain spaces and without a full stop at its end."""
    return " ".join(normal_form.repair_text(text).split()).removesuffix(".")


def _split_instant(text: str) -> Iterator[tuple[str, str]]:
    """Yield day and time of each place at which *text* may be cut between them."""
    bare = _AT.sub("", text)
    for cut in re.finditer(r"T(?=\d)|,? ", bare):
        before, after = bare[: cut.start()], bare[cut.end() :]
        yield before, after
        yield after, before


def render_deadline(due_at: datetime, zone: tzinfo) -> Bilingual:
    """Return the exclusive instant *due_at* in words. Midnight is called the end of the day before."""
    local = due_at.astimezone(zone)
    if local.time() == time.min:
        day = local.date() - timedelta(days=1)
        return Bilingual.of(
            en=f"the end of {day:%d/%m/%Y}", vi=f"hết ngày {day:%d/%m/%Y} ({_DAYS_OF_WEEK[day.weekday()]})"
        )
    return Bilingual.of(
        en=f"before {local:%H:%M on %d/%m/%Y}",
        vi=f"trước {local.hour} giờ {local:%M} ngày {local:%d/%m/%Y} ({_DAYS_OF_WEEK[local.weekday()]})",
    )


def render_time_left(due_at: datetime, zone: tzinfo, now: datetime) -> Bilingual:
    """Return the time left from *now* to the exclusive instant *due_at*, or the delay, in calendar days of *zone*."""
    # The due instant is exclusive: due at midnight of the 10th, the last day is the 9th.
    last = (due_at - timedelta(microseconds=1)).astimezone(zone).date()
    days = (last - now.astimezone(zone).date()).days
    if now >= due_at:
        days_late = -days
        return (
            Bilingual.of(en=f"{_days(days_late)} past", vi=f"đã quá hạn {days_late} ngày") if days_late else _JUST_PAST
        )
    if days == 0:
        return Bilingual.of(en="today is the last day", vi="hôm nay là ngày cuối")
    return Bilingual.of(en=f"{_days(days)} left", vi=f"còn {days} ngày")


def render_instant(instant: datetime, zone: tzinfo) -> Bilingual:
    """Return *instant* in words, to the second, as a receipt shows it."""
    local = instant.astimezone(zone)
    return Bilingual.of(
        en=f"{local:%H:%M:%S on %d/%m/%Y}",
        vi=f"{local.hour} giờ {local:%M} phút {local:%S} giây, ngày {local:%d/%m/%Y}",
    )


def render_window(window: FiguresWindow) -> Bilingual:
    """Return the days that figures cover, in words."""
    return Bilingual.of(
        en=f"from {window.starts_on:%d/%m/%Y} to {window.ends_on:%d/%m/%Y}",
        vi=f"từ ngày {window.starts_on:%d/%m/%Y} đến hết ngày {window.ends_on:%d/%m/%Y}",
    )


def render_period(text: str) -> Bilingual:
    """Return a reporting period in words: `2026-Q3` is "quý III năm 2026"."""
    return periods.name_period(periods.parse(text))


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


_JUST_PAST = Bilingual.of(en="the deadline has passed", vi="đã quá hạn")


def _not_a_day(text: str) -> Bilingual:
    shown = text[:40]
    return Bilingual.of(
        en=f"{shown!r} is no day; write day/month/year such as 09/12/2026",
        vi=f"“{shown}” không phải là ngày có thật; hãy ghi ngày/tháng/năm, ví dụ 09/12/2026",
    )


def _not_an_instant(text: str) -> Bilingual:
    shown = text[:40]
    return Bilingual.of(
        en=f"{shown!r} is no day and time; write for example 09/12/2026 16:30",
        vi=f"“{shown}” không phải là ngày giờ; hãy ghi ví dụ 09/12/2026 16:30",
    )
