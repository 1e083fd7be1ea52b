"""Order duty lines by any of their columns, and cut the ordered lines into pages by keyset.

A cursor holds the sorted values and the key of the last line of a page. A duty that appears between two requests, or
changes its place, therefore shifts no other one from a page to the next.
"""

import base64
import heapq
import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial, total_ordering
from itertools import islice
from operator import itemgetter
from typing import Any

from services.reporting.core import vietnamese_locale
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.lists.memoized_items import MemoizedBlocks

Value = str | int | None
SortingKey = tuple[object, ...]

# What a column is called in the answer, and its value in a line. Names sort as in a dictionary.
_COLUMNS: Mapping[str, Callable[[DutyLine], Value]] = {
    "plan": lambda line: line.key.plan,
    "agency": lambda line: line.key.agency,
    "agency_name": lambda line: line.agency_name,
    "group": lambda line: line.group,
    "group_name": lambda line: line.group_name,
    "obligation": lambda line: line.key.obligation,
    "title": lambda line: line.title,
    "clause": lambda line: line.clause,
    "period": lambda line: line.key.period,
    "due_at": lambda line: _instant(line.due_at),
    "due_on": lambda line: _day(line.due_on),
    "status": lambda line: line.status.value,
    "effective_at": lambda line: _instant(line.effective_at),
    "days_late": lambda line: line.days_late,
    "submissions": lambda line: line.submissions,
    "flags": lambda line: ", ".join(line.flags) or None,
    "missing": lambda line: ", ".join(line.missing) or None,
    "urging": lambda line: line.urging.occasions,
    "last_urged_at": lambda line: _instant(line.urging.last_at),
    "revision": lambda line: line.revision,
}
COLUMNS = tuple(_COLUMNS)
_NUMBERS = frozenset({"days_late", "submissions", "urging", "revision"})
_NAMES = frozenset({"agency_name", "group_name", "title"})
_DESCENDING = "-"
_CURSOR_CHARS_MAX = 8_000
_WITHOUT_VALUE = True, 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SortColumn:
    """One column of an order."""

    name: str
    is_descending: bool = False

    def __str__(self) -> str:
        return f"{_DESCENDING if self.is_descending else ''}{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SortOrder:
    """The columns that lines are ordered by, the first one first; lines that agree in all are ordered by their keys.

    A line without a value stands behind those with one, in either direction.
    """

    columns: tuple[SortColumn, ...] = ()

    def __str__(self) -> str:
        return ",".join(map(str, self.columns))

    def locate(self, line: DutyLine) -> "LinePlace":
        """Return the place of a line in this order."""
        return LinePlace(order=self, values=tuple(_COLUMNS[one.name](line) for one in self.columns), key=str(line.key))


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePlace:
    """The place of a line in an order: what it is sorted by, and its key."""

    order: SortOrder
    values: tuple[Value, ...]
    key: str

    def find_key(self) -> SortingKey:
        """Return what lines of one order are compared by."""
        columns = zip(self.order.columns, self.values, strict=True)
        return (*(_compare_value_by(column, value) for column, value in columns), self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePage:
    """One page of lines; `total` counts the lines of all pages, and `next_cursor` is None on the last page."""

    lines: tuple[DutyLine, ...]
    total: int
    next_cursor: str | None


def parse_order(text: str) -> SortOrder:
    """Return the order of a text such as `-days_late,agency_name`; raise `ValueError` for an unknown column.

    A column that is named again changes nothing, because the lines are ordered by it already.
    """
    columns: dict[str, SortColumn] = {}
    for part in filter(None, text.split(",")):
        name = part.removeprefix(_DESCENDING)
        if name not in _COLUMNS:
            known = ", ".join(COLUMNS)
            raise ValueError(f"{name[:100]!r} is no column; choose from {known}, with a - to turn it round")
        columns.setdefault(name, SortColumn(name=name, is_descending=part.startswith(_DESCENDING)))
    return SortOrder(columns=tuple(columns.values()))


def parse_cursor(text: str, order: SortOrder) -> LinePlace | None:
    """Return the place behind which a page begins, None for the first page; raise `ValueError` for any other text."""
    if not text:
        return None
    try:
        place = _decode(text[:_CURSOR_CHARS_MAX], order)
    except (ValueError, RecursionError) as cause:  # of base64, UTF-8 and JSON, or a nest of a thousand brackets
        raise ValueError("is no cursor of this list; take `next_cursor` of the page before, or leave it out") from cause
    return place


def paginate(
    lines: MemoizedBlocks[DutyLine], *, order: SortOrder, limit: int | None, after: LinePlace | None
) -> LinePage:
    """Return up to *limit* lines behind the place *after*; without a limit, all of them.

    Each block is sorted once for all pages, and a page is merged of them. Raises `ValueError` where *limit* is below
    one.
    """
    if limit is not None and limit < 1:
        raise ValueError("limit must be at least 1")
    find_key = partial(_find_key, order=order)
    blocks = [block.derive(sort_lines, order) for block in lines.blocks]
    # Where a page begins in each block.
    starts = [0 if after is None else bisect_right(one, after.find_key(), key=find_key) for one in blocks]
    following = [islice(one, start, None) for one, start in zip(blocks, starts, strict=True)]
    page = tuple(islice(heapq.merge(*following, key=find_key), limit))
    next_cursor = _encode(order.locate(page[-1])) if sum(starts) + len(page) < len(lines) else None
    return LinePage(lines=page, total=len(lines), next_cursor=next_cursor)


def sort_lines(lines: Iterable[DutyLine], order: SortOrder) -> tuple[DutyLine, ...]:
    """Return *lines* in *order*."""
    return tuple(line for _, line in sorted(_find_keys(lines, order), key=itemgetter(0)))


def _find_key(line: DutyLine, *, order: SortOrder) -> SortingKey:
    return _find_keys((line,), order)[0][0]


def _find_keys(lines: Iterable[DutyLine], order: SortOrder) -> list[tuple[SortingKey, DutyLine]]:
    columns = [(column, _COLUMNS[column.name]) for column in order.columns]
    if not columns:
        return [((str(line.key),), line) for line in lines]
    return [((*[_compare_value_by(one, value(line)) for one, value in columns], str(line.key)), line) for line in lines]


@total_ordering
class _Descending:
    """A value that sorts the other way round."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:  # noqa: ANN401 - any value that can be compared with its like
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Descending) and bool(self.value == other.value)

    def __lt__(self, other: "_Descending") -> bool:
        return bool(other.value < self.value)

    __hash__ = None  # type: ignore[assignment]  # compared, and never looked up


def _compare_value_by(column: SortColumn, value: Value) -> tuple[bool, object]:
    if value is None:
        return _WITHOUT_VALUE
    if column.is_descending and isinstance(value, int):
        return False, -value
    comparable: object = vietnamese_locale.collation_key(str(value)) if column.name in _NAMES else value
    return False, _Descending(comparable) if column.is_descending else comparable


def _instant(value: datetime | None) -> str | None:
    # In UTC with all its digits: `datetime` leaves the microseconds out where they are zero.
    return None if value is None else value.astimezone(UTC).isoformat(timespec="microseconds")


def _day(value: date | None) -> str | None:
    return None if value is None else value.isoformat()


def _encode(place: LinePlace) -> str:
    content = json.dumps([str(place.order), *place.values, place.key], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def _decode(text: str, order: SortOrder) -> LinePlace:
    """Return the place that *text* holds; raise `ValueError` where it holds none, or one of another order."""
    padded = text + "=" * (-len(text) % 4)
    content = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    if not isinstance(content, list) or len(content) != len(order.columns) + 2:
        raise ValueError("another number of values")
    sorted_by, *values, key = content
    types = [int if one.name in _NUMBERS else str for one in order.columns]
    fits = all(value is None or type(value) is expected for value, expected in zip(values, types, strict=True))
    if sorted_by != str(order) or not fits or not isinstance(key, str):
        raise ValueError("of another order")
    return LinePlace(order=order, values=tuple(values), key=key)
