"""Decisions that move or lift a due instant: extension, exemption and revocation, each from its own date (ruling 9)."""

import heapq
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import assert_never

import msgspec

from schemas.plan import calendar
from services.rules.core.duty import Duty
from services.rules.core.facts import (
    Adjustment,
    Decision,
    Exemption,
    Extension,
    FactIdentity,
    FactIndex,
    Revocation,
    identity,
)


class ReliefState(msgspec.Struct, frozen=True, kw_only=True):
    """What the decisions in force at one instant make of the duty."""

    due_at: datetime | None
    is_exempt: bool = False
    is_extended: bool = False
    has_refused_revocation: bool = False
    evidence: tuple[str, ...] = ()


def takes_effect_at(decision: Decision, duty: Duty) -> datetime:
    """Return the first instant of the decision's day in the plan's zone: a decision carries a date, no hour."""
    return calendar.midnight(decision.decided_on, duty.zone)


class ReliefDecisions:
    """The decisions about one duty, in the order in which they take effect; asked for their state in order of time."""

    __slots__ = ("_duty", "_exemptions", "_fold", "_state", "_waiting", "applied")

    def __init__(self, duty: Duty, adjustments: Sequence[Adjustment]) -> None:
        self._duty = duty
        kinds = (Extension, Exemption, Revocation)
        decisions = [one for one in adjustments if isinstance(one, kinds) and self._may_apply(one)]
        # Of decisions of one day a revocation takes effect last, so that it finds the exemption that it revokes.
        self.applied: Sequence[Decision] = sorted(
            decisions,
            key=lambda one: (takes_effect_at(one, self._duty), isinstance(one, Revocation), one.source, one.id),
        )
        """The decisions that may bear on the duty, in the order in which they take effect."""
        self._exemptions = FactIndex([one for one in decisions if isinstance(one, Exemption)])
        self._waiting = self.applied[::-1]  # those that have not taken effect, the next one last
        self._fold = _DecisionFold(due_at=duty.due_at) if decisions else None
        self._state = ReliefState(due_at=duty.due_at)

    def change_points(self) -> Iterable[datetime]:
        """Yield the instants at which `state_at` may change."""
        for decision in self.applied:
            yield takes_effect_at(decision, self._duty)
            match decision:
                case Extension() | Revocation():
                    if decision.due_at is not None:
                        yield decision.due_at
                case Exemption() if self._duty.due_at is None:
                    yield from (decision.from_, decision.until)

    def state_at(self, instant: datetime) -> ReliefState:
        """Return what the decisions in force at *instant* make of the duty."""
        fold = self._fold
        if fold is None:
            return self._state
        is_changed = False
        while self._waiting and takes_effect_at(self._waiting[-1], self._duty) <= instant:
            self._apply(self._waiting.pop(), fold)
            is_changed = True
        # An undated duty is released while an exemption lasts; a dated one if its due instant falls inside.
        if fold.move_to(instant if fold.due_at is None else fold.due_at) or is_changed:
            self._state = fold.build_state()
        return self._state

    def _apply(self, decision: Extension | Exemption | Revocation, fold: "_DecisionFold") -> None:
        match decision:
            case Extension():
                fold.apply_extension(decision)
            case Exemption():
                fold.apply_exemption(decision)
            case Revocation():
                exemption = self._exemptions.find(decision.exemption, decision.source)
                if exemption is not None:
                    leaves_time = self._leaves_time_to_report(decision)
                    fold.apply_revocation(decision, exemption, leaves_time=leaves_time)
            case _:
                assert_never(decision)

    def _may_apply(self, decision: Extension | Exemption | Revocation) -> bool:
        """Whether the decision may bear on the duty; which due instants an exemption releases is decided in the fold.

        A revocation reopens no duty whose next period has fallen due by then: a year served exempt stays exempt.
        """
        match decision:
            case Extension():
                return decision.period == self._duty.key.period
            case Revocation() if self._duty.due_at is not None:
                return takes_effect_at(decision, self._duty) < self._duty.one_period_after(self._duty.due_at)
            case _:
                return True

    def _leaves_time_to_report(self, revocation: Revocation) -> bool:
        """Whether its due instant is still to come both when it takes effect and when it is received (ruling 9)."""
        return revocation.due_at is not None and revocation.due_at > max(
            takes_effect_at(revocation, self._duty), revocation.received_at
        )


