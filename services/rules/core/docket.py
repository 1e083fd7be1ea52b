"""The docket: all facts known of one obligation of one agency, and which duties a new fact touches."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import assert_never

from services.rules.core.facts import (
    Exemption,
    Extension,
    Fact,
    Reassignment,
    Revocation,
    Submission,
    Withdrawal,
    identity,
)

EVERY_PERIOD = "*"
"""Touched by facts that are not about one period: an exemption and its revocation."""


class Docket:
    """The facts of one (plan, agency, obligation). Adding one twice changes nothing."""

    __slots__ = ("_facts", "_periods", "_periods_of")

    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        self._facts: dict[tuple[str, str], Fact] = {}
        self._periods: set[str | None] = set()
        self._periods_of: dict[str, frozenset[str | None]] = {}
        for fact in facts:
            self.add(fact)

    def __iter__(self) -> Iterator[Fact]:
        return iter(self._facts.values())

    def __len__(self) -> int:
        return len(self._facts)

    @property
    def periods(self) -> frozenset[str | None]:
        """The periods that any fact is about."""
        return frozenset(self._periods)

    def add(self, fact: Fact) -> frozenset[str | None]:
        """Take *fact* in and return the periods it touches (`EVERY_PERIOD` among them); nothing if it was known.

        The log holds facts in the order of recording, so of one identity with two contents the first recorded is kept.
        """
        name = identity(fact)
        if name in self._facts:
            return frozenset()
        self._facts[name] = fact
        touched = self._touched(fact)
        self._periods.update(touched)
        self._periods.discard(EVERY_PERIOD)
        return touched

    def _touched(self, fact: Fact) -> frozenset[str | None]:
        match fact:
            case Submission():
                return self._places(fact.id, fact.period)
            case Withdrawal():
                return frozenset({fact.period, *self._periods_of.get(fact.withdraws, ())})
            case Reassignment():
                return self._places(fact.submission, fact.from_period, fact.to_period)
            case Extension():
                return frozenset({fact.period})
            case Exemption() | Revocation():
                return frozenset({EVERY_PERIOD})
            case _:
                assert_never(fact)

    def _places(self, event_id: str, *periods: str | None) -> frozenset[str | None]:
        """Note the *periods* of a submission and return all it may belong to, for a move acts in order of receipt."""
        places = _places(*periods)
        known = places | self._periods_of[event_id] if event_id in self._periods_of else places
        self._periods_of[event_id] = known
        return known


@lru_cache(maxsize=4096)  # nearly every submission is about one of a few periods: they share one set each
def _places(*periods: str | None) -> frozenset[str | None]:
    return frozenset(periods)
