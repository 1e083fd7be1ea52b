"""The cache of recent events: first stamps, whether the log has the event, and for how long it is known."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.intake.core.fact_record import DIGEST_BYTES, DedupEntries, DedupEntry, Stamp, is_same_content, make_stamp
from services.intake.dedup.recent_events import RecentEvents

SPAN = timedelta(hours=24)
START = datetime(2026, 12, 9, tzinfo=UTC)
ENTRIES = st.builds(
    lambda identity, content, time: DedupEntry(identity, make_stamp(content * DIGEST_BYTES, time)),
    st.sampled_from([b"one", b"two", b"three"]),
    st.sampled_from([b"a", b"b"]),
    st.sampled_from(["2026-12-09T00:00:00.000Z", "2026-12-09T00:00:00.001Z"]),
)


class SteeredClock:
    """A clock that a test moves on."""

    def __init__(self) -> None:
        self.instant = START

    def now(self) -> datetime:
        """The instant it stands at."""
        return self.instant


def a_cache(clock: SteeredClock | None = None) -> RecentEvents:
    """An empty cache."""
    return RecentEvents(span=SPAN, now=(clock or SteeredClock()).now)


def an_entry(identity: bytes, content: bytes = b"a", time: str = "2026-12-09T00:00:00.000Z") -> DedupEntry:
    """The entry of an event with that identity and content."""
    return DedupEntry(identity, make_stamp(content * DIGEST_BYTES, time))


def read(recent: RecentEvents, *entries: DedupEntry) -> None:
    """Read *entries* in the log."""
    recent.add_logged(DedupEntries.from_entries(entries))


def stamps_of(entries: Iterable[DedupEntry]) -> dict[bytes, Stamp]:
    """The first stamp of each identity among *entries*."""
    return {entry.identity: entry.stamp for entry in reversed(list(entries))}


@given(st.lists(st.tuples(st.booleans(), st.lists(ENTRIES, min_size=1, max_size=4)), max_size=8))
def test_entries_added_together_are_known_as_if_added_one_by_one(added: list[tuple[bool, list[DedupEntry]]]) -> None:
    """The first stamp of an identity stays; an event is in the log once its content was read there."""
    at_once, one_by_one = a_cache(), a_cache()
    first: dict[bytes, DedupEntry] = {}
    logged: set[bytes] = set()
    for is_logged, entries in added:
        if is_logged:
            at_once.add_logged(DedupEntries.from_entries(entries))
        else:
            at_once.add_spooled(stamps_of(entries))
        for entry in entries:
            standing = first.setdefault(entry.identity, entry)
            if is_logged:
                one_by_one.add_logged(DedupEntries.from_entries([entry]))
                logged |= {entry.identity} if is_same_content(standing.stamp, entry.stamp) else set()
            else:
                one_by_one.add_spooled(stamps_of([entry]))
    for recent in (at_once, one_by_one):
        assert [recent.find(identity) for identity in first] == [entry.stamp for entry in first.values()]
        assert recent.are_latest(stamps_of(first.values()))
        assert not recent.are_latest({b"four": b""})
        assert {identity for identity, entry in first.items() if recent.is_logged(entry)} == logged
        assert recent.knows_none_of([b"four"])
        assert recent.knows_none_of(first) == (not first)


def test_an_identity_is_forgotten_after_two_spans_and_not_before_one() -> None:
    """Generations are swapped when something new is remembered."""
    clock = SteeredClock()
    recent = a_cache(clock)
    old = DedupEntry(b"old", make_stamp(b"a" * DIGEST_BYTES, "t"))
    recent.add_logged(DedupEntries.from_entries([old]))
    for hours, is_known in ((23, True), (47, True), (72, False)):
        clock.instant = START + timedelta(hours=hours)
        recent.add_logged(DedupEntries.from_entries([DedupEntry(b"%d" % hours, old.stamp)]))
        assert (recent.find(b"old") is not None) == is_known


def test_after_a_loss_an_event_is_missing_until_it_is_read_again() -> None:
    """Its receipt stays known; what is in the spool is not missing, and not in the log."""
    recent = a_cache()
    logged, spooled = an_entry(b"logged"), an_entry(b"spooled")
    read(recent, logged)
    recent.add_spooled(stamps_of([spooled]))
    recent.distrust_log()
    assert (recent.missing, recent.is_missing(b"logged"), recent.is_missing(b"spooled")) == (1, True, False)
    assert (recent.find(b"logged"), recent.is_logged(logged)) == (logged.stamp, False)
    read(recent, logged)
    assert (recent.missing, recent.is_logged(logged), recent.is_logged(spooled)) == (0, True, False)


def test_a_missing_event_that_is_spooled_again_is_written_to_the_log() -> None:
    """It is durable then, and the replay does not take it for logged."""
    recent = a_cache()
    lost = an_entry(b"lost")
    read(recent, lost)
    recent.distrust_log()
    recent.add_spooled(stamps_of([lost]))
    assert (recent.missing, recent.is_logged(lost)) == (0, False)
    recent.distrust_log()
    assert recent.missing == 0
    read(recent, lost)
    assert recent.is_logged(lost)


def test_the_log_decides_what_a_missing_event_is() -> None:
    """Of the lost one only a receipt is left; a replica that did not remember it has accepted another content."""
    recent = a_cache()
    read(recent, an_entry(b"event", b"a"))
    recent.distrust_log()
    other = an_entry(b"event", b"b")
    read(recent, other)
    assert (recent.find(b"event"), recent.missing) == (other.stamp, 0)


def test_after_a_loss_the_log_is_read_from_before_all_that_is_remembered() -> None:
    """Whatever jumps the clock has made: an event that is not read again would count as missing."""
    clock = SteeredClock()
    recent = a_cache(clock)
    assert recent.remembered_since == START - SPAN
    for day in (1, 5):
        clock.instant = START + timedelta(days=day)
        read(recent, an_entry(b"%d" % day))
    assert recent.remembered_since == START + timedelta(days=1)
    clock.instant = START - timedelta(days=3)
    read(recent, an_entry(b"earlier"))
    assert recent.remembered_since == START - timedelta(days=3)


def test_a_clock_that_was_set_back_lets_identities_go_all_the_same() -> None:
    """Spans are counted from the earlier time on, or the memory would grow until the old time is reached again."""
    clock = SteeredClock()
    recent = a_cache(clock)
    clock.instant = START - timedelta(days=300)
    read(recent, an_entry(b"old"))
    for days in (1, 2):
        clock.instant += timedelta(days=1)
        read(recent, an_entry(b"%d" % days))
    assert recent.find(b"old") is None


def test_a_missing_event_is_forgotten_with_the_others() -> None:
    """After two spans nobody is told of it any more."""
    clock = SteeredClock()
    recent = a_cache(clock)
    read(recent, an_entry(b"lost"))
    recent.distrust_log()
    for days, missing in ((1, 1), (2, 0)):
        clock.instant = START + timedelta(days=days)
        read(recent, an_entry(b"%d" % days))
        assert recent.missing == missing
