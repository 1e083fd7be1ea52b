"""The dockets of one partition, in folders. What was restored stays sealed, as it was written, until it is asked for.

A restore is then as fast as the log is read, and a duty that nothing happens to costs its bytes alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from schemas.ids import DutyKey
from services.rules import states
from services.rules.core.docket import Docket
from services.rules.core.facts import Fact, identity

Name = tuple[str, str, str]
"""A docket's name: plan, agency, obligation."""


@dataclass(slots=True, kw_only=True)
class Home:
    """The facts kept under one key, and how large they came."""

    facts: list[Fact] = field(default_factory=list)
    size: int = 0


@dataclass(slots=True)
class Folder:
    """One docket, and the homes that its facts are written to."""

    docket: Docket = field(default_factory=Docket)
    homes: dict[str | None, Home] = field(default_factory=dict)

    def home(self, period: str | None) -> Home:
        """Return the home of what is kept under *period*, empty if nothing is yet."""
        return self.homes.setdefault(period, Home())

    def put(self, fact: Fact, *, period: str | None, size: int) -> None:
        """Note in its home a fact that the docket has taken in."""
        home = self.home(period)
        home.facts.append(fact)
        home.size += size

    def strike(self, fact: Fact) -> None:
        """Make the docket forget a fact that it took in but that was never put into its home."""
        self.docket = Docket(one for one in self.docket if identity(one) != identity(fact))


class Cabinet:
    """Finds folders by name."""

    def __init__(self) -> None:
        self._open: dict[Name, Folder] = {}
        self._sealed: dict[Name, list[tuple[str | None, bytes]]] = {}

    def seal(self, key: DutyKey, value: bytes) -> None:
        """Take back one home as it was written; it is read when its folder is asked for."""
        self._sealed.setdefault(name_of(key), []).append((key.period, value))

    def folder(self, name: Name) -> Folder:
        """Return the folder of that name, a new one if there is none."""
        folder = self._open.get(name)
        if folder is None:
            folder = self._open[name] = _unsealed(self._sealed.pop(name, ()))
        return folder

    def docket(self, name: Name) -> Docket:
        """Return the docket of that name, an empty one if there is none; keeps nothing new."""
        return self.folder(name).docket if name in self else Docket()

    def written(self, key: DutyKey) -> bytes:
        """Write what is kept under *key*."""
        return states.written(self.folder(name_of(key)).home(key.period).facts)

    def names(self, plan: str) -> Iterator[Name]:
        """Yield the names of the dockets of *plan* that hold facts."""
        return (name for name in [*self._open, *self._sealed] if name[0] == plan)

    def __contains__(self, name: object) -> bool:
        return name in self._open or name in self._sealed


def name_of(key: DutyKey) -> Name:
    """Return the docket that a duty belongs to."""
    return key.plan, key.agency, key.obligation


def _unsealed(homes: "list[tuple[str | None, bytes]] | tuple[()]") -> Folder:
    folder = Folder()
    for period, value in homes:
        facts = states.read(value)
        folder.homes[period] = Home(facts=list(facts), size=len(value))
        for fact in facts:
            folder.docket.add(fact)
    return folder
