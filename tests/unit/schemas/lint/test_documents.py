"""A document is accepted as a whole or refused with all its errors."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.lint import documents, yaml_source
from tests.support.builders.valid_documents import PLAN, REGISTRY, replace_once


def test_a_sound_text_becomes_its_model() -> None:
    """Dates may be quoted or not, and numbers stay numbers."""
    plan = documents.parse_plan(replace_once(PLAN, "issued_on: 2016-05-05", 'issued_on: "2016-05-05"'))
    assert plan == documents.parse_plan(PLAN)
    assert plan.version == 1


def test_a_refusal_carries_every_fault() -> None:
    """The caller gets the same diagnostics that the command prints."""
    with pytest.raises(documents.DocumentInvalid) as refusal:
        documents.parse_plan(
            replace_once(replace_once(PLAN, "source: kh\n", "source: x\n"), "version: 1", "version: 0")
        )
    assert [fault.line for fault in refusal.value.diagnostics] == [2, 12]
    assert str(refusal.value).startswith("plan.yaml:2: version: ")


def test_a_warning_refuses_nothing() -> None:
    """A plan with a warning is accepted."""
    text = replace_once(PLAN, "      - from: 2016-05-05", "      - from: 2016-05-04")
    assert documents.parse_plan(text).obligation("results") is not None


def test_text_that_is_no_yaml_is_refused_at_its_line() -> None:
    """A text that cannot be parsed is refused with its line too."""
    with pytest.raises(documents.DocumentInvalid, match=r"^registry\.yaml:3: not YAML: "):
        documents.parse_registry("registry: th\nversion: 1\n: ]")


def test_models_are_held_against_each_other() -> None:
    """A plan and its registry can be checked against each other without their text."""
    plan, registry = documents.parse_plan(PLAN), documents.parse_registry(REGISTRY)
    assert documents.cross_check(plan, registry) == ()
    stranger = plan.model_copy(update={"issuer": "xa"})
    assert [fault.message for fault in documents.cross_check(stranger, registry)] == [
        "issuer: no agency of the registry is 'xa'"
    ]


def test_both_forms_of_a_model_check_alike() -> None:
    """The JSON form of a plan is checked like its YAML form."""
    again = documents.parse_plan(documents.parse_plan(PLAN).model_dump_json(by_alias=True, exclude_none=True))
    assert again == documents.parse_plan(PLAN)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(PLAN)), st.integers(0, 40), st.text(max_size=12))
def test_no_damage_to_a_plan_breaks_the_check(start: int, length: int, scrap: str) -> None:
    """Whatever replaces a passage of a plan, the result is diagnostics and never a crash."""
    damaged = PLAN[:start] + scrap + PLAN[start + length :]
    assert all(line >= 1 for line in _lines(documents.lint_plan, damaged))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(REGISTRY)), st.integers(0, 40), st.text(max_size=12))
def test_no_damage_to_a_registry_breaks_the_check(start: int, length: int, scrap: str) -> None:
    """Whatever replaces a passage of a plan, the result is diagnostics and never a crash."""
    damaged = REGISTRY[:start] + scrap + REGISTRY[start + length :]
    assert all(line >= 1 for line in _lines(documents.lint_registry, damaged))


def _lines(examine: Callable[[str], documents.LintResult[Any]], text: str) -> list[int]:
    try:
        return [fault.line for fault in examine(text).diagnostics]
    except yaml_source.NotYaml as refusal:
        return [refusal.line]
