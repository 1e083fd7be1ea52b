"""The dockets of one partition, in folders. What was restored stays sealed, as it was written, until it is asked for.

A restore is then as fast as the log is read, and a duty that nothing happens to costs its bytes alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from schemas.events.ids import DutyKey
from services.rules import state_codec
from services.rules.core.docket import Docket
from services.rules.core.facts import Fact, Reassignment, Submission, Withdrawal, identity

Name = tuple[str, str, str]
"""A docket's name: plan, agency, obligation."""


@dataclass(slots=True, kw_only=True)
class Home:
    """The facts kept under one key, and how large they came."""

    facts: list[Fact] = field(default_factory=list)
    size: int = 0


_EMPTY = Home()  # never written to: a home that keeps something is made by `Folder.put`


class Folder:
    """One docket, and its facts by the home they are written to."""

    __slots__ = ("_acts", "_homes", "_is_entangled", "docket")

    def __init__(self) -> None:
        self.docket = Docket()
        self._homes: dict[str | None, Home] = {}
        self._acts: list[Fact] = []
        self._is_entangled = False

    def home(self, period: str | None) -> Home:
        """Return the home of what is kept under *period*, an empty one if nothing is."""
        return self._homes.get(period, _EMPTY)

    def bearing_on(self, period: str | None) -> Sequence[Fact]:
        """Return the facts that can bear on one period: assessing these alone or the whole docket gives the same.

        So the cost of a report does not grow with the years before it. A withdrawal or reassignment names a submission
        among all of the docket; where there is one, all are given.
        """
        if self._is_entangled:
            return tuple(self.docket)
        if not self._acts:
            return self.home(period).facts
        return [*self._acts, *[one for one in self.home(period).facts if isinstance(one, Submission)]]

    def put(self, fact: Fact, *, size: int) -> None:
        """Keep in its home a fact that the docket has taken in."""
        period = state_codec.home(fact)
        home = self._homes.get(period)
        if home is None:
            home = self._homes[period] = Home()
        home.facts.append(fact)
        home.size += size
        if not isinstance(fact, Submission):
            self._acts.append(fact)
            self._is_entangled = self._is_entangled or isinstance(fact, Withdrawal | Reassignment)

    def without(self, fact: Fact) -> "Folder":
        """Return a folder that has never seen *fact*."""
        fresh = Folder()
        for home in self._homes.values():
            for one in home.facts:
                if identity(one) != identity(fact):
                    fresh.docket.add(one)
                    fresh.put(one, size=home.size // len(home.facts))
        return fresh


class Cabinet:
    """Finds folders by name."""

    def __init__(self) -> None:
        self._open: dict[Name, Folder] = {}
        self._sealed: dict[Name, list[bytes]] = {}

    def seal(self, key: DutyKey, value: bytes) -> None:
        """Take back one home as it was written; it is read when its folder is asked for."""
        self._sealed.setdefault(name_of(key), []).append(value)

    def folder(self, name: Name) -> Folder:
        """Return the folder of that name, a new one if there is none."""
        folder = self._open.get(name)
        if folder is None:
            folder = self._open[name] = _unsealed(self._sealed.pop(name, ()))
        return folder

    def bearing_on(self, name: Name, period: str | None) -> Sequence[Fact]:
        """Return the facts that can bear on one duty; keeps nothing new."""
        folder = self._open.get(name)
        if folder is None and name in self._sealed:
            folder = self.folder(name)
        return () if folder is None else folder.bearing_on(period)

    def periods(self, name: Name) -> frozenset[str | None]:
        """Return the periods that facts of that docket are about."""
        return self.folder(name).docket.periods

    def replace(self, name: Name, folder: Folder) -> None:
        """Put another folder in the place of one."""
        self._open[name] = folder

    def written(self, name: Name, period: str | None) -> bytes:
        """Write what the docket of that name keeps under *period*."""
        return state_codec.written(self.folder(name).home(period).facts)

    def names(self, plan: str) -> Iterator[Name]:
        """Yield the names of the dockets of *plan* that hold facts."""
        return (name for name in [*self._open, *self._sealed] if name[0] == plan)


def name_of(one: DutyKey | Fact) -> Name:
    """Return the docket that a duty or a fact belongs to."""
    return one.plan, one.agency, one.obligation


def _unsealed(homes: Iterable[bytes]) -> Folder:
    folder = Folder()
    for value in homes:
        facts = state_codec.read(value)
        for fact in facts:
            folder.docket.add(fact)
            folder.put(fact, size=len(value) // len(facts))
    return folder
