"""Checkpoints: what a database says about each partition that it was filled from, and whether that is enough to answer.

A checkpoint lies in the same database as the state that it speaks of. It is written after the state, so it never claims
more than the database holds. This module decides; `services/runtime/state/mongo_checkpoints.py` stores, and
`services/runtime/state/state_consumer.py` reads the log accordingly.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from aiokafka import TopicPartition

from services.runtime.kafka import log_coverage
from services.runtime.kafka.log_coverage import Agreement, Coverage, FingerprintedRecord, LogState

# MongoDB stores milliseconds, so this is the smallest step by which one instant can follow another there.
TICK = timedelta(milliseconds=1)


class CheckpointsUnavailableError(Exception):
    """The database that holds the checkpoints does not answer. Try again when it is back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """How far a state has read a partition.

    The state was found to lack something at `begun_at`, and is complete again once it has read up to `must_reach`.
    """

    coverage: Coverage
    must_reach: int
    begun_at: datetime

    @property
    def is_complete(self) -> bool:
        """Whether the state has read as far as it must before anybody may rely on it."""
        return self.coverage.next_offset >= self.must_reach

    def is_older_than(self, other: "Checkpoint") -> bool:
        """Whether this is from before *other*: an older copy of the database was put back."""
        return (self.begun_at, self.coverage.next_offset) < (other.begun_at, other.coverage.next_offset)

    def advance(self, record: FingerprintedRecord, *, next_offset: int) -> "Checkpoint":
        """Return the checkpoint of the state that contains everything up to *record*, its last record."""
        return replace(self, coverage=log_coverage.cover_up_to(record, next_offset=next_offset))

    def skip_to(self, next_offset: int) -> "Checkpoint":
        """Return the checkpoint at *next_offset*, where only markers of transactions lie in between."""
        return replace(self, coverage=replace(self.coverage, next_offset=next_offset))


class CheckpointStore(Protocol):
    """Where checkpoints are stored. Every method raises `CheckpointsUnavailableError` where trying again may help."""

    async def load(self, topic: str) -> Mapping[TopicPartition, Checkpoint]:
        """Return the checkpoints of *topic*; none for a partition whose state is gone or was restored from a dump."""

    async def begin(self, begun: Mapping[TopicPartition, Checkpoint], *, was_known: bool) -> None:
        """Make the state ready to be filled, and write *begun* in place of whatever is there.

        *was_known* says that this process knew the state before it was lost.
        """

    async def advance(self, steps: Mapping[TopicPartition, tuple[Checkpoint, Checkpoint]]) -> bool:
        """Replace each first checkpoint by the second; return False if the database held another one than the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingPlan:
    """From which checkpoint a partition is read on, and what the comparison with the log showed.

    `is_committed` says whether the group has committed the same offset. If not, it has to: what lies between would show
    as unread, although nobody will read it, or as read, although it will be read again.
    """

    agreement: Agreement
    checkpoint: Checkpoint
    is_begun_anew: bool
    is_committed: bool


def plan_reading(
    stored: Checkpoint | None, log: LogState, *, last: Checkpoint | None, now: datetime, must_reach_end: bool
) -> ReadingPlan:
    """Decide from where a partition is read on. *last* is the newest checkpoint that this process has seen of it.

    A state that lacks something, or every one if *must_reach_end*, has to reach the end that the log has now. Until
    then it answers nothing, even if its process dies meanwhile or the committed offset is lost.
    """
    judged = log_coverage.judge(stored.coverage if stored else None, log)
    agreement = judged.agreement
    if agreement is Agreement.INTACT and stored is not None:
        if last is not None and stored.is_older_than(last):
            # The committed offset is no newer than the state, and still this process has seen a newer state: both the
            # database and the offset were set back.
            agreement = Agreement.STATE_BEHIND
        elif not must_reach_end or max(stored.coverage.next_offset, stored.must_reach) >= log.end:
            return ReadingPlan(
                agreement=agreement,
                checkpoint=stored,
                is_begun_anew=False,
                is_committed=log.committed == stored.coverage.next_offset,
            )
    if agreement is Agreement.NEW and last is not None:
        agreement = Agreement.STATE_LOST  # lost before anything was committed
    coverage = Coverage(next_offset=judged.next_offset)
    if stored is not None and not agreement.is_of_log:
        coverage = stored.coverage
    # Later than whatever is known: else the processes that know it would take the new checkpoint for an older copy.
    begun_at = max([now, *(one.begun_at + TICK for one in (stored, last) if one is not None)])
    begun = Checkpoint(coverage=coverage, must_reach=log.end, begun_at=begun_at)
    is_committed = log.committed == coverage.next_offset
    return ReadingPlan(agreement=agreement, checkpoint=begun, is_begun_anew=True, is_committed=is_committed)


class CompletenessMonitor:
    """Tells whether a state is complete, and remembers the newest checkpoint of each partition.

    A database that shows an older checkpoint than before was set back, and is not believed until its owner has judged
    it again. Nothing is complete before `require` was called.
    """

    def __init__(self, partitions: Iterable[TopicPartition]) -> None:
        self._newest: dict[TopicPartition, Checkpoint | None] = dict.fromkeys(partitions)
        self._is_compared = False

    @property
    def partitions(self) -> tuple[TopicPartition, ...]:
        """All partitions, whichever process owns them."""
        return tuple(self._newest)

    def require(self, least: Mapping[TopicPartition, Checkpoint]) -> None:
        """Take every state for lacking that is older than its checkpoint in *least*."""
        self._is_compared = True
        self.remember(least)

    def remember(self, found: Mapping[TopicPartition, Checkpoint]) -> None:
        """Take note of checkpoints that the database has or had."""
        for place, one in found.items():
            known = self._newest.get(place)
            if known is None or known.is_older_than(one):
                self._newest[place] = one

    def list_least(self) -> Mapping[TopicPartition, Checkpoint | None]:
        """Return the oldest checkpoint of each partition that whoever reads the database from now on may believe.

        Ask before reading: a checkpoint that is written meanwhile would make the answer look like an older copy.
        """
        return dict(self._newest) if self._is_compared else {}

    def find_incomplete(
        self,
        stored: Mapping[TopicPartition, Checkpoint],
        least: Mapping[TopicPartition, Checkpoint | None],
    ) -> list[TopicPartition]:
        """Return the partitions of which *stored* lacks something; *least* was asked for before it was read."""
        return [place for place in self._newest if not _is_believed(stored.get(place), least, place)]


def _is_believed(
    found: Checkpoint | None, least: Mapping[TopicPartition, Checkpoint | None], place: TopicPartition
) -> bool:
    if found is None or place not in least:
        return False
    oldest = least[place]
    return found.is_complete and (oldest is None or not found.is_older_than(oldest))


def find_least(stored: Checkpoint | None, log: LogState, *, must_reach_end: bool) -> Checkpoint:
    """Return the oldest checkpoint that a process may believe, which compares a state with its log when it starts.

    An older one lacks something, whoever owns the partition. Its owner begins anew, or reads up to there.
    """
    return Checkpoint(
        coverage=Coverage(next_offset=log.end if must_reach_end else log.committed or 0),
        must_reach=0,
        begun_at=datetime.min.replace(tzinfo=UTC) if stored is None else stored.begun_at,
    )
