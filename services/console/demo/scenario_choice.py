"""Chooses the scenario of a plan: one of its own, else one that is made from the plan."""

from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.console.demo.any_plan import season
from services.console.demo.plan_6766 import scenario
from services.console.demo.plan_6766.events import PLAN
from services.console.demo.scenario import Scenario


def choose_scenario(plan: Plan, registry: Registry) -> Scenario:
    """Return the scenario of *plan*; raise `UnusableInputError` where nothing would happen."""
    return scenario.build_scenario(registry) if plan.plan == PLAN else season.build_season(plan, registry)
