"""The published plans as admission needs them: prepared once, forgotten when a new document arrives."""

from services.intake.core.references import Prepared, prepare
from services.runtime.references import References


class ReferenceLibrary:
    """The latest plans with their registries."""

    def __init__(self, references: References) -> None:
        self._references = references
        self._prepared: dict[str, Prepared] = {}
        references.changed.append(self._prepared.clear)

    def prepared(self, plan_id: str) -> Prepared | None:
        """Return the latest version of a plan, prepared, or nothing while it or its registry is not published."""
        known = self._prepared.get(plan_id)
        if known is not None:
            return known
        plan = self._references.plan(plan_id)
        registry = None if plan is None else self._references.registry(plan.registry)
        if plan is None or registry is None:
            return None
        return self._prepared.setdefault(plan_id, prepare(plan, registry))
