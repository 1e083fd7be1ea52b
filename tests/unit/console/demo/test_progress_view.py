"""The demo's progress view: a description of each event, counts, and one line for each day with events."""

import io
from datetime import timedelta

import pytest
from rich.console import Console

from services.console.demo.plan_6766 import events, scenario
from services.console.demo.plan_6766.events import ZONE, ReportDraft
from services.console.demo.plan_6766.expected import DUE_AT
from services.console.demo.progress_view import LiveProgressView, PlainProgressView, create_view, describe_event
from services.console.demo.scenario import ScheduledPost
from services.console.demo.statistics import DemoStatistics
from tests.support.builders.log_records import NOON, an_assessment_record
from tests.support.builders.plans import a_registry

REPORT = ReportDraft(agency="so-tp", at=NOON)
SCENARIO = scenario.build_scenario(a_registry())


@pytest.mark.parametrize(
    "post, words",
    [
        (REPORT.to_post(), "reports"),
        (ReportDraft(agency="so-tp", at=NOON, corrects="x").to_post(), "sends its report anew"),
        (ReportDraft(agency="so-tp", at=NOON, is_nil=True).to_post(), "has nothing to report, and says so"),
        (ReportDraft(agency="so-tp", at=NOON, on_behalf_of="x").to_post(), "reports for one that it has taken in"),
        (events.build_withdrawal(REPORT, NOON, "x"), "takes its report back"),
        (events.build_return(REPORT, NOON, reason="x", respond_by=DUE_AT), "has its report returned"),
        (events.build_extension("so-tp", NOON, DUE_AT), "is given until 10/12"),
        (events.build_exemption("so-tp", NOON, DUE_AT), "is released from this year's report"),
        (events.build_reassignment(REPORT, NOON, "2025"), "has its report moved from 2024 to 2025"),
    ],
)
def test_each_event_is_described_in_words(post: ScheduledPost, words: str) -> None:
    """The description says what an agency does and not the type of an event."""
    assert describe_event(post.event, ZONE) == words


def test_a_log_gets_one_line_for_each_day_with_events() -> None:
    """A day on which nothing is posted or sent leaves no line."""
    written = io.StringIO()
    with create_view(
        Console(file=written, width=200),
        DemoStatistics(counted=SCENARIO.counted),
        lambda agency, _: agency,
        scenario=SCENARIO,
    ) as view:
        assert isinstance(view, PlainProgressView)
        view.show(NOON, [REPORT.to_post()])
        view.show(NOON + timedelta(hours=1), [REPORT.to_post()])
        view.show(NOON + timedelta(days=1), [])
    assert written.getvalue() == "03/12/2024   2 posted; ; 0 mails, 0 SMS\n"


def test_a_terminal_gets_day_counts_and_events() -> None:
    """Day, counts and events each stand on a line of their own."""
    written = io.StringIO()
    statistics = DemoStatistics(counted=SCENARIO.counted)
    statistics.add_record(an_assessment_record("so-tp", (NOON, "on_time")))
    console = Console(file=written, width=200, force_terminal=True, color_system=None)
    with create_view(console, statistics, lambda *_: "Sở Tư pháp", scenario=SCENARIO) as view:
        assert isinstance(view, LiveProgressView)
        view.show(NOON, [REPORT.to_post()])
    lines = [line.strip() for line in written.getvalue().splitlines()]
    assert "Tuesday 03/12/2024  12:00" in lines
    assert "03/12 12:00  Sở Tư pháp reports" in lines
    assert any(line.startswith("0 pending") and "1 on time" in line for line in lines)
