"""The published plans as admission needs them: prepared once, forgotten when a new document arrives.

A copy lies beside the spool, so that a restart while the bus is away does not make intake blind.
"""

import logging
from pathlib import Path

from pydantic import BaseModel, ValidationError

from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.intake import api_keys_file
from services.intake.core.plan_index import Prepared, prepare
from services.runtime.published_documents import PublishedDocuments

FILE = "references.json"

log = logging.getLogger(__name__)


class _Copy(BaseModel):
    plans: tuple[Plan, ...] = ()
    registries: tuple[Registry, ...] = ()


class ReferenceLibrary:
    """The latest plans with their registries."""

    def __init__(self, references: PublishedDocuments, folder: Path) -> None:
        self._references = references
        self._path = folder / FILE
        self._copy = _Copy()
        self._prepared: dict[str, Prepared] = {}
        self.edition = 0
        references.on_change.append(self._on_change)

    @property
    def is_ready(self) -> bool:
        """Whether there is anything to admit by."""
        return bool(self._prepared) or self._references.is_complete or bool(self._copy.plans)

    def load_copy(self) -> None:
        """Take the copy of an earlier run for the time until the bus has told more."""
        try:
            self._copy = _Copy.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return
        except ValidationError:
            log.exception("the copy of the references cannot be read", extra={"action": "copy_unreadable"})

    def prepared(self, plan_id: str) -> Prepared | None:
        """Return the latest version of a plan, prepared, or nothing while it or its registry is not published."""
        known = self._prepared.get(plan_id)
        if known is not None:
            return known
        found = self.documents(plan_id)
        return None if found is None else self._prepared.setdefault(plan_id, prepare(*found))

    def every(self) -> tuple[Prepared, ...]:
        """Return every published plan, prepared. They are the same while `edition` is."""
        plans = self._references.plans() if self._references.is_complete else self._copy.plans
        prepared = (self.prepared(plan.plan) for plan in plans)
        return tuple(one for one in prepared if one is not None)

    def documents(self, plan_id: str) -> tuple[Plan, Registry] | None:
        """Return the latest version of a plan with its registry, or nothing while either is not published."""
        plan, registry = self._published(plan_id) if self._references.is_complete else self._copied(plan_id)
        return None if plan is None or registry is None else (plan, registry)

    def _published(self, plan_id: str) -> tuple[Plan | None, Registry | None]:
        plan = self._references.plan(plan_id)
        return plan, None if plan is None else self._references.registry(plan.registry)

    def _copied(self, plan_id: str) -> tuple[Plan | None, Registry | None]:
        plan = next((one for one in self._copy.plans if one.plan == plan_id), None)
        registries = (one for one in self._copy.registries if plan is not None and one.registry == plan.registry)
        return plan, next(registries, None)

    def _on_change(self) -> None:
        self._prepared.clear()
        self.edition += 1
        if not self._references.is_complete:
            return
        plans = self._references.plans()
        registries = (self._references.registry(one) for one in sorted({plan.registry for plan in plans}))
        copy = _Copy(plans=plans, registries=tuple(one for one in registries if one is not None))
        try:
            api_keys_file.replace(self._path, copy.model_dump_json(by_alias=True, exclude_defaults=True).encode())
        except OSError:
            log.exception("the references cannot be copied to disk", extra={"action": "copy_failed"})