class _SpansInForce:
    """Spans [from, until) of time, each with an id, of which those are asked for that hold an instant.

    The instant only moves on, so each span enters the answer at most once and leaves it at most once.
    """

    __slots__ = ("_added", "_leaving", "_numbers", "_removed", "_waiting", "ids")

    def __init__(self) -> None:
        self._added = 0
        self._waiting: list[tuple[datetime, int, datetime, str]] = []
        self._leaving: list[tuple[datetime, int]] = []
        self._removed: set[int] = set()
        # The numbers and, next to them, the ids of the spans in force, in the order in which they were added.
        self._numbers: list[int] = []
        self.ids: list[str] = []

    def add(self, exemption: Exemption, event_id: str) -> int:
        """Add the span of *exemption* under an id, and return its number; it counts from the next move."""
        self._added += 1
        heapq.heappush(self._waiting, (exemption.from_, self._added, exemption.until, event_id))
        return self._added

    def remove(self, number: int) -> None:
        """Remove a span, whether or not it is in force."""
        self._removed.add(number)
        at = bisect_left(self._numbers, number)
        if self._numbers[at : at + 1] == [number]:
            del self._numbers[at], self.ids[at]

    def move_to(self, instant: datetime) -> bool:
        """Move on to *instant*, and return whether any span entered or left the answer."""
        is_changed = False
        while self._leaving and self._leaving[0][0] <= instant:
            _, number = heapq.heappop(self._leaving)
            if number not in self._removed:
                self.remove(number)
                is_changed = True
        while self._waiting and self._waiting[0][0] <= instant:
            _, number, until, event_id = heapq.heappop(self._waiting)
            if instant < until and number not in self._removed:
                at = bisect_left(self._numbers, number)
                self._numbers.insert(at, number)
                self.ids.insert(at, event_id)
                heapq.heappush(self._leaving, (until, number))
                is_changed = True
        return is_changed


class _DecisionFold:
    """The decisions applied so far."""

    __slots__ = (
        "_evidence",
        "_exemptions",
        "_has_refused",
        "_is_extended",
        "_numbers",
        "_refused",
        "_revocations",
        "due_at",
    )

    def __init__(self, due_at: datetime | None) -> None:
        self.due_at = due_at
        self._evidence: list[str] = []
        self._numbers: dict[FactIdentity, int] = {}
        self._exemptions = _SpansInForce()
        # Of an undated duty: its revocations, and those of them that are refused, by the span of their exemption.
        self._revocations = _SpansInForce()
        self._refused = _SpansInForce()
        self._is_extended = False
        self._has_refused = False

    def apply_extension(self, extension: Extension) -> None:
        """Move the due instant on; an extension never moves it back, because nobody is made late by one."""
        if self.due_at is not None and extension.due_at > self.due_at:
            self.due_at, self._is_extended = extension.due_at, True
            self._evidence.append(extension.id)

    def apply_exemption(self, exemption: Exemption) -> None:
        """Release the duty while its deciding instant lies inside the exemption."""
        self._numbers[identity(exemption)] = self._exemptions.add(exemption, exemption.id)

    def apply_revocation(self, revocation: Revocation, exemption: Exemption, *, leaves_time: bool) -> None:
        """End the exemption and set the new due instant, or refuse a revocation that leaves no time to report.

        A revocation makes nothing due earlier than the plan does, and no undated duty due at all.
        """
        number = self._numbers.get(identity(exemption))
        if number is None:
            return
        if self.due_at is None:
            self._revocations.add(exemption, revocation.id)
            if not leaves_time:
                self._refused.add(exemption, revocation.id)
        elif exemption.from_ <= self.due_at < exemption.until:
            self._evidence.append(revocation.id)
            if leaves_time and revocation.due_at is not None:
                self.due_at = max(self.due_at, revocation.due_at)
            else:
                self._has_refused = True
        if leaves_time:
            del self._numbers[identity(exemption)]
            self._exemptions.remove(number)

    def move_to(self, instant: datetime) -> bool:
        """Judge the exemptions at *instant*, and return whether that changed which of them release the duty."""
        moved = [spans.move_to(instant) for spans in (self._exemptions, self._revocations, self._refused)]
        return True in moved

    def build_state(self) -> ReliefState:
        """Return the result of all decisions applied."""
        return ReliefState(
            due_at=self.due_at,
            is_exempt=bool(self._exemptions.ids),
            is_extended=self._is_extended,
            has_refused_revocation=self._has_refused or bool(self._refused.ids),
            evidence=(*self._evidence, *self._revocations.ids, *self._exemptions.ids),
        )
