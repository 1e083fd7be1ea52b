"""What is checked of a plan and its registry before they are published."""

from schemas.lint.document_tree import Node
from services.console.support import plan_checks
from services.runtime.kafka.document_parts import DOCUMENT_BYTES_MAX
from tests.support.builders import plans


def test_a_document_that_could_not_be_published_is_a_fault() -> None:
    """The fault names both sizes and a remedy; the usual registry has none."""
    large = plans.a_registry(plans.an_agency("h", names=[{"vi": "x" * DOCUMENT_BYTES_MAX}]))
    (fault,) = plan_checks.check_size(Node(value={}), large)
    assert f"{DOCUMENT_BYTES_MAX:,} is the most" in fault.message
    assert list(plan_checks.check_size(Node(value={}), plans.a_registry())) == []


def test_a_period_that_is_over_before_it_opens_is_warned_of() -> None:
    """A weekend rule moves a Friday in the week of Tết before its Monday; the plan of a month may be due before it."""
    week = {"from": "2026-01-01", "recurrence": "week", "due": {"day": 5, "weekend_rule": "previous_working_day"}}
    month = {"from": "2026-01-01", "recurrence": "month", "due": {"day": 1, "offset": "-P6D"}}
    plan = Node(value={"obligations": [{"versions": [week, month, {**week, "due": {"day": 5}}]}]})
    found = [one.message for one in plan_checks.check_plan(plan)]
    assert found == [
        "2026-W08 is due by the end of 2026-02-13, before it opens on 2026-02-16: nobody owes it",
        "2026-01 is due by the end of 2025-12-25, before it opens on 2026-01-01: nobody owes it",
    ]
