"""Answer what is published: a plan or a registry in one of its versions, and what each version changed."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from schemas.plan.plan import Plan
from schemas.plan.registry import Registry, Succession
from services.reporting.cited_documents import NotFoundError
from services.reporting.core.access.readers import ReaderScope
from services.reporting.core.evidence import document_differences
from services.reporting.core.evidence.document_differences import DocumentDifference
from services.reporting.current.known_duties import CitedVersions
from services.reporting.queries import DocumentsUnreadError, ReportingQueries
from services.runtime.kafka.published_documents import PLAN, REGISTRY

_NONE_KNOWN = CitedVersions(plan_version=0, registry="", registry_version=0)


class DocumentVersionSource(Protocol):
    """Finds the versions of published documents."""

    @property
    def is_known(self) -> bool: ...
    def registry(self, registry_id: str) -> Registry | None: ...
    def list_versions(self, kind: str, document_id: str) -> tuple[int, ...]: ...
    def version(self, kind: str, document_id: str, version: int) -> Plan | Registry | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionChange:
    """What a version changed against the one before it."""

    version: int
    differences: tuple[DocumentDifference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanAnswer:
    """A version of a plan, the latest version of its registry, the numbers of all versions, and what each changed."""

    plan: Plan
    registry: Registry | None
    versions: tuple[int, ...]
    changes: tuple[VersionChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryAnswer:
    """A version of a registry as the reader may see it, the numbers of all versions, and what each one changed."""

    registry: Registry
    versions: tuple[int, ...]
    changes: tuple[VersionChange, ...]


class DocumentQueries:
    """Questions about published documents. Without a version the latest is meant.

    With *known_at* a document has the versions that the assessments known then cite: rules publishes every assessment
    anew under each version that it adopts. Both raise `NotFoundError` for a version that is not published or not known.
    """

    def __init__(self, documents: DocumentVersionSource, queries: ReportingQueries) -> None:
        self._documents = documents
        self._queries = queries

    async def find_plan(self, plan_id: str, version: int | None, known_at: datetime | None) -> PlanAnswer:
        """Return a plan, with its registry as it was known then."""
        cited = None
        if known_at is not None:
            cited = await self._queries.find_cited_versions(plan_id, known_at) or _NONE_KNOWN
        versions = self._list_versions(PLAN, plan_id, until=cited.plan_version if cited else None)
        found = self._find(PLAN, plan_id, version, versions)
        if not isinstance(found, Plan):
            raise NotFoundError(
                en=f"version {version} of plan {plan_id!r} is not published",
                vi=f"chưa công bố phiên bản {version} của kế hoạch {plan_id!r}",
            )
        published = (self._documents.version(PLAN, plan_id, number) for number in versions)
        changes = await asyncio.to_thread(_list_changes, [one for one in published if one is not None])
        until = cited.registry_version if cited else None
        registries = _cut(self._documents.list_versions(REGISTRY, found.registry), until)
        registry = self._documents.version(REGISTRY, found.registry, registries[-1]) if registries else None
        return PlanAnswer(
            plan=found,
            registry=registry if isinstance(registry, Registry) else None,
            versions=versions,
            changes=changes,
        )

    async def find_registry(
        self, registry_id: str, version: int | None, scope: ReaderScope, *, known_at: datetime | None
    ) -> RegistryAnswer:
        """Return what *scope* covers of a registry; it was known when a plan was that names it."""
        until = None if known_at is None else await self._find_registry_version(registry_id, known_at)
        versions = self._list_versions(REGISTRY, registry_id, until=until)
        found = self._find(REGISTRY, registry_id, version, versions)
        if not isinstance(found, Registry):
            raise NotFoundError(
                en=f"version {version} of registry {registry_id!r} is not published",
                vi=f"chưa công bố phiên bản {version} của danh sách đơn vị {registry_id!r}",
            )
        published = (self._documents.version(REGISTRY, registry_id, number) for number in versions)
        covered = [restrict_registry(one, scope) for one in published if isinstance(one, Registry)]
        # A registry of ten thousand agencies is compared in a second, in which other requests are answered.
        changes = await asyncio.to_thread(_list_changes, covered)
        return RegistryAnswer(registry=restrict_registry(found, scope), versions=versions, changes=changes)

    async def _find_registry_version(self, registry_id: str, known_at: datetime) -> int | None:
        """Return the newest version that was known, 0 where none was; None of a registry that no plan names."""
        plans = [one.plan for one in self._queries.plans() if one.registry == registry_id]
        cited = [await self._queries.find_cited_versions(plan, known_at) for plan in plans]
        known = [one.registry_version for one in cited if one is not None and one.registry == registry_id]
        return max(known, default=0) if plans else None

    def _list_versions(self, kind: str, document_id: str, *, until: int | None) -> tuple[int, ...]:
        if not self._documents.is_known:
            raise DocumentsUnreadError
        versions = _cut(self._documents.list_versions(kind, document_id), until)
        if not versions:
            then, then_vi = ("", "") if until is None else (" as known then", " theo thông tin lúc đó")
            kind_vi = "kế hoạch" if kind == PLAN else "danh sách đơn vị"
            raise NotFoundError(
                en=f"no {kind} {document_id!r} is published{then}",
                vi=f"chưa công bố {kind_vi} {document_id!r}{then_vi}",
            )
        return versions

    def _find(
        self, kind: str, document_id: str, version: int | None, versions: Sequence[int]
    ) -> Plan | Registry | None:
        chosen = versions[-1] if version is None else version
        return self._documents.version(kind, document_id, chosen) if chosen in versions else None


def _cut(versions: tuple[int, ...], until: int | None) -> tuple[int, ...]:
    return versions if until is None else tuple(one for one in versions if one <= until)


def restrict_registry(registry: Registry, scope: ReaderScope) -> Registry:
    """Return *registry* with the agencies that *scope* covers, and the successions that concern them.

    A group covers whoever was ever its member. Of a succession the other agencies stay named: it says what became of
    one's own.
    """
    if scope.is_everything:
        return registry
    covered = tuple(
        one for one in registry.agencies if scope.covers_agency(one.id, frozenset(group.id for group in one.groups))
    )
    ids = {one.id for one in covered}
    successions = tuple(one for one in registry.successions if ids & set(_list_concerned(one)))
    return registry.model_copy(update={"agencies": covered, "successions": successions})


def _list_concerned(succession: Succession) -> Iterable[str]:
    return (*succession.from_, *succession.to)


def _list_changes(versions: Iterable[Plan | Registry]) -> tuple[VersionChange, ...]:
    """Return what each of *versions*, which are in order, changed against the one before; the first changed nothing."""
    changes: list[VersionChange] = []
    before: Mapping[str, Any] | None = None
    for one in versions:
        document = dump_document(one)
        found = () if before is None else document_differences.compare_documents(before, document)
        changes.append(VersionChange(version=one.version, differences=found))
        before = document
    return tuple(changes)


def dump_document(document: Plan | Registry) -> dict[str, Any]:
    """Return a document as the JSON values of its file, without what has its default."""
    return document.model_dump(mode="json", by_alias=True, exclude_defaults=True)
