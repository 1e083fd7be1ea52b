"""The books of duties, prepared once for each pair of plan and registry version and shared by all partitions."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from schemas.events.facts import PlanAdopted
from schemas.events.ids import DutyKey, partition_of
from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.rules.core.duty_catalogue import Book

BREATH = 500  # after so many duties the loop may turn


class Published(Protocol):
    """What is published, as `services.runtime.published_documents` tells it."""

    def plan(self, plan_id: str) -> Plan | None: ...
    def registry(self, registry_id: str) -> Registry | None: ...
    def plans(self) -> tuple[Plan, ...]: ...
    def version(self, kind: str, document_id: str, version: int) -> Plan | Registry | None: ...


class Books:
    """Finds the book that an adoption names, the latest one, and the duties each partition must expect by it."""

    def __init__(self, published: Published, partitions: int) -> None:
        self._published = published
        self._partitions = partitions
        self._books: dict[tuple[str, int, str, int], Book] = {}
        self._expected: dict[tuple[str, int, str, int], tuple[datetime, Mapping[int, Sequence[DutyKey]]]] = {}
        self._homes: dict[str, int] = {}

    def latest(self, plan_id: str) -> Book | None:
        """Return the book of the latest versions, or nothing where the plan or its registry is not published."""
        plan = self._published.plan(plan_id)
        registry = None if plan is None else self._published.registry(plan.registry)
        return None if plan is None or registry is None else self._book(plan, registry)

    def all_latest(self) -> tuple[Book, ...]:
        """Return the latest book of every published plan."""
        found = (self.latest(plan.plan) for plan in self._published.plans())
        return tuple(book for book in found if book is not None)

    def adopted(self, adoption: PlanAdopted) -> Book | None:
        """Return the book of the versions that *adoption* names, or nothing where they are not published."""
        plan = self._published.version("plan", adoption.plan, adoption.plan_version)
        registry = self._published.version("registry", adoption.registry, adoption.registry_version)
        if isinstance(plan, Plan) and isinstance(registry, Registry):
            return self._book(plan, registry)
        return None

    async def prepare(self, book: Book, until: datetime) -> None:
        """Find the duties expected before *until* in small steps: of a large plan they take seconds."""
        if self._is_prepared(book, until):
            return
        shares: dict[int, list[DutyKey]] = {}
        for count, key in enumerate(book.expected(until), start=1):
            shares.setdefault(self.home(key.agency), []).append(key)
            if count % BREATH == 0:
                await asyncio.sleep(0)
        self._expected[_name(book.plan, book.registry)] = (until, shares)

    def expected(self, book: Book, until: datetime, *, partition: int) -> Sequence[DutyKey]:
        """Return the duties that open before *until*, of the agencies at home in *partition*."""
        name = _name(book.plan, book.registry)
        if not self._is_prepared(book, until):
            shares: dict[int, list[DutyKey]] = {}
            for key in book.expected(until):
                shares.setdefault(self.home(key.agency), []).append(key)
            self._expected[name] = (until, shares)
        return self._expected[name][1].get(partition, ())

    def home(self, agency: str) -> int:
        """Return the partition that holds everything of *agency*."""
        if agency not in self._homes:
            self._homes[agency] = partition_of(agency, self._partitions)
        return self._homes[agency]

    def _is_prepared(self, book: Book, until: datetime) -> bool:
        found = self._expected.get(_name(book.plan, book.registry))
        return found is not None and found[0] == until

    def _book(self, plan: Plan, registry: Registry) -> Book:
        name = _name(plan, registry)
        if name not in self._books:
            self._books[name] = Book(plan, registry)
        return self._books[name]


def _name(plan: Plan, registry: Registry) -> tuple[str, int, str, int]:
    return plan.plan, plan.version, registry.registry, registry.version
