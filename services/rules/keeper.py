"""What one partition knows: the facts of its dockets and the adopted plans; and what a record of the log changes in it.

Pure but for its own memory: no broker, no clock. Applying a record twice changes nothing the second time. What is in
here is true only while the log agrees, so after a failed transaction the keeper is thrown away and restored.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import ValidationError

from schemas import facts as wire
from schemas.facts import PlanAdopted
from schemas.ids import DutyKey
from services.rules import reader, states
from services.rules.books import Books
from services.rules.core.book import Book
from services.rules.core.docket import EVERY_PERIOD, Docket
from services.rules.core.facts import Fact, identity
from services.rules.judgement import Judge, Refused, knows
from services.rules.reader import Event, UnreadableFact
from services.rules.verdicts import Applied, verdict

MOST_FACTS_A_DUTY = 500  # far above any honest correspondence; an assessment compares its reports pair by pair
LARGEST_DUTY_BYTES = 8 * 1024 * 1024  # half of what the topics carry in one record, as facts came over the wire

Name = tuple[str, str, str]
"""A docket's name: plan, agency, obligation."""


@dataclass(slots=True, kw_only=True)
class Home:
    """The facts kept under one key, and how large they came."""

    facts: list[Fact] = field(default_factory=list)
    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Force:
    """A plan in force in this partition."""

    adoption: PlanAdopted
    book: Book


