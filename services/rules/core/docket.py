"""The docket: all facts known of one obligation of one agency, and which of its periods a new fact touches.

The docket keeps facts in memory; `services.rules.state_store` writes them to the log and reads them back.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
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

    __slots__ = (
        "_adjustments",
        "_by_period",
        "_facts",
        "_needs_whole_docket",
        "_periods",
        "_periods_of",
        "_reviews_of",
    )

    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        self._facts: dict[FactIdentity, Fact] = {}
        self._by_period: dict[str | None, list[Fact]] = {}
        self._adjustments: list[Adjustment] = []
        self._reviews_of: dict[str, list[Review]] = {}
        self._needs_whole_docket = False
        self._periods: set[str | None] = set()
        self._periods_of: dict[str, frozenset[str | None]] = {}
        for fact in facts:
            self.add(fact)

    def __iter__(self) -> Iterator[Fact]:
        return iter(self._facts.values())

    def __len__(self) -> int:
        return len(self._facts)

    def find(self, name: FactIdentity) -> Fact | None:
        """Return the fact of that identity, if it is known."""
        return self._facts.get(name)

    @property
    def periods(self) -> frozenset[str | None]:
        """The periods that any fact is about."""
        return frozenset(self._periods)

    def add(self, fact: Fact) -> frozenset[str | None]:
        """Add *fact* and return the periods it touches (`EVERY_PERIOD` among them); an empty set if it was known.

        The log holds facts in the order of recording, so of one identity with two contents the first recorded is kept.
        """
        name = identity(fact)
        if name in self._facts:
            return frozenset()
        self._facts[name] = fact
        self._file_under_period(fact)
        touched = self._find_touched_periods(fact)
        self._periods.update(touched)
        self._periods.discard(EVERY_PERIOD)
        return touched

    def facts_of_record(self, period: str | None) -> Sequence[Fact]:
        """Return the facts whose `record_period` is *period*, in the order in which they were added."""
        return self._by_period.get(period, ())

    def facts_bearing_on(self, period: str | None, *, carried: Sequence[str] = ()) -> Sequence[Fact]:
        """Return the facts that can bear on one period: assessing these gives the same as assessing the whole docket.

        *carried* are the ids of submissions of another docket that count for the period too, for what reviews them.

        The cost of assessing a report therefore does not grow with the years before it. A withdrawal or reassignment
        names a submission anywhere in the docket; where there is one, or where two submissions have one id, all facts
        are returned. A return or acceptance bears on the period of the submission that it names.
        """
        if self._needs_whole_docket:
            return tuple(self._facts.values())
        filed = self._by_period.get(period, ())
        if not self._adjustments and not self._reviews_of:
            return filed
        submissions = [one for one in filed if isinstance(one, Submission)]
        named = [*(one.id for one in submissions), *carried]
        reviews = [review for event_id in named for review in self._reviews_of.get(event_id, ())]
        return [*self._adjustments, *reviews, *submissions]

    def _file_under_period(self, fact: Fact) -> None:
        period = record_period(fact)
        filed = self._by_period.get(period)
        if filed is None:
            self._by_period[period] = [fact]
        else:
            filed.append(fact)
        match fact:
            case Submission():
                # Of one id with two sources a review names either, so that both have to be looked at.
                self._needs_whole_docket = self._needs_whole_docket or fact.id in self._periods_of
            case ReportReturn() | ReportAcceptance():
                self._reviews_of.setdefault(fact.submission, []).append(fact)
            case _:
                self._adjustments.append(fact)
                self._needs_whole_docket = self._needs_whole_docket or isinstance(fact, Withdrawal | Reassignment)

    def _find_touched_periods(self, fact: Fact) -> frozenset[str | None]:
        match fact:
            case Submission():
                return self._note_periods(fact.id, fact.period)
            case Withdrawal():
                return frozenset({fact.period, *self._periods_of.get(fact.withdraws, ())})
            case ReportReturn() | ReportAcceptance():
                return frozenset({fact.period, *self._periods_of.get(fact.submission, ())})
            case Reassignment():
                return self._note_periods(fact.submission, fact.from_period, fact.to_period)
            case Extension():
                return frozenset({fact.period})
            case Exemption() | Revocation():
                return frozenset({EVERY_PERIOD})
            case _:
                assert_never(fact)

    def _note_periods(self, event_id: str, *periods: str | None) -> frozenset[str | None]:
        """Note the *periods* of a submission and return all it may belong to.

        Reassignments act in order of receipt, so one that is added later may undo the ones before it: every period in
        which the submission has ever been is touched.
        """
        noted = _share_set(*periods)
        known = noted | self._periods_of[event_id] if event_id in self._periods_of else noted
        self._periods_of[event_id] = known
        return known


def record_period(fact: Fact) -> str | None:
    """Return the period under which *fact* is filed in its docket; None for a fact that is not about one period."""
    match fact:
        case Submission() | Withdrawal() | ReportReturn() | ReportAcceptance() | Extension():
            return fact.period
        case Reassignment():
            return fact.from_period
        case Exemption() | Revocation():
            return None


@lru_cache(maxsize=4096)  # nearly every submission is about one of a few periods: they share one set each
def _share_set(*periods: str | None) -> frozenset[str | None]:
    return frozenset(periods)
