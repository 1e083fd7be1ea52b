"""What a spectator sees: on a terminal one picture that lives, elsewhere a line for each eventful day."""

from collections import deque
from collections.abc import Callable, Sequence
from datetime import date, datetime
from types import TracebackType
from typing import Any, Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from schemas.events import facts
from schemas.events.assessments import Status
from services.console.demo.events import RESULTS, ZONE, Event, Post
from services.console.demo.expected import CURTAIN_AT
from services.console.demo.statistics import Tally
from services.console.demo.story import BEGINS_AT

LINES_SHOWN = 9
FRAMES_A_SECOND = 12
BAR_WIDTH = 76
COLOURS = {
    Status.PENDING: "white",
    Status.ON_TIME: "green",
    Status.LATE: "yellow",
    Status.INCOMPLETE: "magenta",
    Status.OVERDUE: "red",
    Status.EXEMPT: "cyan",
}

NameOf = Callable[[str, date], str]


class Screen(Protocol):
    """Shows each stop of the story, between being entered and left."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def happened(self, now: datetime, posted: Sequence[Post]) -> None:
        """Show the instant *now* and what was posted at it."""
        ...


def screen_for(console: Console, tally: Tally, name_of: NameOf) -> Screen:
    """Return the screen that *console* can show."""
    return LiveScreen(console, tally, name_of) if console.is_terminal else PlainScreen(console, tally)


class LiveScreen:
    """One picture, redrawn: the day, the counts, the last happenings."""

    def __init__(self, console: Console, tally: Tally, name_of: NameOf) -> None:
        self._tally = tally
        self._name_of = name_of
        self._lines: deque[Text] = deque(maxlen=LINES_SHOWN)
        self._live = Live(console=console, refresh_per_second=FRAMES_A_SECOND)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def happened(self, now: datetime, posted: Sequence[Post]) -> None:
        for post in posted:
            name = self._name_of(post.event["data"]["agency"], now.date())
            self._lines.append(
                Text.assemble((f"{now:%d/%m %H:%M}  ", "dim"), (name, "bold"), f" {caption(post.event)}")
            )
        self._live.update(self._picture(now))

    def _picture(self, now: datetime) -> RenderableType:
        counts, found = Table.grid(padding=(0, 3)), self._tally.statuses(now)
        counts.add_row(*(Text(f"{found.get(one, 0):>2} {_words(one)}", style=COLOURS[one]) for one in COLOURS))
        gone, whole = now - BEGINS_AT, CURTAIN_AT - BEGINS_AT
        bar = Table.grid()  # a bar alone would not end its line
        bar.add_row(ProgressBar(total=whole.total_seconds(), completed=gone.total_seconds(), width=BAR_WIDTH))
        sent = Text(f"{self._tally.mails} mails   {self._tally.messages} SMS", style="blue")
        head = Text(f"{now:%A %d/%m/%Y  %H:%M}", style="bold")
        return Group(Text(), head, bar, counts, sent, Text(), *self._lines)


class PlainScreen:
    """One line a day, for logs: only days on which something was posted or sent."""

    def __init__(self, console: Console, tally: Tally) -> None:
        self._console = console
        self._tally = tally
        self._day = BEGINS_AT.date()
        self._posted = 0
        self._sent = 0
        self._line = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._flush()

    def happened(self, now: datetime, posted: Sequence[Post]) -> None:
        if now.date() != self._day:
            self._flush()
            self._day, self._posted = now.date(), 0
        self._posted += len(posted)
        sent = self._tally.mails + self._tally.messages
        if posted or sent != self._sent:
            self._sent = sent
            self._line = self._said(now)

    def _said(self, now: datetime) -> str:
        found = self._tally.statuses(now)
        counts = ", ".join(f"{found[one]} {_words(one)}" for one in COLOURS if found.get(one))
        return (
            f"{now:%d/%m/%Y}  {self._posted:>2} posted; {counts}; {self._tally.mails} mails, {self._tally.messages} SMS"
        )

    def _flush(self) -> None:
        if self._line:
            self._console.print(self._line, highlight=False, soft_wrap=True)
            self._line = ""


def caption(event: Event) -> str:
    """Return in words what an agency (or the authority, for it) does with *event*."""
    body: dict[str, Any] = event["data"]
    match event["type"]:
        case facts.WITHDRAWN:
            return "takes its report back"
        case facts.EXTENDED:
            return f"is given until {datetime.fromisoformat(body['due_at']).astimezone(ZONE):%d/%m}"
        case facts.EXEMPTED:
            return "is released from this year's report"
        case facts.REASSIGNED:
            return f"has its report moved from {body['from_period']} to {body['to_period']}"
        case _:
            return _of_report(body)


def _of_report(body: dict[str, Any]) -> str:
    if body["obligation"] != RESULTS:
        return "holds its review of the year"
    if "on_behalf_of" in body:
        return "reports for the district it has taken in"
    if "corrects" in body:
        return "sends its report anew"
    return "has nothing to report, and says so" if body["content"]["nil_return"] else "reports"


def _words(status: Status) -> str:
    return status.value.replace("_", " ")
