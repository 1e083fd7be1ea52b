"""What intake remembers of an event: its first stamp, whether the log has it, for one span at least."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.intake.core.dedup_entry import Entries, Entry, Stamp, is_same_content, stamped
from services.intake.core.event_id import DIGEST_BYTES
from services.intake.dedup.recent_events import Memory

SPAN = timedelta(hours=24)
START = datetime(2026, 12, 9, tzinfo=UTC)
ENTRIES = st.builds(
    lambda identity, content, time: Entry(identity, stamped(content * DIGEST_BYTES, time)),
    st.sampled_from([b"one", b"two", b"three"]),
    st.sampled_from([b"a", b"b"]),
    st.sampled_from(["2026-12-09T00:00:00.000Z", "2026-12-09T00:00:00.001Z"]),
)


class Steered:
    """A clock that a test moves on."""

    def __init__(self) -> None:
        self.instant = START

    def now(self) -> datetime:
        """The instant it stands at."""
        return self.instant


def a_memory(clock: Steered | None = None) -> Memory:
    """An empty one."""
    return Memory(span=SPAN, now=(clock or Steered()).now)


def stamps_of(entries: Iterable[Entry]) -> dict[bytes, Stamp]:
    """The first stamp of each identity among *entries*."""
    return {entry.identity: entry.stamp for entry in reversed(list(entries))}


@given(st.lists(st.tuples(st.booleans(), st.lists(ENTRIES, min_size=1, max_size=4)), max_size=8))
def test_many_at_once_are_remembered_as_one_by_one(told: list[tuple[bool, list[Entry]]]) -> None:
    """The first stamp of an identity stays; the log has an event once it was told so of the same content."""
    at_once, one_by_one = a_memory(), a_memory()
    first: dict[bytes, Entry] = {}
    logged: set[bytes] = set()
    for is_logged, entries in told:
        if is_logged:
            at_once.remember_logged(Entries.of(entries))
        else:
            at_once.remember(stamps_of(entries))
        for entry in entries:
            standing = first.setdefault(entry.identity, entry)
            if is_logged:
                one_by_one.remember_logged(Entries.of([entry]))
                logged |= {entry.identity} if is_same_content(standing.stamp, entry.stamp) else set()
            else:
                one_by_one.remember(stamps_of([entry]))
    for memory in (at_once, one_by_one):
        assert [memory.find(identity) for identity in first] == [entry.stamp for entry in first.values()]
        assert memory.has_just(stamps_of(first.values()))
        assert not memory.has_just({b"four": b""})
        assert {identity for identity, entry in first.items() if memory.is_logged(entry)} == logged
        assert memory.knows_none_of([b"four"])
        assert memory.knows_none_of(first) == (not first)


def test_an_identity_is_forgotten_after_two_spans_and_not_before_one() -> None:
    """Generations are swapped when something new is remembered."""
    clock = Steered()
    memory = a_memory(clock)
    old = Entry(b"old", stamped(b"a" * DIGEST_BYTES, "t"))
    memory.remember_logged(Entries.of([old]))
    for hours, is_known in ((23, True), (47, True), (72, False)):
        clock.instant = START + timedelta(hours=hours)
        memory.remember_logged(Entries.of([Entry(b"%d" % hours, old.stamp)]))
        assert (memory.find(b"old") is not None) == is_known