class Keeper:
    """Keeps one partition."""

    def __init__(self, partition: int, books: Books) -> None:
        self.partition = partition
        self._books = books
        self._judge = Judge(partition, books)
        self._dockets: dict[Name, Docket] = {}
        self._homes: dict[DutyKey, Home] = {}
        self._adoptions: dict[str, PlanAdopted] = {}
        self._in_force: dict[str, Force] = {}
        self._changed: dict[DutyKey, None] = {}

    @property
    def adoptions(self) -> Mapping[str, PlanAdopted]:
        """The last adoption of each plan."""
        return self._adoptions

    def docket(self, plan: str, agency: str, obligation: str) -> Docket | None:
        """Return the facts known of one obligation of one agency."""
        return self._dockets.get((plan, agency, obligation))

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Take back one record that `changes` once gave."""
        name = DutyKey.parse(key.decode())
        if value is None:
            return
        if states.is_adoption(name):
            self._adoptions[name.plan] = states.read_adoption(value)
            return
        home = Home(facts=list(states.read(value)), size=len(value))
        self._homes[name] = home
        docket = self._dockets.setdefault(_name(name), Docket())
        for fact in home.facts:
            docket.add(fact)

    def missing_books(self) -> tuple[PlanAdopted, ...]:
        """Put the restored adoptions into force; return those whose documents are not published (yet)."""
        found = {plan: self._books.adopted(adoption) for plan, adoption in self._adoptions.items()}
        for plan, book in found.items():
            if book is not None:
                self._in_force[plan] = Force(adoption=self._adoptions[plan], book=book)
        return tuple(self._adoptions[plan] for plan, book in found.items() if book is None)

    def apply(self, value: bytes | None, *, applied: Applied) -> list[tuple[str, bytes]]:
        """Take one record in and return what is now to be said, as (agency, verdict); raise `Refused` unchanged."""
        if value is None:
            raise Refused("unreadable", "the record has no value")
        try:
            event = reader.read_event(value)
            if event.type == wire.ADOPTED:
                return self._adopt(_adoption(event), applied)
            return self._take(reader.fact_of(event, recorded_at=applied.recorded_at), len(value), applied)
        except UnreadableFact as cause:
            raise Refused("unreadable", str(cause)) from cause

    def changes(self) -> list[tuple[str, bytes]]:
        """Return the states changed since last asked, as (key, value)."""
        changed = [(str(key), self._written(key)) for key in self._changed]
        self._changed.clear()
        return changed

    def _written(self, key: DutyKey) -> bytes:
        if states.is_adoption(key):
            return states.written_adoption(self._adoptions[key.plan])
        return states.written(self._homes[key].facts)

    def _take(self, told: Fact, size: int, applied: Applied) -> list[tuple[str, bytes]]:
        force = self._in_force.get(told.plan)
        fact, book = self._judge.judged(told, None if force is None else force.book)
        name = (fact.plan, fact.agency, fact.obligation)
        docket = self._dockets.setdefault(name, Docket())
        key = states.home(fact)
        home = self._homes.setdefault(key, Home())
        touched = docket.add(fact)
        if not touched:
            return []
        try:
            _refuse_overflow(key, home, size)
            told_now = [] if book is None else list(self._told(book, self._periods(name, touched), name, applied))
        except Exception:
            self._dockets[name] = Docket(one for one in docket if identity(one) != identity(fact))
            raise
        home.facts.append(fact)
        home.size += size
        self._changed[key] = None
        return told_now

    def _periods(self, name: Name, touched: Iterable[str | None]) -> list[str | None]:
        periods = set(touched)
        if EVERY_PERIOD in periods:
            force = self._in_force[name[0]]
            expected = self._books.expected(force.book, force.adoption.horizon, partition=self.partition)
            periods |= {key.period for key in expected if (key.agency, key.obligation) == name[1:]}
            periods |= self._dockets[name].periods
        return sorted(periods - {EVERY_PERIOD}, key=lambda period: period or "")

    def _told(
        self, book: Book, periods: Iterable[str | None], name: Name, applied: Applied
    ) -> Iterator[tuple[str, bytes]]:
        _, agency, obligation = name
        docket = self._dockets.get(name) or Docket()
        for period in periods:
            duty = book.duty(agency=agency, obligation=obligation, period=period)
            yield agency, verdict(book, duty, docket, applied=applied)

    def _adopt(self, adoption: PlanAdopted, applied: Applied) -> list[tuple[str, bytes]]:
        if adoption.partition != self.partition:
            raise Refused("misrouted", f"an adoption of partition {adoption.partition} lies in {self.partition}")
        book = self._books.adopted(adoption)
        if book is None:
            raise Refused("unknown", "the adopted documents are not published", may_be_news=True)
        before = self._in_force.get(adoption.plan)
        if before is not None and not is_newer(adoption, before.adoption):
            return []
        owed = self._newly_owed(book, adoption, before)
        told_now = [one for key in owed for one in self._told(book, (key.period,), _name(key), applied)]
        self._adoptions[adoption.plan] = adoption
        self._in_force[adoption.plan] = Force(adoption=adoption, book=book)
        self._changed[states.adoption_key(adoption.plan)] = None
        return told_now

    def _newly_owed(self, book: Book, adoption: PlanAdopted, before: Force | None) -> Iterator[DutyKey]:
        """Yield what must be said anew: after other versions everything, after a moved horizon what it uncovered."""
        expected = self._books.expected(book, adoption.horizon, partition=self.partition)
        if before is not None and before.book is book:
            horizon = before.adoption.horizon
            for key in expected:
                opens_at = book.duty(agency=key.agency, obligation=key.obligation, period=key.period).opens_at
                if opens_at is not None and opens_at >= horizon:
                    yield key
            return
        yield from expected
        yield from self._also_told_of(book, frozenset(expected))

    def _also_told_of(self, book: Book, expected: frozenset[DutyKey]) -> Iterator[DutyKey]:
        """Yield the duties that nobody expects by the horizon but that facts are about, as far as *book* knows them."""
        for (plan, agency, obligation), docket in self._dockets.items():
            for period in sorted(docket.periods, key=lambda one: one or ""):
                key = DutyKey(plan=plan, agency=agency, obligation=obligation, period=period)
                if plan == book.plan.plan and key not in expected and knows(book, key):
                    yield key


def _refuse_overflow(key: DutyKey, home: Home, size: int) -> None:
    if len(home.facts) >= MOST_FACTS_A_DUTY or home.size + size > LARGEST_DUTY_BYTES:
        raise Refused("oversized", f"{key} holds {len(home.facts)} facts of {home.size} bytes; it takes no more")


def is_newer(adoption: PlanAdopted, than: PlanAdopted) -> bool:
    """Whether *adoption* brings later versions, or the same ones with a later horizon."""
    return _rank(adoption) > _rank(than)


def _rank(adoption: PlanAdopted) -> tuple[int, int, float]:
    return adoption.plan_version, adoption.registry_version, adoption.horizon.timestamp()


def _adoption(event: Event) -> PlanAdopted:
    try:
        return PlanAdopted.model_validate_json(bytes(event.data))
    except ValidationError as cause:
        place = "/".join(str(part) for part in cause.errors()[0]["loc"])
        raise Refused("unreadable", f"/data/{place}: {cause.errors()[0]['msg']}") from cause


def _name(key: DutyKey) -> Name:
    return key.plan, key.agency, key.obligation
