"""Two instants compared: what changed its status, which figures differ, and by which events."""

from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from msgspec import structs

from schemas.events.assessments import Status
from schemas.plan.indicators import Indicator
from services.reporting.core import duty_lines, timeline
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.evidence import status_changes
from services.reporting.core.evidence.wording import Wording
from services.reporting.core.results import AgencyFigure, IndicatorResult, ObligationResults
from services.reporting.core.timeline import StatusSpan
from tests.support.builders.annual_report import AS_OF, DUE, OPENS, a_key, a_line_context, a_plan, a_revision

WORDS = Wording(zone=ZoneInfo("Asia/Ho_Chi_Minh"), language="vi")
INDICATOR = Indicator(code="loans", unit="million_vnd")


def a_line(agency: str, status: Status, **fields: object) -> DutyLine:
    """Build the line of a duty of an agency."""
    span = StatusSpan(from_at=OPENS, status=status, due_at=DUE, **fields)  # type: ignore[arg-type]
    (line,) = duty_lines.build_lines(
        [timeline.state_at(a_revision(a_key(agency), spans=[span]), AS_OF)], {}, a_line_context()
    )
    return line


def some_results(total: Decimal | None, *figures: AgencyFigure) -> ObligationResults:
    """Build results of one indicator."""
    indicator = IndicatorResult(
        indicator=INDICATOR, total=total, asked=2, agencies=len(figures), late=0, incomplete=0, not_given=(),
        cut_offs={}, target=None, previous=None, groups=(), figures=figures,
    )  # fmt: skip
    return ObligationResults(
        obligation="annual-results", expected=2, standing=1, indicators=(indicator,), sections={}, groups_by_agency={}
    )


def a_figure(agency: str, value: str, event: str) -> AgencyFigure:
    """Build a figure that came with *event*."""
    return AgencyFigure(
        agency=agency, value=Decimal(value), status=Status.ON_TIME, cut_off=None, source="q", id=event, flags=()
    )


def test_a_duty_whose_status_is_another_is_named_with_the_new_events() -> None:
    """The others are counted, and one that was not known before has changed."""
    before = [a_line("h-00", Status.PENDING), a_line("h-01", Status.PENDING), a_line("h-02", Status.PENDING)]
    after = [
        a_line("h-00", Status.ON_TIME, evidence=("s-1",), effective_at=DUE - timedelta(days=1)),
        a_line("h-01", Status.OVERDUE),
        a_line("h-02", Status.PENDING),
        a_line("h-03", Status.PENDING),
    ]
    compared = status_changes.compare_lines(before, after)
    assert [(one.line.key.agency, one.before, one.line.status, one.events) for one in compared.changes] == [
        ("h-00", Status.PENDING, Status.ON_TIME, ("s-1",)),
        ("h-01", Status.PENDING, Status.OVERDUE, ()),
        ("h-03", None, Status.PENDING, ()),
    ]
    assert compared.unchanged == 1
    assert (compared.counts_before[Status.PENDING], compared.counts_after[Status.PENDING]) == (3, 2)


def test_a_change_by_an_event_that_is_gone_names_that_event() -> None:
    """A report that was moved to another year takes its duty back to silence."""
    (change,) = status_changes.compare_lines(
        [a_line("h-00", Status.ON_TIME, evidence=("s-1",))], [a_line("h-00", Status.PENDING)]
    ).changes
    assert change.events == ("s-1",)


def test_a_figure_that_is_another_is_named_with_its_submission() -> None:
    """Totals first; what is equal is left out, and so is what neither side has."""
    before = some_results(Decimal(3), a_figure("h-00", "1", "s-1"), a_figure("h-01", "2", "s-2"))
    after = some_results(Decimal(7), a_figure("h-00", "1", "s-1"), a_figure("h-02", "6", "s-3"))
    found = [
        (one.agency, one.before, one.after, one.events) for one in status_changes.compare_results([before], [after])
    ]
    assert found == [
        (None, Decimal(3), Decimal(7), ()),
        ("h-01", Decimal(2), None, ("s-2",)),
        ("h-02", None, Decimal(6), ("s-3",)),
    ]
    assert status_changes.compare_results([after], [after]) == ()


def test_a_reason_is_told_in_a_few_words() -> None:
    """What came when, what is missing, or that nothing has come."""
    lines = {
        a_line("h-00", Status.LATE, effective_at=DUE): "đủ nội dung lúc 00:00 ngày 10/12/2026",
        a_line("h-00", Status.INCOMPLETE, missing=("signed",)): "còn thiếu chữ ký",
        a_line("h-00", Status.OVERDUE): "hạn là hết ngày 09/12/2026, chưa có báo cáo nào",
        a_line("h-00", Status.PENDING, flags=("withdrawn",)): "hạn là hết ngày 09/12/2026, báo cáo đã rút lại",
        a_line("h-00", Status.EXEMPT, flags=("voluntary_report",)): "được miễn nhưng vẫn gửi",
        structs.replace(a_line("h-00", Status.OVERDUE), due_at=None): "",
    }
    for line, words in lines.items():
        assert status_changes.describe_reason(line, a_plan(), WORDS) == words
