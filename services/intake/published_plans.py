"""The published plans as validation needs them: indexed on first use, forgotten when a new document is published.

A snapshot of them lies beside the spool, so that a restart while the broker is away does not leave intake without any
plan. The same snapshot is what the main process sends to its workers.
"""

import logging
from pathlib import Path

from pydantic import BaseModel, ValidationError

from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.intake.core.plan_index import PlanIndex, build_plan_index
from services.runtime import secret_files
from services.runtime.kafka.published_documents import PublishedDocuments

SNAPSHOT_FILE = "references.json"

log = logging.getLogger(__name__)


class _Snapshot(BaseModel):
    plans: tuple[Plan, ...] = ()
    registries: tuple[Registry, ...] = ()


class SnapshotPlans:
    """The plans of a snapshot."""

    def __init__(self) -> None:
        self._snapshot = _Snapshot()
        self._indexed: dict[str, PlanIndex] = {}
        self.is_ready = False
        """Whether there is any plan to validate by."""

    def load(self, content: bytes) -> None:
        """Replace all plans by the snapshot *content* (JSON); raise `ValidationError` if it cannot be read."""
        self._snapshot = _Snapshot.model_validate_json(content)
        self._indexed.clear()
        self.is_ready = bool(self._snapshot.plans)

    def index_of(self, plan_id: str) -> PlanIndex | None:
        """Return the index of a plan's latest version, or None while the plan or its registry is not published."""
        known = self._indexed.get(plan_id)
        if known is not None:
            return known
        found = self.plan_and_registry(plan_id)
        return None if found is None else self._indexed.setdefault(plan_id, build_plan_index(*found))

    def plan_and_registry(self, plan_id: str) -> tuple[Plan, Registry] | None:
        """Return the latest version of a plan with its registry, or None while either is not published."""
        plan = next((one for one in self._snapshot.plans if one.plan == plan_id), None)
        registries = (one for one in self._snapshot.registries if plan is not None and one.registry == plan.registry)
        registry = next(registries, None)
        return None if plan is None or registry is None else (plan, registry)


class PublishedPlans(SnapshotPlans):
    """The latest plans on the broker; until those are read, the plans of the snapshot that an earlier run left."""

    def __init__(self, references: PublishedDocuments, folder: Path) -> None:
        super().__init__()
        self._references = references
        self._path = folder / SNAPSHOT_FILE
        references.on_change.append(self._on_change)

    def load_file(self) -> None:
        """Read the snapshot of an earlier run, if there is one."""
        try:
            self.load(self._path.read_bytes())
        except FileNotFoundError:
            return
        except ValidationError:
            log.exception("the snapshot of the plans cannot be read", extra={"action": "snapshot_unreadable"})

    def plan_and_registry(self, plan_id: str) -> tuple[Plan, Registry] | None:
        """Return the latest version of a plan with its registry, or None while either is not published."""
        if not self._references.is_complete:
            return super().plan_and_registry(plan_id)
        plan = self._references.plan(plan_id)
        registry = None if plan is None else self._references.registry(plan.registry)
        return None if plan is None or registry is None else (plan, registry)

    def encode_snapshot(self) -> bytes:
        """Return every latest plan with its registry as JSON, as `load` reads it."""
        snapshot = self._take_snapshot() if self._references.is_complete else self._snapshot
        return snapshot.model_dump_json(by_alias=True, exclude_defaults=True).encode()

    def _take_snapshot(self) -> _Snapshot:
        plans = self._references.plans()
        registries = (self._references.registry(one) for one in sorted({plan.registry for plan in plans}))
        return _Snapshot(plans=plans, registries=tuple(one for one in registries if one is not None))

    def _on_change(self) -> None:
        self._indexed.clear()
        # A plan may arrive before its registry; with a snapshot of that moment a restarted intake
        # would refuse every event of the plan.
        if not self._references.is_complete:
            return
        self.is_ready = True
        try:
            secret_files.replace_file(self._path, self.encode_snapshot())
        except OSError:
            log.exception("the snapshot of the plans cannot be written", extra={"action": "snapshot_failed"})
