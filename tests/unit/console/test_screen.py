"""What a spectator of the demo sees: captions, counts, and one line for each eventful day."""

import io
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiokafka import ConsumerRecord
from rich.console import Console

from schemas.events.assessments import ASSESSED
from schemas.events.deliveries import DELIVERED
from schemas.events.facts import SUBMITTED
from services.console.demo import events
from services.console.demo.events import RESULTS, YEAR, ZONE, Post, Report
from services.console.demo.expected import DUE_AT
from services.console.demo.progress_view import LiveScreen, PlainScreen, caption, screen_for
from services.console.demo.statistics import Tally

NOON = datetime(2024, 12, 3, 12, tzinfo=ZONE)
REPORT = Report(agency="so-tp", at=NOON)


def a_record(kind: str, body: Mapping[str, Any]) -> ConsumerRecord[bytes, bytes]:
    """Build a record of the log around an event."""
    value = json.dumps({"type": kind, "data": body}).encode()
    return ConsumerRecord("t", 0, 0, 0, 0, None, value, None, 0, len(value), ())


def an_assessment(agency: str, *turns: tuple[datetime, str], period: str = YEAR) -> ConsumerRecord[bytes, bytes]:
    """Build what rules says of one agency's results."""
    timeline = [{"from": at.isoformat(), "status": status} for at, status in turns]
    return a_record(ASSESSED, {"agency": agency, "obligation": RESULTS, "period": period, "timeline": timeline})


def an_attempt(alert: str, channel: str = "email", outcome: str = "delivered") -> ConsumerRecord[bytes, bytes]:
    """Build what the notifier says of one attempt."""
    return a_record(DELIVERED, {"alert": alert, "channel": channel, "outcome": outcome})


@pytest.mark.parametrize(
    "post, words",
    [
        (REPORT.post(), "reports"),
        (Report(agency="so-tp", at=NOON, corrects="x").post(), "sends its report anew"),
        (Report(agency="so-tp", at=NOON, is_nil=True).post(), "has nothing to report, and says so"),
        (Report(agency="so-tp", at=NOON, on_behalf_of="x").post(), "reports for the district it has taken in"),
        (Report(agency="so-tp", at=NOON, obligation="other").post(), "holds its review of the year"),
        (events.withdrawal(REPORT, NOON, "x"), "takes its report back"),
        (events.extension("so-tp", NOON, DUE_AT), "is given until 10/12"),
        (events.exemption("so-tp", NOON, DUE_AT), "is released from this year's report"),
        (events.reassignment(REPORT, NOON, "2025"), "has its report moved from 2024 to 2025"),
    ],
)
def test_each_paper_has_its_words(post: Post, words: str) -> None:
    """A spectator reads what an agency does, not the type of an event."""
    assert caption(post.event) == words


class TestTally:
    """Counts are made from the log alone."""

    def test_a_status_is_counted_as_it_is_at_the_instant(self) -> None:
        """The same timeline says pending before due and overdue from then on."""
        tally = Tally()
        tally.hear(an_assessment("so-tp", (NOON, "pending"), (DUE_AT, "overdue")))
        assert tally.statuses(DUE_AT - timedelta(seconds=1)) == {"pending": 1}
        assert tally.statuses(DUE_AT) == {"overdue": 1}

    def test_the_last_assessment_of_a_duty_counts(self) -> None:
        """An agency is counted once."""
        tally = Tally()
        tally.hear(an_assessment("so-tp", (NOON, "pending")))
        tally.hear(an_assessment("so-tp", (NOON, "on_time")))
        assert tally.statuses(NOON) == {"on_time": 1}

    def test_other_years_are_not_counted(self) -> None:
        """The story is about one."""
        tally = Tally()
        tally.hear(an_assessment("so-tp", (NOON, "on_time"), period="2023"))
        assert tally.statuses(NOON) == {}

    def test_a_digest_told_for_two_agencies_is_one_mail(self) -> None:
        """And what was not delivered is none."""
        tally = Tally()
        for record in (
            an_attempt("a"),
            an_attempt("a"),
            an_attempt("b", "sms"),
            an_attempt("c", outcome="unreachable"),
        ):
            tally.hear(record)
        assert (tally.mails, tally.messages) == (1, 1)

    def test_facts_are_kept_with_the_time_of_the_log(self) -> None:
        """So that `dondoc evaluate` knows what was known when."""
        tally = Tally()
        tally.hear(a_record(SUBMITTED, {}))
        assert [fact["recordedtime"] for fact in tally.facts] == ["1970-01-01T00:00:00+00:00"]


class TestScreens:
    """A terminal gets a living picture, a log gets lines."""

    def test_a_log_gets_one_line_for_each_eventful_day(self) -> None:
        """Days on which nothing is posted or sent leave no line."""
        written = io.StringIO()
        with screen_for(Console(file=written, width=200), Tally(), lambda agency, _: agency) as screen:
            assert isinstance(screen, PlainScreen)
            screen.happened(NOON, [REPORT.post()])
            screen.happened(NOON + timedelta(hours=1), [REPORT.post()])
            screen.happened(NOON + timedelta(days=1), [])
        assert written.getvalue() == "03/12/2024   2 posted; ; 0 mails, 0 SMS\n"

    def test_a_terminal_gets_day_counts_and_happenings(self) -> None:
        """Each on a line of its own."""
        written = io.StringIO()
        tally = Tally()
        tally.hear(an_assessment("so-tp", (NOON, "on_time")))
        with screen_for(
            Console(file=written, width=200, force_terminal=True, color_system=None), tally, lambda *_: "Sở Tư pháp"
        ) as screen:
            assert isinstance(screen, LiveScreen)
            screen.happened(NOON, [REPORT.post()])
        lines = [line.strip() for line in written.getvalue().splitlines()]
        assert "Tuesday 03/12/2024  12:00" in lines
        assert "03/12 12:00  Sở Tư pháp reports" in lines
        assert any(line.startswith("0 pending") and "1 on time" in line for line in lines)
