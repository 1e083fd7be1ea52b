"""Calls: what one duty asks to be said, when and to whom; the agenda keeps what was said from being said again.

These are values only. How an agenda changes is decided in `dedup`, how it is stored in the ledger.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from schemas.events.assessments import StepKind
from schemas.events.ids import DutyKey
from schemas.plan import durations

SEVERITY = {StepKind.REMINDER: 0, StepKind.INCOMPLETE: 1, StepKind.URGING: 2, StepKind.ESCALATION: 3}
"""Which of two alerts matters more when they fall together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A step that rules called for. `nth` counts the repetitions of a step with `every`, which began at `first_at`.

    `send_at` is `at` moved out of the quiet hours. From `until` on the call is void. `missing` is what the report
    lacks, named as rules names it.
    """

    kind: StepKind
    step: str
    at: datetime
    send_at: datetime
    due_at: datetime | None
    to: str = "self"
    every: str | None = None
    until: datetime | None = None
    missing: tuple[str, ...] = ()
    first_at: datetime
    nth: int = 0

    @property
    def label(self) -> str:
        """The distance from the due instant, repetitions included: the third weekly one after P7D is P28D."""
        if not self.nth or self.every is None:
            return self.step
        step, every = durations.parse(self.step), durations.parse(self.every)
        if isinstance(step, timedelta) and isinstance(every, timedelta) and not (step.seconds or every.seconds):
            return durations.format_days((step + self.nth * every).days)
        return f"{self.step}+{self.nth}x{self.every}"

    @property
    def identity(self) -> str:
        """What makes two calls of a duty the same: never said twice."""
        return self._identity(self.label)

    @property
    def standing(self) -> str:
        """The identity of the step behind all repetitions."""
        return self._identity(self.step)

    def is_void(self, now: datetime) -> bool:
        """Whether its reason is gone by *now*."""
        return self.until is not None and self.until <= now

    def repetition(self, nth: int, zone: ZoneInfo) -> "Call | None":
        """Return the *nth* repetition at its wall time in *zone*, quiet hours apart; nothing past `until`."""
        if self.every is None:
            return None
        at = (self.first_at.astimezone(zone) + durations.parse(self.every) * nth).astimezone(self.first_at.tzinfo)
        if self.is_void(at):
            return None
        return replace(self, nth=nth, at=at, send_at=at)

    def latest(self, now: datetime, zone: ZoneInfo) -> "Call":
        """Return the last repetition that has come by *now*, the call itself where none has."""
        latest = self._leap(now, zone)
        while (again := latest.repetition(latest.nth + 1, zone)) and again.at <= now:
            latest = again
        return latest

    def _leap(self, now: datetime, zone: ZoneInfo) -> "Call":
        """Return a repetition shortly before the last one by *now*: years of weeks are not counted one by one."""
        every = durations.parse(self.every) if self.every else None
        if not isinstance(every, timedelta) or every <= timedelta():
            return self
        nth = (now - self.first_at) // every - 1
        return (self.repetition(nth, zone) if nth > self.nth else None) or self

    def _identity(self, label: str) -> str:
        due = self.due_at.astimezone(UTC).isoformat(timespec="milliseconds") if self.due_at else ""
        return f"{self.kind.value}|{label}|{due}|{self.to}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Calls that a round has taken and not yet handed over; after `until` the process of that round is dead."""

    round: str
    until: datetime
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agenda:
    """All calls of one duty: those `waiting`, those `taken`, and the identities `said` (or overtaken by a later call).

    `standing` names the steps of the assessment last followed, each with the instant from which it is void. `revision`
    is that of the assessment; an older one is ignored. `known_since` is when the first assessment was recorded.
    """

    duty: DutyKey
    plan_version: int
    registry: str
    registry_version: int
    clause: str
    revision: int
    known_since: datetime
    waiting: tuple[Call, ...] = ()
    said: frozenset[str] = frozenset()
    taken: Taken | None = None
    standing: tuple[tuple[str, datetime | None], ...] = ()

    @property
    def next_at(self) -> datetime | None:
        """When the next call falls due to be said."""
        return min((call.send_at for call in self.waiting), default=None)

    def stands(self, call: Call, now: datetime) -> bool:
        """Whether the assessment last followed still calls for *call* at *now*."""
        return any(name == call.standing and (until is None or now < until) for name, until in self.standing)

    def telling(self, call: Call) -> "Telling":
        """Return *call* with all that its words depend on."""
        return Telling(
            duty=self.duty,
            plan_version=self.plan_version,
            registry=self.registry,
            registry_version=self.registry_version,
            clause=self.clause,
            call=call,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """One call of one duty, taken from its agenda to be told: all that its words depend on."""

    duty: DutyKey
    plan_version: int
    registry: str
    registry_version: int
    clause: str
    call: Call

    @property
    def identity(self) -> str:
        """The identity of the call across all duties."""
        return f"{self.duty}|{self.call.identity}"
