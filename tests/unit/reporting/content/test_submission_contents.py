"""The content of a submission is read once, as far as there is room, and never before it was known."""

import json
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from services.reporting.content import submission_contents
from services.reporting.content.submission_contents import SubmissionContents
from services.reporting.core.timeline import EventIdentity
from services.reporting.store import StateIncompleteError
from services.reporting.stored_documents import StoredFact

NOON = datetime(2026, 12, 1, 5, tzinfo=UTC)
FIRST, SECOND = ("urn:x", "s-1"), ("urn:x", "s-2")


@dataclass
class Archive:
    """Facts by identity, and what was asked for."""

    facts: dict[EventIdentity, StoredFact]
    asked: list[list[EventIdentity]] = field(default_factory=list)
    generation: int = 1

    async def find_events(self, identities: Iterable[EventIdentity], known_at: datetime) -> list[StoredFact]:
        """Return what was recorded by *known_at*."""
        self.asked.append(list(identities))
        found = (self.facts[one] for one in self.asked[-1] if one in self.facts)
        return [one for one in found if one.recorded_at is not None and one.recorded_at <= known_at]

    async def find_facts_generation(self) -> Hashable:
        """Return a number that changes when the facts are read anew."""
        return self.generation


def an_archive(*identities: EventIdentity) -> Archive:
    """Return an archive of submissions, the first of which was recorded at noon and each next one an hour later."""
    return Archive({one: a_fact(one, NOON + timedelta(hours=hours)) for hours, one in enumerate(identities)})


def a_fact(identity: EventIdentity, recorded_at: datetime, loans: str = "1.50") -> StoredFact:
    """Return a submission that gives one figure."""
    source, event = identity
    record = json.dumps({"source": source, "id": event, "data": {"content": {"indicators": {"loans": loans}}}})
    return StoredFact(receiptid=event, recorded_at=recorded_at, record=record.encode())


async def test_what_was_read_is_not_read_again() -> None:
    """Only the one that is new is asked for, and both are given."""
    archive = an_archive(FIRST, SECOND)
    contents = SubmissionContents(archive)
    late = NOON + timedelta(days=1)
    assert (await contents.find([FIRST], late)).keys() == {FIRST}
    found = await contents.find([FIRST, SECOND], late)
    assert found.keys() == {FIRST, SECOND}
    assert archive.asked == [[FIRST], [SECOND]]
    assert await contents.find([FIRST, SECOND], late) == found
    assert len(archive.asked) == 2


async def test_what_is_kept_is_not_known_before_it_was_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks about the hour before gets the answer of that hour, whatever was read since."""
    monkeypatch.setattr(submission_contents, "LATECOMERS_SECONDS", 0.0)
    contents = SubmissionContents(an_archive(FIRST, SECOND))
    await contents.find([FIRST, SECOND], NOON + timedelta(hours=1))
    assert (await contents.find([FIRST], NOON)).keys() == {FIRST}
    with pytest.raises(StateIncompleteError):
        await contents.find([SECOND], NOON)


async def test_no_more_is_kept_than_there_is_room_for() -> None:
    """What was read first goes first, and is read again when it is asked for."""
    archive = an_archive(FIRST, SECOND)
    room = len(archive.facts[FIRST].record or b"") + 1
    contents = SubmissionContents(archive, record_bytes_max=room)
    late = NOON + timedelta(days=1)
    for identity in (FIRST, SECOND, SECOND, FIRST):
        assert (await contents.find([identity], late)).keys() == {identity}
    assert archive.asked == [[FIRST], [SECOND], [FIRST]]


async def test_what_was_kept_does_not_outlive_the_facts_that_it_was_read_from() -> None:
    """After a loss the log may hold another event of the same source and id, and its figures count."""
    archive = an_archive(FIRST)
    contents = SubmissionContents(archive)
    late = NOON + timedelta(days=1)
    before = (await contents.find([FIRST], late))[FIRST]
    archive.facts[FIRST], archive.generation = a_fact(FIRST, NOON, loans="2.75"), 2
    after = (await contents.find([FIRST], late))[FIRST]
    assert (before.figures, after.figures) == ({"loans": Decimal("1.50")}, {"loans": Decimal("2.75")})
