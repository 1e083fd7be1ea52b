"""The sentence that a season's page opens with, in parts: each number leads to the duties that it counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.events.assessments import Status
from services.reporting.core.duty_counts import DutyCounts

_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SentencePart:
    """A piece of a sentence. With a `status` it counts the duties that have it, and with `place` it leads there."""

    text: str
    number: int | None = None
    status: tuple[Status, ...] = ()
    place: str = ""


def write_sentence(
    counts: DutyCounts, *, due_at: datetime, as_of: datetime, behind: int | None, language: str
) -> tuple[SentencePart, ...]:
    """Return the sentence; *behind* is by how many reports the season lags behind last year's at the same time."""
    write = _write_vietnamese if language == "vi" else _write_english
    is_due = due_at <= as_of
    parts = write(counts, distance=describe_distance(due_at - as_of, language), is_due=is_due)
    comparison = _compare(behind, language)
    return (*parts, *((comparison,) if comparison else ()), SentencePart(text="."))


def describe_distance(distance: timedelta, language: str) -> str:
    """Return the length of *distance*, in days from two days on, else in hours: `7 giờ`, `3 days`."""
    distance = abs(distance)
    if distance >= 2 * _DAY:
        days = distance // _DAY
        return f"{days} ngày" if language == "vi" else f"{days} days"
    hours = max(1, round(distance / _HOUR))
    if language == "vi":
        return f"{hours} giờ"
    return "1 hour" if hours == 1 else f"{hours} hours"


def _write_vietnamese(counts: DutyCounts, *, distance: str, is_due: bool) -> tuple[SentencePart, ...]:
    if not is_due:
        return (
            SentencePart(text=f"Còn {distance} đến hạn: "),
            SentencePart(number=counts.actual, text=f" trong {counts.expected} đơn vị", status=_COMPLETE),
            SentencePart(text=" đã gửi đầy đủ, "),
            SentencePart(number=counts.incomplete, text=" gửi chưa đầy đủ", status=(Status.INCOMPLETE,)),
            SentencePart(text=", "),
            SentencePart(number=counts.pending, text=" chưa gửi", status=(Status.PENDING,)),
        )
    return (
        SentencePart(text=f"Đã qua hạn {distance}: "),
        SentencePart(number=counts.on_time, text=f" trong {counts.expected} đơn vị", status=(Status.ON_TIME,)),
        SentencePart(text=" gửi đúng hạn, "),
        SentencePart(number=counts.late, text=" gửi trễ", status=(Status.LATE,)),
        SentencePart(text=", "),
        SentencePart(number=counts.incomplete, text=" chưa đầy đủ", status=(Status.INCOMPLETE,)),
        SentencePart(text=", "),
        SentencePart(number=counts.overdue + counts.pending, text=" chưa gửi", status=_SILENT),
    )


def _write_english(counts: DutyCounts, *, distance: str, is_due: bool) -> tuple[SentencePart, ...]:
    if not is_due:
        return (
            SentencePart(text=f"{distance} to go: "),
            SentencePart(number=counts.actual, text=f" of {counts.expected} agencies", status=_COMPLETE),
            SentencePart(text=" have reported completely, "),
            SentencePart(number=counts.incomplete, text=" incompletely", status=(Status.INCOMPLETE,)),
            SentencePart(text=", and "),
            SentencePart(number=counts.pending, text=" not yet", status=(Status.PENDING,)),
        )
    return (
        SentencePart(text=f"Due {distance} ago: "),
        SentencePart(number=counts.on_time, text=f" of {counts.expected} agencies", status=(Status.ON_TIME,)),
        SentencePart(text=" reported on time, "),
        SentencePart(number=counts.late, text=" late", status=(Status.LATE,)),
        SentencePart(text=", "),
        SentencePart(number=counts.incomplete, text=" incompletely", status=(Status.INCOMPLETE,)),
        SentencePart(text=", and "),
        SentencePart(number=counts.overdue + counts.pending, text=" not at all", status=_SILENT),
    )


def _compare(behind: int | None, language: str) -> SentencePart | None:
    if behind is None:
        return None
    texts = _COMPARISONS[language]
    sentence = texts[0] if behind > 0 else texts[1] if behind < 0 else texts[2]
    return SentencePart(text=sentence.format(count=abs(behind)), place="#arrivals")


_COMPLETE = (Status.ON_TIME, Status.LATE)
_SILENT = (Status.OVERDUE, Status.PENDING)
_COMPARISONS: Mapping[str, tuple[str, str, str]] = {
    "vi": (
        "; ít hơn cùng thời điểm năm trước {count} đơn vị",
        "; nhiều hơn cùng thời điểm năm trước {count} đơn vị",
        "; bằng cùng thời điểm năm trước",
    ),
    "en": (
        "; {count} fewer than at the same time last year",
        "; {count} more than at the same time last year",
        "; as many as at the same time last year",
    ),
}
