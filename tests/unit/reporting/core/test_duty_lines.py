"""The line of a duty: the agency's name and group, the days late, and the order of lines."""

from datetime import timedelta
from typing import Any

import pytest

from schemas.events.assessments import Status
from services.reporting.core import duty_lines, timeline
from services.reporting.core.timeline import DutyState, StatusSpan
from tests.support.builders.annual_report import (
    AS_OF,
    DUE,
    OPENS,
    a_key,
    a_line_context,
    a_registry,
    a_report,
    a_revision,
    a_timeline,
    a_year,
)


def a_state(ends: Status, **fields: Any) -> DutyState:
    """Build the state of a duty whose last span has the status *ends*."""
    return timeline.state_at(a_revision(spans=a_timeline(ends, **fields)), AS_OF)


def test_the_group_is_the_one_of_the_due_day() -> None:
    """An agency that changed its name and its group is listed under those of the last day on time."""
    moved = {
        "id": "h-00",
        "names": [{"vi": "Sở cũ", "to": "2026-12-10"}, {"vi": "Huyện mới", "from": "2026-12-10"}],
        "groups": [{"id": "so-ban-nganh", "to": "2026-12-10"}, {"id": "ubnd-huyen", "from": "2026-12-10"}],
    }
    registry = a_registry(agencies=[moved])
    (line,) = duty_lines.build_lines([a_state(Status.OVERDUE)], {}, a_line_context(registry=registry))
    assert (line.group, line.agency_name) == ("so-ban-nganh", "Sở cũ")


@pytest.mark.parametrize(
    "ends, received_at, days",
    [
        (Status.ON_TIME, DUE - timedelta(minutes=1), None),
        (Status.LATE, DUE, 1),
        (Status.LATE, DUE + timedelta(hours=8), 1),
        (Status.LATE, DUE + timedelta(days=1), 2),
        (Status.OVERDUE, None, 13),
        (Status.INCOMPLETE, None, 13),
        (Status.EXEMPT, None, None),
    ],
)
def test_days_late_count_local_days_from_the_last_day_on_time(ends: Status, received_at: Any, days: int | None) -> None:
    """08:00 on the tenth is one day late; a report that never came is late until the day asked about."""
    fields = {"effective_at": received_at} if received_at else {}
    (line,) = duty_lines.build_lines([a_state(ends, **fields)], {}, a_line_context())
    assert line.days_late == days


def test_an_incomplete_report_before_its_due_day_is_not_late() -> None:
    """An incomplete report has no days late while it can still be completed on time."""
    early = DUE - timedelta(days=3)
    spans = a_timeline(Status.INCOMPLETE, effective_at=early - timedelta(days=1))
    state = timeline.state_at(a_revision(spans=spans), early)
    (line,) = duty_lines.build_lines([state], {}, a_line_context(early))
    assert (line.status, line.days_late) == (Status.INCOMPLETE, None)


def test_lines_follow_the_plan_then_the_group_then_the_alphabet() -> None:
    """In the Vietnamese alphabet Đông Sơn comes after Cẩm Thủy and before Hà Trung."""
    names = [line.agency_name.removeprefix("UBND huyện ") for line in a_report().chapters[0].lines]
    assert names.index("Cẩm Thủy") < names.index("Đông Sơn") < names.index("Hà Trung")
    assert names.index("Thanh tra tỉnh") < names.index("Bá Thước")


def test_lines_that_were_built_period_by_period_have_the_order_of_all() -> None:
    """However the periods come, duties of one obligation stand together, those of a period in their own order."""
    revisions = [*a_year()[0], *(a_revision(a_key(agency, period="2025")) for agency in ("h-01", "h-00"))]
    states, context = [timeline.state_at(one, AS_OF) for one in revisions], a_line_context()
    by_period = (
        duty_lines.build_lines([one for one in states if one.key.period == period], {}, context)
        for period in (None, "2026", "2025")
    )
    runs = [run for several in by_period for run in duty_lines.split_runs(several)]
    together = duty_lines.order_runs(runs, [context.plan], lambda run: run[0])
    assert tuple(line for run in together for line in run) == duty_lines.build_lines(states, {}, context)


def test_an_undated_duty_of_a_period_is_listed_by_the_registry_of_its_last_day() -> None:
    """Changes of the registry after a period is over change nothing in the period's lines."""
    renamed = {
        "id": "h-00",
        "names": [{"vi": "Tên cũ", "to": "2026-01-01"}, {"vi": "Tên mới", "from": "2026-01-01"}],
        "groups": [{"id": "ubnd-huyen"}],
    }
    registry = a_registry(agencies=[renamed])
    key = a_key(obligation="action-programme", period="2025")
    revision = a_revision(key, spans=(StatusSpan(from_at=OPENS, status=Status.OPEN),))
    state = timeline.state_at(revision, AS_OF)
    (line,) = duty_lines.build_lines([state], {}, a_line_context(registry=registry))
    assert line.agency_name == "Tên cũ"
