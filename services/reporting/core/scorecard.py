"""The figures of a set of duties in DHIS2's terms: expected and actual reports, reporting rate (on time).

Expected are the duties that bind: an exempt, superseded, ended or inapplicable one is listed apart and never in the
denominator. Undated duties are counted apart as well, for they can be done but not late.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from services.reporting.core.lines import DutyLine

NIL_RETURN = "nil_return"
UNDER_EXTENSION = "under_extension"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """How many duties stand where. `expected` is the denominator of both rates."""

    on_time: int = 0
    late: int = 0
    incomplete: int = 0
    overdue: int = 0
    pending: int = 0
    exempt: int = 0
    superseded: int = 0
    ended_no_successor: int = 0
    not_applicable: int = 0
    open: int = 0
    fulfilled: int = 0
    nil_returns: int = 0
    under_extension: int = 0

    @property
    def expected(self) -> int:
        """Reports that were to come."""
        return self.on_time + self.late + self.incomplete + self.overdue + self.pending

    @property
    def actual(self) -> int:
        """Complete reports that came, in time or not, nil returns included."""
        return self.on_time + self.late

    @property
    def outstanding(self) -> int:
        """Reports past due that are missing or not complete, and those still to come."""
        return self.expected - self.actual

    @property
    def reporting_rate(self) -> Decimal | None:
        """Actual by expected, or nothing where none was expected."""
        return _ratio(self.actual, self.expected)

    @property
    def reporting_rate_on_time(self) -> Decimal | None:
        """Those on time by expected, or nothing where none was expected."""
        return _ratio(self.on_time, self.expected)


def scorecard(lines: Iterable[DutyLine]) -> Scorecard:
    """Count *lines*, one duty once."""
    counted: Counter[str] = Counter()
    for line in lines:
        counted[line.status.value] += 1
        counted["nil_returns"] += line.is_complete and NIL_RETURN in line.flags
        counted["under_extension"] += UNDER_EXTENSION in line.flags
    return Scorecard(**counted)


def _ratio(part: int, whole: int) -> Decimal | None:
    return Decimal(part) / Decimal(whole) if whole else None
