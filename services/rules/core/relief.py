"""Decisions that move or lift a due instant: extension, exemption and revocation, each from its own date (ruling 9)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import assert_never

import msgspec

from services.rules.core import calendar
from services.rules.core.duty import Duty
from services.rules.core.facts import Adjustment, Exemption, Extension, FactIdentity, Revocation, identity


class ReliefState(msgspec.Struct, frozen=True, kw_only=True):
    """What the decisions in force at one instant make of the duty."""

    due_at: datetime | None
    is_exempt: bool = False
    is_extended: bool = False
    has_refused_revocation: bool = False
    evidence: tuple[str, ...] = ()


class ReliefDecisions:
    """The decisions about one duty, in the order in which they take effect."""

    def __init__(self, duty: Duty, adjustments: Sequence[Adjustment]) -> None:
        self._duty = duty
        self._without_decisions = ReliefState(due_at=duty.due_at)
        self._exemptions = {identity(one): one for one in adjustments if isinstance(one, Exemption)}
        kinds = (Extension, Exemption, Revocation)
        decisions = [one for one in adjustments if isinstance(one, kinds) and self._may_apply(one)]
        # Of decisions of one day a revocation takes effect last, so that it finds the exemption that it revokes.
        self._decisions = sorted(
            decisions, key=lambda one: (self.takes_effect_at(one), isinstance(one, Revocation), one.source, one.id)
        )

    def takes_effect_at(self, decision: Extension | Exemption | Revocation) -> datetime:
        """Return the first instant of the decision's day in the plan's zone: a decision carries a date, no hour."""
        return calendar.midnight(decision.decided_on, self._duty.zone)

    def change_points(self) -> Iterable[datetime]:
        """Yield the instants at which `state_at` may change."""
        for decision in self._decisions:
            yield self.takes_effect_at(decision)
            match decision:
                case Extension() | Revocation():
                    if decision.due_at is not None:
                        yield decision.due_at
                case Exemption() if self._duty.due_at is None:
                    yield from (decision.from_, decision.until)

    def state_at(self, instant: datetime) -> ReliefState:
        """Return what the decisions in force at *instant* make of the duty."""
        if not self._decisions:
            return self._without_decisions
        fold = _DecisionFold(due_at=self._duty.due_at, instant=instant)
        for decision in self._decisions:
            if self.takes_effect_at(decision) > instant:
                break
            match decision:
                case Extension():
                    fold.apply_extension(decision)
                case Exemption():
                    fold.exemptions[identity(decision)] = decision
                case Revocation():
                    fold.apply_revocation(
                        decision, self._find_exemption(decision), leaves_time=self._leaves_time_to_report(decision)
                    )
                case _:
                    assert_never(decision)
        return fold.build_state()

    def _may_apply(self, decision: Extension | Exemption | Revocation) -> bool:
        """Whether the decision may bear on the duty; which due instants an exemption releases is decided in the fold.

        A revocation reopens no duty whose next period has fallen due by then: a year served exempt stays exempt.
        """
        match decision:
            case Extension():
                return decision.period == self._duty.key.period
            case Revocation() if self._duty.due_at is not None:
                return self.takes_effect_at(decision) < calendar.one_period_after(self._duty.due_at, self._duty)
            case _:
                return True

    def _find_exemption(self, revocation: Revocation) -> Exemption | None:
        """Return the exemption that *revocation* names, one of its own source first: ids are unique only within one."""
        same = self._exemptions.get((revocation.source, revocation.exemption))
        return same or next((one for one in self._exemptions.values() if one.id == revocation.exemption), None)

    def _leaves_time_to_report(self, revocation: Revocation) -> bool:
        """Whether its due instant is still to come both when it takes effect and when it is received (ruling 9)."""
        return revocation.due_at is not None and revocation.due_at > max(
            self.takes_effect_at(revocation), revocation.received_at
        )


@dataclass(slots=True, kw_only=True)
class _DecisionFold:
    """The decisions applied so far, as of `instant`."""

    due_at: datetime | None
    instant: datetime
    exemptions: dict[FactIdentity, Exemption] = field(default_factory=dict)
    evidence: list[str] = field(default_factory=list)
    is_extended: bool = False
    has_refused_revocation: bool = False

    def apply_extension(self, extension: Extension) -> None:
        """Move the due instant on; an extension never moves it back, because nobody is made late by one."""
        if self.due_at is not None and extension.due_at > self.due_at:
            self.due_at, self.is_extended = extension.due_at, True
            self.evidence.append(extension.id)

    def apply_revocation(self, revocation: Revocation, exemption: Exemption | None, *, leaves_time: bool) -> None:
        """End the exemption and set the new due instant, or refuse a revocation that leaves no time to report.

        A revocation makes nothing due earlier than the plan does, and no undated duty due at all.
        """
        if exemption is None or identity(exemption) not in self.exemptions:
            return
        was_released = self.is_released_by(exemption)
        if was_released:
            self.evidence.append(revocation.id)
        if not leaves_time:
            self.has_refused_revocation = self.has_refused_revocation or was_released
            return
        del self.exemptions[identity(exemption)]
        if was_released and self.due_at is not None and revocation.due_at is not None:
            self.due_at = max(self.due_at, revocation.due_at)

    def is_released_by(self, exemption: Exemption) -> bool:
        """Whether the due instant falls inside the exemption; an undated duty is released while it lasts."""
        deciding = self.instant if self.due_at is None else self.due_at
        return exemption.from_ <= deciding < exemption.until

    def build_state(self) -> ReliefState:
        """Return the result of all decisions applied."""
        releasing = [one.id for one in self.exemptions.values() if self.is_released_by(one)]
        return ReliefState(
            due_at=self.due_at,
            is_exempt=bool(releasing),
            is_extended=self.is_extended,
            has_refused_revocation=self.has_refused_revocation,
            evidence=tuple(self.evidence + releasing),
        )
