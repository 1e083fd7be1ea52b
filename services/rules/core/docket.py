"""The docket: all facts known of one obligation of one agency, and which of its periods a new fact touches.

`services.rules.state.state_store` keeps the facts encoded; a docket is made from them while a fact is processed.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import assert_never

from services.rules.core.facts import (
    Adjustment,
    Exemption,
    Extension,
    Fact,
    FactIdentity,
    Reassignment,
    ReportAcceptance,
    ReportReturn,
    Review,
    Revocation,
    Submission,
    Withdrawal,
    identity,
)

# Touched by facts that are not about one period: an exemption and its revocation.
EVERY_PERIOD = "*"


class Docket:
    """The facts of one plan, agency and obligation. Adding a fact twice changes nothing."""

    __slots__ = ("_adjustments", "_facts", "_needs_whole_docket", "_periods_of", "_records", "_reviews_of")

    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        self._facts: dict[FactIdentity, Fact] = {}
        self._records: dict[str | None, list[Fact]] = {}
        self._adjustments: list[Adjustment] = []
        self._reviews_of: dict[str, list[Review]] = {}
        self._periods_of: dict[str, set[str | None]] = {}
        self._needs_whole_docket = False
        for fact in facts:
            self.add(fact)

    def __iter__(self) -> Iterator[Fact]:
        return iter(self._facts.values())

    def find(self, name: FactIdentity) -> Fact | None:
        """Return the fact of that identity, if it is known."""
        return self._facts.get(name)

    @property
    def periods(self) -> frozenset[str | None]:
        """The periods that any fact is about."""
        return frozenset(chain.from_iterable(map(self._find_touched_periods, self))) - {EVERY_PERIOD}

    @property
    def has_only_reports(self) -> bool:
        """Whether the docket holds reports alone, no two of one id: then each bears on its own period only."""
        return not (self._adjustments or self._reviews_of or self._needs_whole_docket)

    def add(self, fact: Fact) -> frozenset[str | None]:
        """Add *fact* and return the periods it touches (`EVERY_PERIOD` among them); an empty set if it was known.

        The log holds facts in the order of recording, so of one identity with two contents the first recorded is kept.
        """
        if self._facts.setdefault(identity(fact), fact) is not fact:
            return frozenset()
        self._file(fact)
        return self._find_touched_periods(fact)

    def facts_of_record(self, period: str | None) -> Sequence[Fact]:
        """Return the facts whose `record_period` is *period*, in the order in which they were added."""
        return self._records.get(period, ())

    def facts_bearing_on(self, period: str | None, *, carried: Sequence[str] = ()) -> Sequence[Fact]:
        """Return the facts that can bear on one period: assessing these gives the same as assessing the whole docket.

        *carried* are the ids of submissions of another docket that count for the period too, for what reviews them.

        The cost of assessing a report therefore does not grow with the years before it. A withdrawal or reassignment
        names a submission anywhere in the docket; where there is one, or where two submissions have one id, all facts
        are returned. A return or acceptance bears on the period of the submission that it names.
        """
        if self._needs_whole_docket:
            return tuple(self)
        submissions = [one for one in self._records.get(period, ()) if isinstance(one, Submission)]
        named = [*(one.id for one in submissions), *carried]
        reviews = [review for event_id in named for review in self._reviews_of.get(event_id, ())]
        return [*self._adjustments, *reviews, *submissions]

    def _file(self, fact: Fact) -> None:
        self._records.setdefault(record_period(fact), []).append(fact)
        match fact:
            case Submission():
                # Of one id with two sources a review names either, so that both have to be looked at.
                self._needs_whole_docket = self._needs_whole_docket or fact.id in self._periods_of
                self._periods_of.setdefault(fact.id, set()).add(fact.period)
            case ReportReturn() | ReportAcceptance():
                self._reviews_of.setdefault(fact.submission, []).append(fact)
            case Withdrawal() | Extension() | Exemption() | Revocation():
                self._adjustments.append(fact)
                self._needs_whole_docket = self._needs_whole_docket or isinstance(fact, Withdrawal)
            case Reassignment():
                self._adjustments.append(fact)
                self._needs_whole_docket = True
                self._periods_of.setdefault(fact.submission, set()).update((fact.from_period, fact.to_period))
            case _:
                assert_never(fact)

    def _find_touched_periods(self, fact: Fact) -> frozenset[str | None]:
        """Return the periods that *fact*, which is filed, touches.

        Reassignments act in order of receipt, so one that is added later may undo the ones before it: every period in
        which a submission has ever been is touched.
        """
        match fact:
            case Submission():
                return frozenset(self._periods_of[fact.id])
            case Withdrawal():
                return frozenset({fact.period, *self._periods_of.get(fact.withdraws, ())})
            case ReportReturn() | ReportAcceptance():
                return frozenset({fact.period, *self._periods_of.get(fact.submission, ())})
            case Reassignment():
                return frozenset(self._periods_of[fact.submission])
            case Extension():
                return frozenset({fact.period})
            case Exemption() | Revocation():
                return frozenset({EVERY_PERIOD})
            case _:
                assert_never(fact)


def record_period(fact: Fact) -> str | None:
    """Return the period under which *fact* is filed in its docket; None for a fact that is not about one period."""
    match fact:
        case Submission() | Withdrawal() | ReportReturn() | ReportAcceptance() | Extension():
            return fact.period
        case Reassignment():
            return fact.from_period
        case Exemption() | Revocation():
            return None
