"""A folder with `plan.yaml` and `registry.yaml`, written from the builders."""

import json
from collections.abc import Sequence
from pathlib import Path

from schemas.lint.documents import PLAN_FILE, REGISTRY_FILE
from schemas.plan.plan import Obligation, Plan
from schemas.plan.registry import Agency, Registry
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
    return write_documents(folder, plan, a_registry(*agencies))


def write_documents(folder: Path, *documents: Plan | Registry) -> Path:
    """Write a plan, a registry or both to *folder*, which is created."""
    folder.mkdir(parents=True, exist_ok=True)
    for document in documents:
        name = PLAN_FILE if isinstance(document, Plan) else REGISTRY_FILE
        content = json.loads(document.model_dump_json(by_alias=True, exclude_none=True, exclude_defaults=True))
        (folder / name).write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    return folder
