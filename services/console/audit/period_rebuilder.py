"""Rebuilds the duties of some periods of a plan from the indexed log, some agencies at a time.

`LogBounds` say what of the log counts: what was known at an instant, and, for a sealed report, what lies before its
offsets.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from schemas.events.ids import partition_of
from schemas.plan.registry import Registry
from services.console.audit import rebuild
from services.console.audit.log_index import FactSelection, LogIndex, LogRecord
from services.console.audit.rebuild import RebuiltAssessments
from services.rules.core import plan_succession
from services.rules.core.agencies import Agencies
from services.rules.core.duty_catalogue import DutySelection
from services.rules.duty_catalogues import DutyCatalogues
from services.rules.processor import PartitionProcessor
from services.runtime.kafka.published_documents import REGISTRY, PublishedDocuments

CHUNK_AGENCIES = 200  # rebuilt together and then forgotten: this bounds the memory, whatever the size of the log

Periods = tuple[str | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogBounds:
    """What of the log counts. `facts_below` has by partition the offset from which on no fact does; None: all do."""

    known_at: datetime
    facts_below: Mapping[int, int] | None = None

    def select(self, records: Iterable[LogRecord], partition: int) -> Iterable[LogRecord]:
        """Return those of the *records* of a partition of the facts that lie before its bound."""
        if self.facts_below is None:
            return records
        bound = self.facts_below.get(partition, 0)
        return (record for record in records if record.offset < bound)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyChunk:
    """Some agencies of one partition, and the names by which facts call them."""

    partition: int
    agencies: Sequence[str]
    names: Sequence[str]


class PeriodRebuilder:
    """Rebuilds *periods* of *plan*, whose facts lie in so many *partitions*."""

    def __init__(
        self, index: LogIndex, references: PublishedDocuments, *, plan: str, periods: Periods, partitions: int
    ) -> None:
        self._index = index
        self._references = references
        self._plan = plan
        # The plans before and after it: their adoptions and the reports under them bear on its duties too.
        self._related = plan_succession.list_related(plan, references.plans())
        self._periods = periods
        self._partitions = partitions

    def list_agencies(self) -> list[str]:
        """Return every agency that was ever in a registry of the plan or is named by one of its facts."""
        return sorted(self._list_names())

    def split(self, agencies: Iterable[str]) -> Iterator[AgencyChunk]:
        """Yield *agencies* in chunks, each of one partition."""
        names = self._list_names()
        by_partition: dict[int, list[str]] = {}
        for agency in agencies:
            by_partition.setdefault(partition_of(agency, self._partitions), []).append(agency)
        for partition, members in sorted(by_partition.items()):
            remaining = iter(members)
            while some := list(islice(remaining, CHUNK_AGENCIES)):
                yield AgencyChunk(
                    partition=partition,
                    agencies=some,
                    names=sorted({name for agency in some for name in names.get(agency, ())}),
                )

    async def assess(self, chunk: AgencyChunk, bounds: LogBounds) -> RebuiltAssessments:
        """Return the newest assessment of each duty of *chunk* within *bounds*."""
        selection = DutySelection(agencies=chunk.agencies, periods=frozenset(self._periods))
        catalogues = DutyCatalogues(self._references, self._partitions, selection=selection)
        records = [record for plan in self._related for record in self._select_records(plan, chunk)]
        return await rebuild.assess_records(
            PartitionProcessor(chunk.partition, catalogues),
            [bounds.select(one, chunk.partition) for one in records],
            known_at=bounds.known_at,
        )

    def _select_records(self, plan: str, chunk: AgencyChunk) -> tuple[Iterable[LogRecord], Iterable[LogRecord]]:
        """Return the facts of *chunk* and the adoptions under one plan, each in the order of the log."""
        selected = FactSelection(
            plan=plan,
            partition=chunk.partition,
            agencies=chunk.names,
            periods=[period for period in self._periods if period is not None],
        )
        return self._index.facts(selected), self._index.adoptions(plan, chunk.partition)

    def _list_names(self) -> Mapping[str, set[str]]:
        """Return by agency the names that facts call it: its id, and an alias of any version of the registry."""
        registries = [Agencies(one) for one in self._find_registries()]
        names: dict[str, set[str]] = {agency: {agency} for registry in registries for agency in registry}
        for name in dict.fromkeys(name for plan in self._related for name in self._index.agency_names(plan)):
            # A name that no registry knows stands for itself; rules has rejected the fact.
            for agency in {registry.resolve(name) or name for registry in registries}:
                names.setdefault(agency, set()).add(name)
        return names

    def _find_registries(self) -> Iterator[Registry]:
        adopted = [one for plan in self._related for one in self._index.adopted_registries(plan)]
        for registry_id, version in dict.fromkeys(adopted):
            registry = self._references.version(REGISTRY, registry_id, version)
            if isinstance(registry, Registry):
                yield registry
