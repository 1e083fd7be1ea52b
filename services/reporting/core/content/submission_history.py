"""What a submission corrects, and what was done about it since: corrected, withdrawn, moved, returned, accepted.

Facts name a submission by its id alone. Which one is meant is decided as rules decides it: one of the same source
first, else the first of any source. A correction corrects a submission of its own period.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.reporting.core.timeline import EventIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class DocketFact:
    """A fact of a docket: what it is, when it was received, and the id of the submission that it names, if any.

    `to_period` is the period to which a reassignment moves that submission; `from_period` is where it was.
    """

    identity: EventIdentity
    type: str
    receiptid: str
    received_at: datetime
    recorded_at: datetime
    period: str | None = None
    is_submission: bool = False
    is_reassignment: bool = False
    names: str | None = None
    from_period: str | None = None
    to_period: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionHistory:
    """The history of one submission. `period` is the one that it counts for, after reassignments."""

    period: str | None
    corrects: DocketFact | None
    corrected_by: tuple[DocketFact, ...]
    acts: tuple[DocketFact, ...]


def trace_submission(identity: EventIdentity, docket: Iterable[DocketFact]) -> SubmissionHistory:
    """Return the history of the submission with that *identity* from the facts of its docket, in any order.

    Raises `KeyError` if it is not among them.
    """
    facts = _list_once(docket)
    by_id: dict[str, list[DocketFact]] = {}
    for one in facts:
        if one.is_submission:
            by_id.setdefault(one.identity[1], []).append(one)
    targets = {one.identity: _find_named(one, by_id) for one in facts if not one.is_submission}
    periods = _find_periods(facts, targets)
    # A correction stands alone where what it names is about another period (ruling 13).
    targets |= {one.identity: _find_named(one, by_id, periods) for one in facts if one.is_submission}
    naming = [one for one in facts if (target := targets[one.identity]) is not None and target.identity == identity]
    return SubmissionHistory(
        period=periods[identity],
        corrects=targets[identity],
        corrected_by=tuple(one for one in naming if one.is_submission),
        acts=tuple(one for one in naming if not one.is_submission),
    )


def _list_once(docket: Iterable[DocketFact]) -> list[DocketFact]:
    """Return the facts in order of receipt, each identity once: the first recorded counts."""
    first: dict[EventIdentity, DocketFact] = {}
    for one in sorted(docket, key=lambda fact: (fact.recorded_at, fact.received_at, fact.receiptid)):
        first.setdefault(one.identity, one)
    return sorted(first.values(), key=lambda fact: (fact.received_at, fact.recorded_at, fact.identity))


def _find_periods(
    facts: Iterable[DocketFact], targets: Mapping[EventIdentity, DocketFact | None]
) -> dict[EventIdentity, str | None]:
    """Return the period of each submission after the reassignments, which act in order of receipt."""
    periods = {one.identity: one.period for one in facts if one.is_submission}
    for act in facts:
        target = targets.get(act.identity)
        # A reassignment from a period in which the submission is not at that point moves nothing.
        if target is not None and act.is_reassignment and periods[target.identity] == act.from_period:
            periods[target.identity] = act.to_period
    return periods


def _find_named(
    fact: DocketFact,
    by_id: Mapping[str, Sequence[DocketFact]],
    periods: Mapping[EventIdentity, str | None] | None = None,
) -> DocketFact | None:
    """Return the submission that *fact* names, with *periods* one of its own period."""
    named = [
        one
        for one in by_id.get(fact.names or "", ())
        if one is not fact and (periods is None or periods[one.identity] == periods[fact.identity])
    ]
    return next((one for one in named if one.identity[0] == fact.identity[0]), next(iter(named), None))
