"""A folder with `plan.yaml` and `registry.yaml`, written from the builders."""

import json
from collections.abc import Sequence
from pathlib import Path

from schemas.lint.documents import PLAN_FILE, REGISTRY_FILE
from schemas.plan.plan import Obligation
from schemas.plan.registry import Agency
from tests.support.builders.plans import Json, a_plan, a_registry, an_obligation


def a_folder(
    folder: Path,
    *,
    versions: Sequence[Json] = (),
    obligations: Sequence[Obligation] = (),
    agencies: Sequence[Agency] = (),
    indicators: Sequence[Json] = (),
) -> Path:
    """Write the usual plan and registry, or the given ones, to *folder*, as JSON, which is YAML too."""
    plan = a_plan(*(obligations or [an_obligation(*versions)]), indicators=list(indicators))
    for name, document in ((PLAN_FILE, plan), (REGISTRY_FILE, a_registry(*agencies))):
        content = json.loads(document.model_dump_json(by_alias=True, exclude_unset=True))
        (folder / name).write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    return folder
