"""The facts that bear on a duty, as the core sees them, and the docket: all facts of one obligation of one agency.

`services.rules.fact_decoder` reads facts from the wire. `services.rules.state.state_store` keeps them encoded; a docket
is made from them while a fact is processed.

Whatever the core creates for every fact is a frozen msgspec struct rather than a frozen dataclass: it reads, compares
and matches the same, and is created in an eighth of the time. With `gc=False` the garbage collector does not track
them, which is safe because they form no reference cycles.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from typing import Generic, TypeVar, assert_never

import msgspec

# Source and id: two records with the same identity are the same fact.
FactIdentity = tuple[str, str]

# The proof of dispatch of a report that states none.
NO_PROOF = "none"

# Touched by facts that are not about one period: an exemption and its revocation.
EVERY_PERIOD = "*"


class RecordedFact(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What every fact has: its identity (`source`, `id`), its docket, when it was received and when recorded.

    `agency` is the agency whose duty it is, as the sender wrote it; the duty catalogue resolves aliases.
    """

    id: str
    source: str
    plan: str
    obligation: str
    agency: str
    received_at: datetime
    recorded_at: datetime


class FiledAttachment(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A file that came with a report."""

    media_type: str = ""
    sha256: str = ""


class ReportContent(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What a submission contains, as far as completeness asks for it."""

    number: str = ""
    issued_on: date | None = None
    signed_by: str = ""
    is_nil_return: bool = False
    sections: Mapping[str, str] = {}
    indicators: Mapping[str, Decimal] = {}
    attachments: tuple[FiledAttachment, ...] = ()
    parts: tuple[str, ...] = ()  # the agencies whose reports it consolidates, as the sender wrote them


class Submission(RecordedFact, frozen=True, kw_only=True, gc=False):
    """A report, or the correction of an earlier one; `filed_by` differs from `agency` where a successor files.

    `is_proof_permitted` tells whether the sender's key may state the `proof` of dispatch, and `has_proof_reference`
    whether the report says where to look the proof up (ruling 12). Records of the state topic from before that ruling
    lack both.
    """

    period: str | None = None
    filed_by: str
    corrects: str | None = None
    sent_at: datetime | None = None
    proof: str = NO_PROOF
    report: ReportContent
    is_proof_permitted: bool = True
    has_proof_reference: bool = True


class Withdrawal(RecordedFact, frozen=True, kw_only=True, gc=False):
    """A report was withdrawn."""

    period: str | None = None
    withdraws: str


class Reassignment(RecordedFact, frozen=True, kw_only=True, gc=False):
    """A report was moved from one period to another."""

    submission: str
    from_period: str | None = None
    to_period: str | None = None


class ReportReturn(RecordedFact, frozen=True, kw_only=True, gc=False):
    """The recipient returned a submission for correction, before `respond_by` where that is given (ruling 14)."""

    period: str | None = None
    submission: str
    reason: str = ""
    respond_by: datetime | None = None


class ReportAcceptance(RecordedFact, frozen=True, kw_only=True, gc=False):
    """The recipient accepted a submission as it is."""

    period: str | None = None
    submission: str


class Extension(RecordedFact, frozen=True, kw_only=True, gc=False):
    """A decision set a new due instant; `decision` is the number of its document."""

    period: str | None = None
    due_at: datetime
    decided_on: date
    decision: str = ""
    reason: str = ""


class Exemption(RecordedFact, frozen=True, kw_only=True, gc=False):
    """A decision released the agency from the duties whose due instant falls in [from_, until)."""

    from_: datetime
    until: datetime
    decided_on: date
    decision: str = ""
    reason: str = ""


class Revocation(RecordedFact, frozen=True, kw_only=True, gc=False):
    """A decision revoked an exemption; `due_at` is the instant before which the report is owed again."""

    exemption: str
    due_at: datetime | None = None
    decided_on: date


# The recipient's answer to a submission.
Review = ReportReturn | ReportAcceptance

# What an authority decides about a duty; unlike a report it concerns the duties of one plan alone.
Decision = Extension | Exemption | Revocation

# A fact that changes what submissions count for or when the duty is due.
Adjustment = Withdrawal | Reassignment | Review | Decision

Fact = Submission | Adjustment

NamedFact = TypeVar("NamedFact", Submission, Exemption)


def identity(fact: Fact) -> FactIdentity:
    """Return what makes two records the same fact."""
    return fact.source, fact.id


class FactIndex(Generic[NamedFact]):
    """Facts of one kind by the id that another fact names them by, for example a withdrawal."""

    __slots__ = ("_by_id", "_by_identity")

    def __init__(self, facts: Iterable[NamedFact]) -> None:
        self._by_identity: dict[FactIdentity, NamedFact] = {}
        self._by_id: dict[str, NamedFact] = {}
        for one in facts:
            self._by_identity[identity(one)] = one
            self._by_id.setdefault(one.id, one)

    def find(self, event_id: str, source: str) -> NamedFact | None:
        """Return the fact that *event_id* names, one of the same *source* first: ids are unique only within one.

        Of several that other sources sent, the first is returned.
        """
        return self._by_identity.get((source, event_id)) or self._by_id.get(event_id)


def arrival_order(fact: Fact) -> tuple[datetime, datetime, str, str]:
    """Return the sort key of facts: by receipt, then by identity, never by the order in which they were read."""
    return fact.received_at, fact.recorded_at, fact.source, fact.id


def has_same_content(one: Fact, other: Fact) -> bool:
    """Whether two facts of one identity say the same, whenever they were received and recorded.

    What rules does not read, such as the title of a document, is not compared: it changes no assessment.
    """
    return type(one) is type(other) and one == msgspec.structs.replace(
        other, received_at=one.received_at, recorded_at=one.recorded_at
    )


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
            case Withdrawal(withdraws=named) | ReportReturn(submission=named) | ReportAcceptance(submission=named):
                return frozenset({fact.period, *self._periods_of.get(named, ())})
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
