"""The records of the log that an audit needs, by agency, in one SQLite file.

The file is a copy: what is in it comes from the log and can be read again at any time. It lets a rebuild take one
agency after the other, so that memory does not grow with the log, and lets the next audit read only what is new.
Records and the coverage that they amount to are written in one transaction.
"""

import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiokafka import TopicPartition

from schemas.events import ids
from schemas.events.facts import PlanAdopted
from services.console.support.inputs import UnusableInputError
from services.runtime.kafka.log_coverage import Coverage

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DUTIES_OF_QUERY = 10_000  # SQLite takes 32,766 values in one query
CACHE_KIBIBYTES = 64 * 1024
COMPRESSION = 1  # zlib's fastest level halves the file; the next levels take twice the time for a tenth

SCHEMA = """
CREATE TABLE origin (version TEXT NOT NULL);
CREATE TABLE coverage (
    topic TEXT, partition INTEGER, next_offset INTEGER NOT NULL, last_offset INTEGER, fingerprint TEXT,
    PRIMARY KEY (topic, partition)
) WITHOUT ROWID;
CREATE TABLE facts (
    partition INTEGER, offset INTEGER, recorded_at INTEGER, plan TEXT, agency TEXT, obligation TEXT, period TEXT,
    is_submission INTEGER, identity INTEGER, value BLOB
);
CREATE INDEX facts_by_agency ON facts (plan, agency, partition, period);
CREATE INDEX facts_by_identity ON facts (identity);
CREATE TABLE whole_dockets (plan TEXT, agency TEXT, obligation TEXT, PRIMARY KEY (plan, agency, obligation));
CREATE TABLE adoptions (
    plan TEXT, registry TEXT, registry_version TEXT,
    partition INTEGER, offset INTEGER, recorded_at INTEGER, value BLOB
);
CREATE INDEX adoptions_by_plan ON adoptions (plan, partition);
CREATE TABLE set_aside (partition INTEGER, offset INTEGER, PRIMARY KEY (partition, offset)) WITHOUT ROWID;
CREATE TABLE unreadable (topic TEXT, partition INTEGER, offset INTEGER, PRIMARY KEY (topic, partition, offset));
CREATE TABLE attempts (
    event TEXT PRIMARY KEY, attempted_at INTEGER, partition INTEGER, offset INTEGER, value BLOB
) WITHOUT ROWID;
CREATE TABLE attempts_by_duty (duty TEXT, event TEXT, PRIMARY KEY (duty, event)) WITHOUT ROWID;
"""


