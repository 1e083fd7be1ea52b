"""`dondoc check` compares what a plan carries over with the plan that it supersedes."""

import json
from pathlib import Path

import pytest

from services.console.commands.plans import check
from tests.support.builders.valid_documents import PLAN, REGISTRY, replace_once

NEW = "522-KH-UBND"


def write_folder(directory: Path, plan: str) -> Path:
    """Write a plan with the sound registry into *directory*."""
    directory.mkdir(parents=True)
    (directory / "plan.yaml").write_text(plan, encoding="utf-8")
    (directory / "registry.yaml").write_text(REGISTRY, encoding="utf-8")
    return directory


def a_successor(carries: dict[str, str], *, recurrence: str = "year") -> str:
    """Return a plan that supersedes the sound one and carries over what *carries* says."""
    supersedes = json.dumps({"plan": plan_id(PLAN), "from": "2025-09-25", "carries": carries})
    plan = replace_once(PLAN, f"plan: {plan_id(PLAN)}\n", f"plan: {NEW}\nsupersedes: {supersedes}\n")
    return plan.replace("recurrence: year", f"recurrence: {recurrence}")


def plan_id(text: str) -> str:
    """Return the id of the plan in *text*."""
    return next(line.removeprefix("plan: ") for line in text.splitlines() if line.startswith("plan: "))


def messages_of(folder: Path, *others: Path) -> list[str]:
    """Return what is said of `carries`, without the place."""
    faults = check.check_folder(folder, others).faults
    return [f"{one.severity.value}: {one.message}" for one in faults if "carries" in one.message]


@pytest.mark.parametrize("old_folder", ["old", "elsewhere/old"])
def test_an_obligation_that_the_old_plan_has_not_is_refused(tmp_path: Path, old_folder: str) -> None:
    """Whether the old plan lies beside the new one or is named on the command line; the nearest id is proposed."""
    old = write_folder(tmp_path / old_folder, PLAN)
    new = write_folder(tmp_path / "new", a_successor({"resultss": "results"}))
    [message] = messages_of(new, old)
    assert message == (
        f"error: supersedes.carries.resultss: {plan_id(PLAN)!r} has no obligation 'resultss'; did you mean 'results'?"
    )


def test_what_both_plans_have_is_carried_over(tmp_path: Path) -> None:
    """Nothing is said where the old obligation exists and both are for the same periods."""
    old = write_folder(tmp_path / "old", PLAN)
    assert messages_of(write_folder(tmp_path / "new", a_successor({"results": "results"})), old) == []


def test_obligations_of_other_rhythms_carry_nothing(tmp_path: Path) -> None:
    """A yearly report counts for no month: a warning, because it does no harm."""
    write_folder(tmp_path / "old", PLAN)
    new = write_folder(tmp_path / "new", a_successor({"results": "results"}, recurrence="half-year"))
    [message] = messages_of(new)
    assert message.startswith("warning: supersedes.carries.results: 'results' and 'results' are never for the same")


def test_an_old_plan_that_nobody_finds_is_said(tmp_path: Path) -> None:
    """Then nothing is compared, and `check` says so."""
    [message] = messages_of(write_folder(tmp_path / "deep" / "new", a_successor({"results": "results"})))
    assert message.startswith(f"warning: supersedes.carries: nobody has compared this with {plan_id(PLAN)!r}")
