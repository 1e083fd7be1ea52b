"""Plan and registry documents from their text, with every fault at its line. Files and terminals are the caller's."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from schemas import yaml_source
from schemas.faults import DocumentInvalid, Fault, Finding
from schemas.plan import Plan
from schemas.registry import Registry

__all__ = ["DocumentInvalid", "Fault", "Finding", "cross_check", "parse_plan", "parse_registry"]

PLAN_FILE = "plan.yaml"
REGISTRY_FILE = "registry.yaml"

M = TypeVar("M", bound=BaseModel)


def parse_plan(text: str) -> Plan:
    """Return the plan in *text*; raise `DocumentInvalid` with all its faults."""
    return _parsed(text, Plan, PLAN_FILE)


def parse_registry(text: str) -> Registry:
    """Return the registry in *text*; raise `DocumentInvalid` with all its faults."""
    return _parsed(text, Registry, REGISTRY_FILE)


def cross_check(plan: Plan, registry: Registry) -> tuple[Fault, ...]:
    """Return what *plan* says of groups and agencies that *registry* does not know."""
    known = {group.id for group in registry.groups} | {agency.id for agency in registry.agencies}
    return tuple(
        Fault(
            file=PLAN_FILE, line=1, message=f"{obligation.id}: addressee {one!r} is no group or agency of the registry"
        )
        for obligation in plan.obligations
        for one in obligation.addressees
        if one not in known
    )


def _parsed(text: str, model: type[M], file: str) -> M:
    try:
        source = yaml_source.read(text)
    except yaml_source.NotYaml as cause:
        raise DocumentInvalid((Fault(file=file, line=cause.line, message=cause.problem),)) from cause
    try:
        return model.model_validate(source.content)
    except ValidationError as cause:
        faults = (Fault(file=file, line=source.line_of(one["loc"]), message=one["msg"]) for one in cause.errors())
        raise DocumentInvalid(tuple(sorted(faults))) from cause
