"""What one partition knows: the facts of its dockets and the adopted plans; and what a record of the log changes in it.

Pure but for its own memory: no broker, no clock. Applying a record twice changes nothing the second time. What is in
here is true only while the log agrees, so after a failed transaction the keeper is thrown away and restored.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from schemas.events import facts as wire
from schemas.events.facts import PlanAdopted
from schemas.events.ids import DutyKey
from services.rules import fact_decoder, state_codec
from services.rules.assessment_event import Applied, verdict
from services.rules.core.docket import EVERY_PERIOD
from services.rules.core.duty_catalogue import Book
from services.rules.core.facts import Fact
from services.rules.duty_catalogues import Books
from services.rules.fact_decoder import Event, UnreadableFact
from services.rules.fact_validation import Judge, Refused, knows
from services.rules.state_store import Cabinet, Folder, Home, Name, name_of

MOST_FACTS_A_DUTY = 500  # far above any honest correspondence; an assessment compares its reports pair by pair
LARGEST_DUTY_BYTES = 8 * 1024 * 1024  # half of what the topics carry in one record, as facts came over the wire

Told = tuple[str, bytes]
"""What is now to be said: the agency, and the verdict."""


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
        self._cabinet = Cabinet()
        self._adoptions: dict[str, PlanAdopted] = {}
        self._in_force: dict[str, Force] = {}
        self._changed: dict[tuple[Name, str | None], None] = {}

    @property
    def adoptions(self) -> Mapping[str, PlanAdopted]:
        """The last adoption of each plan."""
        return self._adoptions

    def known(self, key: DutyKey) -> Sequence[Fact]:
        """Return the facts that bear on a duty."""
        return self._cabinet.bearing_on(name_of(key), key.period)

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Take back one record that `changes` once gave."""
        name = DutyKey.parse(key.decode())
        if value is None:
            return
        if state_codec.is_adoption(name):
            self._adoptions[name.plan] = state_codec.read_adoption(value)
        else:
            self._cabinet.seal(name, value)

    def missing_books(self) -> tuple[PlanAdopted, ...]:
        """Put the restored adoptions into force; return those whose documents are not published (yet)."""
        found = {plan: self._books.adopted(adoption) for plan, adoption in self._adoptions.items()}
        for plan, book in found.items():
            if book is not None:
                self._in_force[plan] = Force(adoption=self._adoptions[plan], book=book)
        return tuple(self._adoptions[plan] for plan, book in found.items() if book is None)

    def apply(self, value: bytes | None, *, applied: Applied) -> Iterable[Told]:
        """Take one record in and return what is now to be said; raise `Refused`, and know nothing of the record.

        An adoption says much: it is told, and may still be refused, step by step, and counts once all is told.
        """
        if value is None:
            raise Refused("unreadable", "the record has no value")
        try:
            event = fact_decoder.read_event(value)
            if event.type == wire.ADOPTED:
                return self._adopt(_adoption(event), applied)
            fact = fact_decoder.fact_of(event, recorded_at=applied.recorded_at)
            return self._take(fact, len(value), applied)
        except (UnreadableFact, UnicodeDecodeError, RecursionError) as cause:
            raise Refused("unreadable", str(cause)) from cause

    def changes(self) -> list[tuple[str, bytes]]:
        """Return the states changed since last asked, as (key, value)."""
        changed = [self._written(name, period) for name, period in self._changed]
        self._changed.clear()
        return changed

    def _written(self, name: Name, period: str | None) -> tuple[str, bytes]:
        plan, agency, obligation = name
        key = DutyKey(plan=plan, agency=agency, obligation=obligation, period=period)
        if state_codec.is_adoption(key):
            return str(key), state_codec.written_adoption(self._adoptions[plan])
        return str(key), self._cabinet.written(name, period)

    def _take(self, received: Fact, size: int, applied: Applied) -> Iterable[Told]:
        force = self._in_force.get(received.plan)
        fact, book = self._judge.judged(received, None if force is None else force.book)
        name, home = name_of(fact), state_codec.home(fact)
        folder = self._cabinet.folder(name)
        touched = folder.docket.add(fact)
        if not touched:
            return ()
        try:
            _refuse_overflow(name, folder.home(home), size)
            folder.put(fact, size=size)
            told = () if book is None else self._told(book, self._periods(name, folder, touched), name, applied)
        except Exception:
            self._cabinet.replace(name, folder.without(fact))
            raise
        self._changed[name, home] = None
        return told

    def _periods(self, name: Name, folder: Folder, touched: frozenset[str | None]) -> Iterable[str | None]:
        """Return the periods to assess; a fact about no one period touches all that are expected or have facts."""
        if EVERY_PERIOD not in touched:
            return touched if len(touched) == 1 else _sorted(touched)
        periods = set(touched | folder.docket.periods) - {EVERY_PERIOD}
        force = self._in_force.get(name[0])
        if force is not None:
            expected = self._books.expected(force.book, force.adoption.horizon, partition=self.partition)
            periods |= {one.period for one in expected if name_of(one) == name}
        return _sorted(periods)

    def _told(self, book: Book, periods: Iterable[str | None], name: Name, applied: Applied) -> list[Told]:
        _, agency, obligation = name
        duties = [book.duty(agency=agency, obligation=obligation, period=period) for period in periods]
        known = self._cabinet.bearing_on
        return [(agency, verdict(book, one, known(name, one.key.period), applied=applied)) for one in duties]

    def _adopt(self, adoption: PlanAdopted, applied: Applied) -> Iterator[Told]:
        if adoption.partition != self.partition:
            raise Refused("misrouted", f"an adoption of partition {adoption.partition} lies in {self.partition}")
        book = self._books.adopted(adoption)
        if book is None:
            raise Refused("unknown", "the adopted documents are not published", may_be_news=True)
        before = self._in_force.get(adoption.plan)
        if before is not None and not is_newer(adoption, before.adoption):
            return
        for key in self._newly_owed(book, adoption, before):
            yield from self._told(book, (key.period,), name_of(key), applied)
        self._adoptions[adoption.plan] = adoption
        self._in_force[adoption.plan] = Force(adoption=adoption, book=book)
        self._changed[name_of(state_codec.adoption_key(adoption.plan)), None] = None

    def _newly_owed(self, book: Book, adoption: PlanAdopted, before: Force | None) -> Iterator[DutyKey]:
        """Yield what must be said anew: after other versions everything, after a moved horizon what it uncovered."""
        expected = self._books.expected(book, adoption.horizon, partition=self.partition)
        if before is not None and before.book is book:
            yield from (key for key in expected if _opens(book, key) >= before.adoption.horizon.timestamp())
        else:
            yield from expected
            yield from self._also_told_of(book, frozenset(expected))

    def _also_told_of(self, book: Book, expected: frozenset[DutyKey]) -> Iterator[DutyKey]:
        """Yield the duties that nobody expects by the horizon but that facts are about, as far as *book* knows them."""
        for name in self._cabinet.names(book.plan.plan):
            plan, agency, obligation = name
            for period in _sorted(self._cabinet.periods(name)):
                key = DutyKey(plan=plan, agency=agency, obligation=obligation, period=period)
                if key not in expected and knows(book, key):
                    yield key


