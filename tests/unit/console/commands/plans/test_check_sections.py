"""Each fault of a section with a title is named at its line."""

import pytest

from tests.support.builders.valid_documents import PLAN, faults_in, replace_once

SECTIONS = "          sections: [results]\n"
PLACE = "results.versions[1].requires.sections"
FAULTS = [
    ("- {id: plans, titel: {vi: Kế hoạch}}", f"{PLACE}[1].titel: unknown key; did you mean 'title'?"),
    ("- {title: {vi: Kế hoạch}}", f"{PLACE}[1].id: missing"),
    ("- {id: plans, title: Kế hoạch}", f"{PLACE}[1].title: 'Kế hoạch' is no mapping of keys to values"),
    ("- {id: plans, title: {en: Plans}}", f"{PLACE}[1].title.vi: missing"),
    ('- {id: plans, title: {vi: Kế hoạch, en: " "}}', f"{PLACE}[1].title.en: empty"),
    ("- {id: next year}", f"{PLACE}[1].id: 'next year' is not written as "),
    ("- next year", f"{PLACE}[1]: 'next year' is not written as "),
    ("- 12", f"{PLACE}[1]: 12 is no text; put it in quotes"),
    ("-", f"{PLACE}[1]: empty"),
    ("- [plans]", f"{PLACE}[1]: ['plans'] is no text; put it in quotes"),
    ("- results", f"warning: {PLACE}[1]: 'results' is used twice; it stands already at obligations[0]"),
    (
        "- {id: results, title: {vi: Kết quả}}",
        f"warning: {PLACE}[1].id: 'results' is used twice; it stands already at obligations[0]",
    ),
]


@pytest.mark.parametrize("line, expected", FAULTS)
def test_a_fault_of_a_section_is_named_at_its_line(line: str, expected: str) -> None:
    """The second section is wrong, and nothing else is blamed for it."""
    sections = f"          sections:\n            - {{id: results}}\n            {line}\n"
    (found,) = faults_in(plan=replace_once(PLAN, SECTIONS, sections))
    assert found.startswith(f"plan.yaml:37: {expected}"), found


def test_titles_are_no_fault() -> None:
    """Sections with and without a title may stand side by side."""
    titled = "          sections: [results, {id: plans, title: {vi: Kế hoạch, en: Plans}}, {id: causes}]\n"
    assert faults_in(plan=replace_once(PLAN, SECTIONS, titled)) == []
