"""A plan names its sections by id alone or with a title; both are parsed to the same model."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from schemas.lint import documents
from schemas.plan.plan import Plan, Requirements
from tests.support.builders.valid_documents import PLAN, replace_once

FROZEN = Path(__file__).parents[3] / "contract" / "frozen" / "plan.schema.json"
TITLED = "sections: [results, {id: plans, title: {vi: Phương hướng, en: Plans}}, {id: causes}]"


def read_requirements(text: str) -> Requirements:
    """What the second version of the obligation in *text* requires."""
    return documents.parse_plan(text).obligations[0].versions[1].requires


def dump_sections(plan: Plan) -> Any:
    """The sections as other services read them on the bus."""
    document = json.loads(plan.model_dump_json(by_alias=True, exclude_defaults=True))
    return document["obligations"][0]["versions"][1]["requires"]["sections"]


def test_an_id_alone_is_a_section_without_a_title() -> None:
    """Both forms are the same section, so a plan that is written in the other form is not another plan."""
    assert documents.parse_plan(replace_once(PLAN, "[results]", "[{id: results}]")) == documents.parse_plan(PLAN)


@pytest.mark.parametrize("language, names", [("vi", ["results", "Phương hướng"]), ("en", ["results", "Plans"])])
def test_a_section_is_called_by_its_title(language: str, names: list[str]) -> None:
    """A section without a title is labelled with its id."""
    sections = read_requirements(replace_once(PLAN, "sections: [results]", TITLED)).sections
    assert [one.label_in(language) for one in sections] == [*names, "causes"]


def test_a_figure_is_called_by_its_title() -> None:
    """An indicator without a title is labelled with its code, one without a translation in Vietnamese."""
    indicators = read_requirements(
        replace_once(PLAN, "{code: loans,", "{code: x}, {code: loans, title: {vi: Dư nợ},")
    ).indicators
    assert [one.label_in("en") for one in indicators] == ["x", "Dư nợ"]


def test_only_a_title_changes_what_is_published() -> None:
    """A section without a title is published as its id alone, one with a title as the file has it."""
    title = {"vi": "Phương hướng", "en": "Plans"}
    plan = documents.parse_plan(replace_once(PLAN, "sections: [results]", TITLED))
    assert dump_sections(plan) == ["results", {"id": "plans", "title": title}, "causes"]
    assert Plan.model_validate_json(plan.model_dump_json(by_alias=True, exclude_defaults=True)) == plan


def test_a_plan_without_titles_fits_the_schema_of_before() -> None:
    """A reader that knows only the older schema can read every plan without titles."""
    plan = documents.parse_plan(replace_once(PLAN, "[results]", "[results, {id: plans}]"))
    sent = json.loads(plan.model_dump_json(by_alias=True, exclude_defaults=True))
    frozen = json.loads(FROZEN.read_text(encoding="utf-8"))
    jsonschema_rs.validator_for(frozen, validate_formats=True).validate(sent)
