"""`dondoc check` on parents with dates, lead agencies, compilations and plans that supersede others."""

import pytest

from services.console.commands.plans import check
from tests.support.builders import valid_documents

PARENTED = valid_documents.REGISTRY.replace("    parent: tinh\n", "    parent: PARENT\n")


def faults(plan: str = valid_documents.PLAN, registry: str = valid_documents.REGISTRY) -> list[str]:
    """Return the faults of both documents."""
    return [str(fault) for fault in check.check_texts(plan, registry, today=valid_documents.TODAY).faults]


def with_parent(parent: str) -> list[str]:
    """Return the faults where the bank of the usual registry has that parent."""
    return faults(registry=PARENTED.replace("PARENT", parent))


@pytest.mark.parametrize(
    "parent, expected",
    [
        ("[{id: tinh, to: 2025-07-01}, {id: so-b, from: 2025-07-01}]", "parent[1].id: 'so-b' ends on 2025-01-01"),
        ("[{id: tinh}, {id: h-1, from: 2025-07-01}]", "parent[1].from: overlaps parent[0], which has no end"),
        ("[{id: tinh, from: 2025-07-01, to: 2025-01-01}]", "parent[0].to: 2025-01-01 does not come after `from`"),
        ("[{id: tin}]", "parent[0].id: no agency of the registry is 'tin'; did you mean 'tinh'?"),
        ("[{from: 2025-07-01}]", "parent[0].id: missing"),
        ("[{id: bank, from: 2025-07-01}]", "parent[0].id: 'bank' is under 'bank' itself; a parent stands above"),
        ("so-b", "parent: 'so-b' ends on 2025-01-01 and 'bank' goes on; list its parents with dates"),
        ("7", "parent: 7 is no text; put it in quotes"),
    ],
)
def test_a_fault_of_a_parent_is_named_at_its_line(parent: str, expected: str) -> None:
    """Wrong dates, unknown ids, circles and offices that end too early are told at line 10 of the registry."""
    found = [one.replace("warning: ", "") for one in with_parent(parent)]
    assert any(one.startswith(f"registry.yaml:10: bank.{expected}") for one in found), found


def test_a_dated_parent_is_no_fault() -> None:
    """Entries that touch, an office that ends with its entry, and an open end are fine."""
    assert with_parent("[{id: so-b, from: 2020-01-01, to: 2025-01-01}, {id: tinh, from: 2025-01-01}]") == []


def test_a_circle_that_closes_on_a_later_day_is_found() -> None:
    """Two agencies that stand above each other at different times make none; at the same time they do."""
    registry = PARENTED.replace("PARENT", "[{id: h-1, to: 2020-01-01}]").replace(
        "names: [{vi: UBND huyện 1}]", "names: [{vi: UBND huyện 1}]\n    parent: [{id: bank, from: DAY}]"
    )
    assert [one for one in faults(registry=registry.replace("DAY", "2020-01-01")) if "itself" in one] == []
    (found,) = [one for one in faults(registry=registry.replace("DAY", "2019-01-01")) if "itself" in one]
    assert "is under" in found


@pytest.mark.parametrize(
    "addressees, expected",
    [
        ("lead: so-a", []),
        ("lead: so-a\n    with: [huyen]", []),
        ("lead: so-a\n    addressees: [huyen]", ["16: results.lead: takes the place of `addressees`"]),
        ("lead: so-x", ["16: results.lead: unknown group or agency 'so-x'; did you mean 'so-b'?"]),
        ("lead: so-a\n    with: [so-a]", ["17: results.with[0]: 'so-a' owes the report itself"]),
        ("lead: so-a\n    with: [so-x]", ["17: results.with[0]: unknown group or agency 'so-x'"]),
        ("kind: reporting", ["10: results.addressees: missing; write `addressees`, or `lead`"]),
    ],
)
def test_who_owes_a_report_is_checked(addressees: str, expected: list[str]) -> None:
    """A lead or addressees, one of the two, and nobody both owing and co-operating."""
    plan = valid_documents.PLAN.replace("addressees: [huyen, so-a]", addressees)
    found = [one for one in faults(plan) if "warning" not in one]
    assert len(found) == len(expected)
    assert all(one.startswith(f"plan.yaml:{start}") for one, start in zip(found, expected, strict=True)), found


COMPILES, SUPERSEDES = "results.compiles", "supersedes"


@pytest.mark.parametrize(
    "old, new, line, expected",
    [
        ("recipient: bank", "compiles: {obligation: results}", 17, f"{COMPILES}.obligation: a report does not compile"),
        ("recipient: bank", "compiles: {obligation: resul}", 17, f"{COMPILES}.obligation: unknown obligation 'resul'"),
        ("recipient: bank", "compiles: {obligation: results, of: all}", 17, f"{COMPILES}.of: 'all' is not one of"),
        ("sections: [results]", "parts: all", 35, "results.versions[1].requires.parts: this report has no parts"),
        ("issuer: tinh", "supersedes: {plan: P-1}", 5, f"{SUPERSEDES}.plan: a plan does not supersede itself"),
        ("issuer: tinh", "supersedes: {plan: P-0, carries: {a: b}}", 5, f"{SUPERSEDES}.carries.a: unknown obligation"),
        ("issuer: tinh", "supersedes: {plan: P-0}", 5, f"{SUPERSEDES}.from: missing"),
        ("issuer: tinh", "supersedes: {plan: P-0, from: 2016-01-01}", 5, f"warning: {SUPERSEDES}.from: lies before"),
        ("issuer: tinh", "tracked_from: 2026-02-30", 5, "tracked_from: there is no 2026-02-30"),
    ],
)
def test_a_fault_of_these_keys_is_named_at_its_line(old: str, new: str, line: int, expected: str) -> None:
    """Each of them once, with the remedy."""
    found = faults(valid_documents.PLAN.replace(old, new, 1))
    assert any(one.startswith(f"plan.yaml:{line}: {expected}") for one in found), found


def test_a_plan_without_sources_is_pointed_out() -> None:
    """Letters would cite it by its title."""
    found = faults(valid_documents.PLAN.replace("sources:\n  - {id: kh, number: 1/KH}\n", ""))
    assert [one.split(":")[3] for one in found] == [" sources"]
    assert "letters cite the plan by its title" in found[0]


def test_a_step_to_nobody_is_pointed_out() -> None:
    """The agencies of the group without a parent are named, with the days; with a parent nothing is said."""
    plan = valid_documents.PLAN.replace("to: lanh-dao", "to: parent").replace("recipient: bank", "recipient: parent")
    found = faults(plan)
    recipient, escalation = "results.recipient", "results.versions[0].reminders.escalate[0].to"
    issuer, nobody = "letters then speak for the issuer of the plan", "the step is left out then"
    early = "'so-a' from 2016-05-05 to 2020-01-01, nor above 1 more at some time"
    assert found == [
        f"plan.yaml:17: warning: {recipient}: no agency is above 'h-1' from 2021-01-01; {issuer}",
        f"plan.yaml:17: warning: {recipient}: no agency is above {early}; {issuer}",
        f"plan.yaml:27: warning: {escalation}: no agency is above {early}; {nobody}",
    ]
    parented = valid_documents.REGISTRY.replace("- id: so-a\n", "- id: so-a\n    parent: tinh\n").replace(
        "- id: h-1\n", "- id: h-1\n    parent: [{id: bank, to: 2018-01-01}, {id: tinh, from: 2018-01-01}]\n"
    )
    assert faults(plan, parented) == []