def is_newer(adoption: PlanAdopted, than: PlanAdopted) -> bool:
    """Whether *adoption* brings later versions, or the same ones with a later horizon."""
    return _rank(adoption) > _rank(than)


def _rank(adoption: PlanAdopted) -> tuple[int, int, float]:
    return adoption.plan_version, adoption.registry_version, adoption.horizon.timestamp()


def _opens(book: Book, key: DutyKey) -> float:
    opens_at = book.duty(agency=key.agency, obligation=key.obligation, period=key.period).opens_at
    return float("-inf") if opens_at is None else opens_at.timestamp()


def _refuse_overflow(name: Name, home: Home, size: int) -> None:
    if len(home.facts) >= MOST_FACTS_A_DUTY or home.size + size > LARGEST_DUTY_BYTES:
        held = f"{len(home.facts)} facts of {home.size} bytes"
        raise Refused("oversized", f"a duty of {'|'.join(name)} holds {held}; it takes no more")


def _sorted(periods: Iterable[str | None]) -> list[str | None]:
    return sorted(periods, key=lambda period: period or "")


def _adoption(event: Event) -> PlanAdopted:
    try:
        return PlanAdopted.model_validate_json(bytes(event.data))
    except ValidationError as cause:
        place = "/".join(str(part) for part in cause.errors()[0]["loc"])
        raise Refused("unreadable", f"/data/{place}: {cause.errors()[0]['msg']}") from cause
