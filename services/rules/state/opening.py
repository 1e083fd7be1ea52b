"""Decides how a partition is opened, from what was restored and what the log holds: go on, rebuild, or read again.

A *rebuild* drops the state and reads the log from its beginning, because the log knows everything that the state did.
*Reading again* keeps the state, because it knows what the log has lost: what is known changes nothing, what is new is
added. In both, a verdict that was published before is not published again, so nobody sees an earlier verdict as the
newer one, and the state topic is not written before the end is reached: who is killed on the way begins anew.
"""

from dataclasses import dataclass
from enum import StrEnum

from services.rules.state.state_store import StateCoverage, current_layout
from services.runtime.kafka import log_coverage
from services.runtime.kafka.log_coverage import Agreement, LogState


class StateFinding(StrEnum):
    """What the comparison of a restored state with its log found. The value is the label of a metric."""

    INTACT = "intact"
    NEW = "new"  # neither a state nor a committed offset: the first start
    STATE_LOST = "state_lost"  # there is no coverage record, though the log was read or there are state records
    STATE_BEHIND = "state_behind"  # the group has read, or verdicts follow from, more than the state: it is older
    STATE_DAMAGED = "state_damaged"  # the state records are not those that the coverage record counted
    LAYOUT_CHANGED = "layout_changed"  # another release wrote the state records
    VERDICTS_LOST = "verdicts_lost"  # the verdicts end before those that were published from this state
    LOG_SHORTER = "log_shorter"  # the log ends before the records that the state contains
    LOG_REPLACED = "log_replaced"  # other records have the offsets of those that the state contains


LOG_FINDINGS = (StateFinding.LOG_SHORTER, StateFinding.LOG_REPLACED)
REBUILD_FINDINGS = tuple(
    one for one in StateFinding if one not in {StateFinding.INTACT, StateFinding.NEW, *LOG_FINDINGS}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoredState:
    """What a partition of the state topic holds: its coverage record, the number and the digest of the others."""

    coverage: StateCoverage | None
    records: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How a partition is opened.

    It reads on at `next_offset`, with the restored state if `keeps_state`, else with an empty one. Below
    `reread_until` it may meet what was processed before. `begins_generation` says that revisions have to be greater
    than all of before: the offsets are those of another log, or facts are lost that earlier verdicts rested on.
    """

    finding: StateFinding
    next_offset: int
    reread_until: int
    keeps_state: bool = True
    begins_generation: bool = False


def decide_opening(
    restored: RestoredState, log: LogState, *, verdicts_end: int, has_later_verdicts: bool = False
) -> Opening:
    """Return how to open a partition whose state topic holds *restored* and whose verdicts end at *verdicts_end*.

    *has_later_verdicts*: some follow from facts that the state does not contain.
    """
    coverage, fault = restored.coverage, _find_fault(restored)
    judgement = log_coverage.judge(None if coverage is None else coverage.of_log, log)
    if judgement.agreement.is_of_log:
        return Opening(
            finding=StateFinding(judgement.agreement.value),
            next_offset=judgement.next_offset,
            reread_until=log.end,
            keeps_state=fault is None,
            begins_generation=True,
        )
    if judgement.agreement is Agreement.NEW and not restored.records:
        return Opening(finding=StateFinding.NEW, next_offset=log.beginning, reread_until=log.end)
    if coverage is None or fault is not None:
        return _rebuild(fault or StateFinding.STATE_LOST, log)
    if verdicts_end < coverage.verdicts_end:
        return _publish_again(coverage.next_offset, log, is_first_log=coverage.generation == 0)
    if judgement.agreement is Agreement.STATE_BEHIND or has_later_verdicts:
        return Opening(finding=StateFinding.STATE_BEHIND, next_offset=coverage.next_offset, reread_until=log.end)
    return Opening(finding=StateFinding.INTACT, next_offset=coverage.next_offset, reread_until=coverage.next_offset)


def _find_fault(restored: RestoredState) -> StateFinding | None:
    """Return why the state records cannot be used as they are; None if they are sound."""
    coverage = restored.coverage
    if coverage is None:
        return StateFinding.STATE_LOST
    if coverage.layout != current_layout():
        return StateFinding.LAYOUT_CHANGED
    if (coverage.records, coverage.digest) != (restored.records, restored.digest):
        return StateFinding.STATE_DAMAGED
    return None


def _rebuild(finding: StateFinding, log: LogState) -> Opening:
    return Opening(finding=finding, next_offset=log.beginning, reread_until=log.end, keeps_state=False)


def _publish_again(next_offset: int, log: LogState, *, is_first_log: bool) -> Opening:
    """Return how lost verdicts are replaced: all of them from the log, or only the last ones from the state.

    A partition that has had another log before cannot tell its history again: only the state knows those facts.
    """
    if is_first_log:
        return _rebuild(StateFinding.VERDICTS_LOST, log)
    return Opening(
        finding=StateFinding.VERDICTS_LOST, next_offset=next_offset, reread_until=next_offset, begins_generation=True
    )
