"""Decisions that move or lift a due instant: extension, exemption, revocation, each from its own date (ruling 9)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import assert_never

import msgspec

from services.rules.core import calendar
from services.rules.core.duty import Duty
from services.rules.core.facts import Act, Exemption, Extension, Revocation, identity
from services.rules.core.time_offsets import one_period_after


class Relieved(msgspec.Struct, frozen=True, kw_only=True):
    """What the decisions in force at an instant make of the duty."""

    due_at: datetime | None
    is_exempt: bool = False
    is_extended: bool = False
    has_refused_revocation: bool = False
    evidence: tuple[str, ...] = ()


class Reliefs:
    """The decisions about one duty, in the order in which they begin to act."""

    def __init__(self, duty: Duty, acts: Sequence[Act]) -> None:
        self._duty = duty
        self._unmoved = Relieved(due_at=duty.due_at)
        self._exemptions = {identity(one): one for one in acts if isinstance(one, Exemption)}
        kinds = (Extension, Exemption, Revocation)
        decisions = [one for one in acts if isinstance(one, kinds) and self._concerns(one)]
        self._decisions = sorted(
            decisions, key=lambda one: (self.acts_at(one), isinstance(one, Revocation), one.source, one.id)
        )

    def acts_at(self, decision: Extension | Exemption | Revocation) -> datetime:
        """Return the first instant of the day of the decision, from which it acts."""
        return calendar.midnight(decision.decided_on, self._duty.zone)

    def turning_points(self) -> Iterable[datetime]:
        """Yield the instants at which the answer may change."""
        for decision in self._decisions:
            yield self.acts_at(decision)
            match decision:
                case Extension() | Revocation():
                    if decision.due_at is not None:
                        yield decision.due_at
                case Exemption() if self._duty.due_at is None:
                    yield from (decision.from_, decision.until)

    def at(self, instant: datetime) -> Relieved:
        """Return what the decisions in force at *instant* make of the duty."""
        if not self._decisions:
            return self._unmoved
        fold = _Fold(due_at=self._duty.due_at, instant=instant)
        for decision in self._decisions:
            if self.acts_at(decision) > instant:
                break
            match decision:
                case Extension():
                    fold.extend(decision)
                case Exemption():
                    fold.lifted[identity(decision)] = decision
                case Revocation():
                    fold.revoke(decision, self._target(decision), is_fair=self._is_fair(decision))
                case _:
                    assert_never(decision)
        return fold.relieved()

    def _concerns(self, decision: Extension | Exemption | Revocation) -> bool:
        """Whether the decision may bear on the duty; which due instants an exemption releases is seen as it acts.

        A revocation reopens nothing from before the period that it interrupts: a year served exempt stays so.
        """
        match decision:
            case Extension():
                return decision.period == self._duty.key.period
            case Revocation() if self._duty.due_at is not None:
                return self.acts_at(decision) < one_period_after(self._duty.due_at, self._duty)
            case _:
                return True

    def _target(self, revocation: Revocation) -> Exemption | None:
        same = self._exemptions.get((revocation.source, revocation.exemption))
        return same or next((one for one in self._exemptions.values() if one.id == revocation.exemption), None)

    def _is_fair(self, revocation: Revocation) -> bool:
        """Whether the revocation leaves a due instant still to come, both when it acts and when it is received."""
        return revocation.due_at is not None and revocation.due_at > max(
            self.acts_at(revocation), revocation.received_at
        )


@dataclass(slots=True, kw_only=True)
class _Fold:
    """The decisions applied so far."""

    due_at: datetime | None
    instant: datetime
    lifted: dict[tuple[str, str], Exemption] = field(default_factory=dict)
    evidence: list[str] = field(default_factory=list)
    is_extended: bool = False
    has_refused_revocation: bool = False

    def extend(self, extension: Extension) -> None:
        """Move the due instant on; an extension never moves it back, for nobody is made late by one."""
        if self.due_at is not None and extension.due_at > self.due_at:
            self.due_at, self.is_extended = extension.due_at, True
            self.evidence.append(extension.id)

    def revoke(self, revocation: Revocation, target: Exemption | None, *, is_fair: bool) -> None:
        """End the exemption and set the new due instant, or refuse a revocation that leaves no time.

        It makes nothing due earlier than the plan does, and no undated duty due at all.
        """
        if target is None or identity(target) not in self.lifted:
            return
        was_released = self.releases(target)
        if was_released:
            self.evidence.append(revocation.id)
        if not is_fair:
            self.has_refused_revocation = self.has_refused_revocation or was_released
            return
        del self.lifted[identity(target)]
        if was_released and self.due_at is not None and revocation.due_at is not None:
            self.due_at = max(self.due_at, revocation.due_at)

    def releases(self, exemption: Exemption) -> bool:
        """Whether the due instant falls inside the exemption; an undated duty is released while it lasts."""
        telling = self.instant if self.due_at is None else self.due_at
        return exemption.from_ <= telling < exemption.until

    def relieved(self) -> Relieved:
        """Return the sum of the decisions."""
        releasing = [one.id for one in self.lifted.values() if self.releases(one)]
        return Relieved(
            due_at=self.due_at,
            is_exempt=bool(releasing),
            is_extended=self.is_extended,
            has_refused_revocation=self.has_refused_revocation,
            evidence=tuple(self.evidence + releasing),
        )
