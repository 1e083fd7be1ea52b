"""Of which groups an agency is a member as for a duty: one day decides, for scopes, for lines and for results."""

from datetime import date, timedelta

import pytest

from schemas.events.assessments import Status
from services.reporting.core import duty_lines, results_question, timeline
from services.reporting.core.agencies.membership import Memberships
from services.reporting.core.registry_index import RegistryIndex
from services.reporting.core.results_question import AssessedDuty, AssessedPlan
from services.reporting.core.timeline import StatusSpan
from tests.support.builders.annual_report import (
    AS_OF,
    DUE,
    OPENS,
    a_key,
    a_line_context,
    a_plan,
    a_registry,
    a_revision,
)

TODAY = date(2026, 12, 22)
MOVED = {
    "id": "h-00",
    "names": [{"vi": "Huyện"}],
    "groups": [{"id": "so-ban-nganh", "to": "2026-12-15"}, {"id": "ubnd-huyen", "from": "2026-12-15"}],
    "parent": [{"id": "h-01", "to": "2026-12-15"}, {"id": "h-02", "from": "2026-12-15"}],
}
OTHERS = [{"id": one, "names": [{"vi": one}], "groups": [{"id": "ubnd-huyen"}]} for one in ("h-01", "h-02")]
REGISTRY = a_registry(agencies=[MOVED, *OTHERS])


def test_an_extension_moves_no_agency_into_another_group() -> None:
    """The agency changed its group between the plan's last good day and that of its extension; the plan's decides."""
    extended = DUE + timedelta(days=20)
    span = StatusSpan(from_at=OPENS, status=Status.PENDING, due_at=extended, flags=("under_extension",))
    state = timeline.state_at(a_revision(a_key("h-00"), spans=[span]), AS_OF)
    (line,) = duty_lines.build_lines([state], {}, a_line_context(registry=REGISTRY))
    memberships = Memberships(a_plan(), RegistryIndex.of(REGISTRY))
    assert line.group == "so-ban-nganh"
    assert memberships.groups_of(state.key, TODAY) == {"so-ban-nganh"}
    assert memberships.parent_of(state.key, TODAY) == "h-01"
    duties = {("annual-results", "2026"): [AssessedDuty(agency="h-00", status=Status.PENDING)]}
    assessed = AssessedPlan(plan=a_plan(), registry=REGISTRY, duties=duties, contents={})
    (question,) = results_question.build_questions(assessed, "2026")
    assert [duty.groups for duty in question.duties] == [{"so-ban-nganh"}]


@pytest.mark.parametrize(
    ("obligation", "period", "decided_on"),
    [
        ("annual-results", "2026", date(2026, 12, 9)),
        ("annual-results", "2025", date(2025, 12, 9)),
        ("action-programme", None, TODAY),
        ("action-programme", "2025", date(2025, 12, 31)),
        ("abolished", None, TODAY),
        ("abolished", "2026-Q1", date(2026, 3, 31)),
    ],
)
def test_the_day_that_decides(obligation: str, period: str | None, decided_on: date) -> None:
    """The last good day; without one the last day of the period; without either, the day asked about."""
    key = a_key("h-00", obligation, period)
    assert Memberships(a_plan(), RegistryIndex.of(REGISTRY)).decided_on(key, TODAY) == decided_on