class DamagedIndexError(Exception):
    """The file cannot be read as it was written. It is a copy of the log: start a new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedFact:
    """A fact as the log has it, and what it is found by. `recorded_at` is in milliseconds since 1970."""

    partition: int
    offset: int
    recorded_at: int
    plan: str
    agency: str
    obligation: str
    period: str | None
    is_submission: bool
    moves_submissions: bool
    identity: int
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRecord:
    """A record of one partition of the facts. `recorded_at` is in milliseconds since 1970."""

    offset: int
    recorded_at: int
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedAttempt:
    """An attempt at an alert, and the duties that the alert names. `attempted_at` is in milliseconds since 1970."""

    event: str
    attempted_at: int
    partition: int
    offset: int
    duties: Sequence[str]
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FactSelection:
    """The facts that can bear on duties of these agencies in these periods."""

    plan: str
    partition: int
    agencies: Sequence[str]
    """The agencies as facts name them: by id or by alias."""

    periods: Sequence[str]


class LogIndex:
    """The index; one process at a time uses a file."""

    def __init__(self, file: Path | None, version: str) -> None:
        """Open *file*, or a temporary one; an index that another version of this software wrote is started anew.

        Another version may decode a record that the earlier one left out. Raise `UnusableInputError` where the file
        cannot be used.
        """
        self._file = file
        self._version = version
        self._connection = self._open()

    def close(self) -> None:
        """Close the file; a temporary one is deleted."""
        self._connection.close()

    def start_anew(self) -> None:
        """Throw away everything that was read."""
        self._connection.close()
        if self._file is not None:
            self._file.unlink(missing_ok=True)
        self._connection = self._open()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write everything inside the block, or nothing of it."""
        with _translate_damage(), self._connection:
            yield

    def coverage(self, topic: str) -> Mapping[int, Coverage]:
        """Return what is indexed of *topic*, by partition."""
        query = "SELECT partition, next_offset, last_offset, fingerprint FROM coverage WHERE topic = ?"
        return {
            partition: Coverage(next_offset=next_offset, last_offset=last_offset, fingerprint=fingerprint)
            for partition, next_offset, last_offset, fingerprint in self._select(query, (topic,))
        }

    def set_coverage(self, place: TopicPartition, coverage: Coverage) -> None:
        """Note up to where a partition is indexed."""
        values = (place.topic, place.partition, coverage.next_offset, coverage.last_offset, coverage.fingerprint)
        self._connection.execute("REPLACE INTO coverage VALUES (?, ?, ?, ?, ?)", values)

    def add_facts(self, facts: Iterable[IndexedFact]) -> None:
        """Add facts of one partition in the order of the log."""
        for fact in facts:
            if fact.moves_submissions or self._has_other_period(fact):
                docket = (fact.plan, fact.agency, fact.obligation)
                self._connection.execute("INSERT OR IGNORE INTO whole_dockets VALUES (?, ?, ?)", docket)
            place = (fact.partition, fact.offset, fact.recorded_at)
            name = (fact.plan, fact.agency, fact.obligation, fact.period, fact.is_submission, fact.identity)
            row = (*place, *name, _pack(fact.value))
            self._connection.execute("INSERT INTO facts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    def add_adoption(self, adoption: PlanAdopted, partition: int, record: LogRecord) -> None:
        """Add *adoption*, which *record* holds."""
        # As text: a forged adoption may name a version beyond the integers of SQLite.
        versions = (adoption.plan, adoption.registry, str(adoption.registry_version))
        row = (*versions, partition, record.offset, record.recorded_at, _pack(record.value))
        self._connection.execute("INSERT INTO adoptions VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def add_set_aside(self, partition: int, offset: int) -> None:
        """Note that rules set this fact aside because of what was published at that time."""
        self._connection.execute("INSERT OR IGNORE INTO set_aside VALUES (?, ?)", (partition, offset))

    def add_unreadable(self, place: TopicPartition, offset: int) -> None:
        """Note that this record cannot be decoded."""
        row = (place.topic, place.partition, offset)
        self._connection.execute("INSERT OR IGNORE INTO unreadable VALUES (?, ?, ?)", row)

    def add_attempt(self, attempt: IndexedAttempt) -> None:
        """Add an attempt at an alert; of one event that comes again, the first counts."""
        row = (attempt.event, attempt.attempted_at, attempt.partition, attempt.offset, _pack(attempt.value))
        added = self._connection.execute("INSERT OR IGNORE INTO attempts VALUES (?, ?, ?, ?, ?)", row)
        if added.rowcount:
            rows = [(duty, attempt.event) for duty in attempt.duties]
            self._connection.executemany("INSERT OR IGNORE INTO attempts_by_duty VALUES (?, ?)", rows)

    def count_unreadable(self) -> int:
        """Return how many records cannot be decoded."""
        ((count,),) = self._select("SELECT count(*) FROM unreadable", ())
        return int(count)

    def agency_names(self, plan: str) -> list[str]:
        """Return the agencies that facts of *plan* name, by id or by alias."""
        return [name for (name,) in self._select("SELECT DISTINCT agency FROM facts WHERE plan = ?", (plan,))]

    def adopted_registries(self, plan: str) -> list[tuple[str, int]]:
        """Return id and version of every registry that was ever adopted with *plan*."""
        query = "SELECT DISTINCT registry, registry_version FROM adoptions WHERE plan = ?"
        return [(registry, int(version)) for registry, version in self._select(query, (plan,))]

    def adoptions(self, plan: str, partition: int) -> Iterator[LogRecord]:
        """Yield the adoptions of *plan* in one partition, in the order of the log."""
        query = "SELECT offset, recorded_at, value FROM adoptions WHERE plan = ? AND partition = ? ORDER BY offset"
        return self._records(query, (plan, partition))

    def facts(self, selected: FactSelection) -> Iterator[LogRecord]:
        """Yield the facts that can bear on the duties of *selected*, in the order of the log.

        Submissions of other periods are left out, except in a docket in which a submission may change its period or
        one identity occurs in two periods. Left out as well is what rules set aside.
        """
        names, periods = _placeholders(selected.agencies), _placeholders(selected.periods)
        query = (
            "SELECT offset, recorded_at, value FROM facts"  # noqa: S608 - only question marks are put in
            f" WHERE plan = ? AND agency IN ({names}) AND partition = ?"
            f" AND (NOT is_submission OR period IS NULL OR period IN ({periods}) OR obligation IN"
            f"  (SELECT obligation FROM whole_dockets WHERE plan = ? AND agency IN ({names})))"
            " AND NOT EXISTS (SELECT 1 FROM set_aside"
            "  WHERE set_aside.partition = facts.partition AND set_aside.offset = facts.offset)"
            " ORDER BY offset"
        )
        where = (selected.plan, *selected.agencies, selected.partition, *selected.periods)
        return self._records(query, (*where, selected.plan, *selected.agencies))

    def events(self, identities: Sequence[tuple[str, str]], *, until: int) -> list[LogRecord]:
        """Return the facts with one of *identities*, source and id, recorded by *until*, in milliseconds since 1970."""
        found: list[LogRecord] = []
        for start in range(0, len(identities), DUTIES_OF_QUERY):
            some = [number_identity(*one) for one in identities[start : start + DUTIES_OF_QUERY]]
            query = (
                "SELECT offset, recorded_at, value FROM facts"  # noqa: S608 - only question marks are put in
                f" WHERE identity IN ({_placeholders(some)}) AND recorded_at <= ?"
            )
            found += self._records(query, (*some, until))
        return found

    def attempts(
        self, duties: Sequence[str], *, until: int, below: Mapping[int, int] | None = None
    ) -> list[tuple[str, bytes]]:
        """Return event id and record of the attempts by *until*, in milliseconds since 1970, about one of *duties*.

        *below* has by partition the offset from which on nothing counts; without it everything does.
        """
        found: dict[str, bytes] = {}
        for start in range(0, len(duties), DUTIES_OF_QUERY):
            some = duties[start : start + DUTIES_OF_QUERY]
            query = (
                "SELECT DISTINCT attempts.event, partition, offset, value"  # noqa: S608 - only question marks are put in
                " FROM attempts_by_duty JOIN attempts USING (event)"
                f" WHERE duty IN ({_placeholders(some)}) AND attempted_at <= ?"
            )
            for event, partition, offset, value in self._select(query, (*some, until)):
                if below is None or offset < below.get(partition, 0):
                    found[event] = _unpack(value)
        return list(found.items())

    def _open(self) -> sqlite3.Connection:
        try:
            if self._file is not None:
                self._file.parent.mkdir(parents=True, exist_ok=True)
                self._file.touch(mode=0o600)  # it holds what the agencies reported
            # SQLite makes a temporary file, deleted at the end, where the name is empty.
            connection = sqlite3.connect(str(self._file or ""), timeout=0.0)
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            # A power failure may damage the file, which is then started anew; forcing it to disk would gain nothing.
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute(f"PRAGMA cache_size = -{CACHE_KIBIBYTES}")
            connection.execute("BEGIN EXCLUSIVE")
            _create_tables(connection, self._version)
            connection.commit()
        except (OSError, sqlite3.OperationalError) as cause:
            remedy = "another audit may be using it; look at DONDOC_AUDIT_STATE"
            raise UnusableInputError(f"{self._file} cannot be used: {cause}; {remedy}") from cause
        except sqlite3.DatabaseError:
            connection.close()
            if self._file is None:
                raise
            self._file.unlink()
            return self._open()
        return connection

    def _has_other_period(self, fact: IndexedFact) -> bool:
        """Whether the same identity was recorded before with another period: rules then keeps the first of the two."""
        query = "SELECT 1 FROM facts WHERE identity = ? AND period IS NOT ? LIMIT 1"
        return self._connection.execute(query, (fact.identity, fact.period)).fetchone() is not None

    def _records(self, query: str, values: Sequence[Any]) -> Iterator[LogRecord]:
        for offset, recorded_at, value in self._select(query, values):
            yield LogRecord(offset=offset, recorded_at=recorded_at, value=_unpack(value))

    def _select(self, query: str, values: Sequence[Any]) -> Iterator[Any]:
        with _translate_damage():
            yield from self._connection.execute(query, values)


@contextmanager
def _translate_damage() -> Iterator[None]:
    try:
        yield
    except (sqlite3.DatabaseError, zlib.error) as cause:
        if isinstance(cause, sqlite3.OperationalError):  # for example a full disk
            raise UnusableInputError(
                f"the index of the log cannot be used: {cause}; look at DONDOC_AUDIT_STATE"
            ) from cause
        raise DamagedIndexError(str(cause)) from cause


def _create_tables(connection: sqlite3.Connection, version: str) -> None:
    """Create the tables that are missing; drop all of them first if another version of this software made them."""
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    if tables:
        if "origin" in tables and connection.execute("SELECT version FROM origin").fetchall() == [(version,)]:
            return
        for name in tables:
            connection.execute(f'DROP TABLE "{name}"')
    for statement in SCHEMA.split(";"):
        connection.execute(statement)
    connection.execute("INSERT INTO origin VALUES (?)", (version,))


def number_identity(source: str, event: str) -> int:
    """Return the number by which the index knows the identity of a fact: 60 bits, which fit SQLite's integers."""
    return int(ids.digest(source, event)[:15], 16)


def floor_milliseconds(instant: datetime) -> int:
    """Return *instant* in whole milliseconds since 1970, rounded down as MongoDB stores it."""
    return (instant - EPOCH) // timedelta(milliseconds=1)


def _placeholders(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _pack(value: bytes) -> bytes:
    return zlib.compress(value, COMPRESSION)


def _unpack(value: bytes) -> bytes:
    try:
        return zlib.decompress(value)
    except zlib.error as cause:
        raise DamagedIndexError(str(cause)) from cause
