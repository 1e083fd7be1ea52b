"""Shows the progress of the demo: on a terminal one live picture, elsewhere a line for each day with events."""

from collections import deque
from collections.abc import Callable, Sequence
from datetime import date, datetime, tzinfo
from types import TracebackType
from typing import Any, Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from schemas.events import facts
from schemas.events.assessments import Status
from services.console.demo.scenario import Event, Scenario, ScheduledPost
from services.console.demo.statistics import DemoStatistics

MAX_LINES = 9
FRAMES_PER_SECOND = 12
BAR_WIDTH = 76
COLOURS = {
    Status.PENDING: "white",
    Status.ON_TIME: "green",
    Status.LATE: "yellow",
    Status.INCOMPLETE: "magenta",
    Status.OVERDUE: "red",
    Status.EXEMPT: "cyan",
}

# Returns the name that an agency, given by id or alias, has on a day.
NameOf = Callable[[str, date], str]


class ProgressView(Protocol):
    """Shows each stop of the scenario's clock, between being entered and left."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def show(self, now: datetime, posts: Sequence[ScheduledPost]) -> None:
        """Show the instant *now* and what was posted at it."""
        ...


def create_view(console: Console, statistics: DemoStatistics, name_of: NameOf, *, scenario: Scenario) -> ProgressView:
    """Return the view that *console* can show: a live one on a terminal, else plain lines."""
    if console.is_terminal:
        return LiveProgressView(console, statistics, name_of, scenario=scenario)
    return PlainProgressView(console, statistics, scenario.begins_at)


class LiveProgressView:
    """One picture that is redrawn: the day, the counts and the last events."""

    def __init__(self, console: Console, statistics: DemoStatistics, name_of: NameOf, *, scenario: Scenario) -> None:
        self._statistics = statistics
        self._name_of = name_of
        self._scenario = scenario
        self._lines: deque[Text] = deque(maxlen=MAX_LINES)
        self._live = Live(console=console, refresh_per_second=FRAMES_PER_SECOND)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, now: datetime, posts: Sequence[ScheduledPost]) -> None:
        for post in posts:
            name = self._name_of(post.event["data"]["agency"], now.date())
            self._lines.append(
                Text.assemble(
                    (f"{now:%d/%m %H:%M}  ", "dim"), (name, "bold"), f" {describe_event(post.event, now.tzinfo)}"
                )
            )
        self._live.update(self._render(now))

    def _render(self, now: datetime) -> RenderableType:
        counts, found = Table.grid(padding=(0, 3)), self._statistics.count_statuses(now)
        counts.add_row(*(Text(f"{found.get(one, 0):>2} {_status_words(one)}", style=COLOURS[one]) for one in COLOURS))
        elapsed, whole = now - self._scenario.begins_at, self._scenario.ends_at - self._scenario.begins_at
        bar = Table.grid()  # a bar alone would not end its line
        bar.add_row(ProgressBar(total=whole.total_seconds(), completed=elapsed.total_seconds(), width=BAR_WIDTH))
        sent = Text(f"{self._statistics.mail_count} mails   {self._statistics.sms_count} SMS", style="blue")
        head = Text(f"{now:%A %d/%m/%Y  %H:%M}", style="bold")
        return Group(Text(), head, bar, counts, sent, Text(), *self._lines)


class PlainProgressView:
    """One line a day, for logs; a day on which nothing was posted or sent has no line."""

    def __init__(self, console: Console, statistics: DemoStatistics, begins_at: datetime) -> None:
        self._console = console
        self._statistics = statistics
        self._day = begins_at.date()
        self._post_count = 0
        self._sent_count = 0
        self._line = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._flush()

    def show(self, now: datetime, posts: Sequence[ScheduledPost]) -> None:
        if now.date() != self._day:
            self._flush()
            self._day, self._post_count = now.date(), 0
        self._post_count += len(posts)
        sent_count = self._statistics.mail_count + self._statistics.sms_count
        if posts or sent_count != self._sent_count:
            self._sent_count = sent_count
            self._line = self._format_day(now)

    def _format_day(self, now: datetime) -> str:
        found = self._statistics.count_statuses(now)
        counts = ", ".join(f"{found[one]} {_status_words(one)}" for one in COLOURS if found.get(one))
        sent = f"{self._statistics.mail_count} mails, {self._statistics.sms_count} SMS"
        return f"{now:%d/%m/%Y}  {self._post_count:>2} posted; {counts}; {sent}"

    def _flush(self) -> None:
        if self._line:
            self._console.print(self._line, highlight=False, soft_wrap=True)
            self._line = ""


def describe_event(event: Event, zone: tzinfo | None) -> str:
    """Return in words what an agency does with *event*, or what the authority decides for it; days are in *zone*."""
    body: dict[str, Any] = event["data"]
    match event["type"]:
        case facts.WITHDRAWN:
            return "takes its report back"
        case facts.RETURNED:
            return "has its report returned"
        case facts.EXTENDED:
            return f"is given until {datetime.fromisoformat(body['due_at']).astimezone(zone):%d/%m}"
        case facts.EXEMPTED:
            return "is released from this year's report"
        case facts.REASSIGNED:
            return f"has its report moved from {body['from_period']} to {body['to_period']}"
        case _:
            return _describe_report(body)


def _describe_report(body: dict[str, Any]) -> str:
    if "on_behalf_of" in body:
        return "reports for one that it has taken in"
    if "corrects" in body:
        return "sends its report anew"
    return "has nothing to report, and says so" if body["content"]["nil_return"] else "reports"


def _status_words(status: Status) -> str:
    return status.value.replace("_", " ")
