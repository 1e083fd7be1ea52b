"""Plan 6766 as data says what the plan's text says, in its words, and nothing more."""

import re
import unicodedata
from datetime import date
from pathlib import Path

import pytest

from schemas.lint import documents
from schemas.plan import periods
from schemas.plan.plan import Obligation, Plan
from schemas.plan.registry import Registry
from schemas.plan.timing import DueRule
from services.console.commands.plans import check
from services.console.commands.plans.duties import list_duties
from services.rules.core.duty_catalogue import DutyCatalogue

FOLDER = Path(__file__).parents[3] / "deploy/plans/6766-kh-ubnd"
TRANSCRIPTION = Path(__file__).with_name("ke-hoach-6766.txt")
KEY = re.compile(r"`\[((?:II|III)\.[^\]]+|closing)\]`$")
NAMES = {"closing": "đoạn cuối"}  # the last paragraph has no number
ADDRESS_LINES = {"II.3.a", "II.3.b", "II.3.c", "II.3.d"}  # "Đối với ...:" alone; their duties stand in the dashes below


@pytest.fixture(scope="module")
def plan() -> Plan:
    """The shipped plan."""
    return documents.parse_plan((FOLDER / "plan.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def registry() -> Registry:
    """The shipped registry."""
    return documents.parse_registry((FOLDER / "registry.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def clauses() -> dict[str, str]:
    """The paragraphs of sections II and III by citation key."""
    text = unicodedata.normalize("NFC", TRANSCRIPTION.read_text(encoding="utf-8"))
    return {NAMES.get(found[1], found[1]): line for line in text.splitlines() if (found := KEY.search(line))}


def test_the_shipped_folder_passes_the_check() -> None:
    """`dondoc check` has nothing to say of what we ship, not even a warning."""
    assert check.check_folder(FOLDER, today=date(2026, 12, 31)).faults == ()


def test_every_quote_stands_letter_by_letter_in_its_clause(plan: Plan, clauses: dict[str, str]) -> None:
    """A citation is the plan's own words, in the paragraph that it names."""
    strangers = [
        one.id
        for one in plan.obligations
        if unicodedata.normalize("NFC", one.citation.quote) not in clauses.get(one.citation.clause, "")
    ]
    assert strangers == []


def test_every_clause_that_lays_down_a_duty_is_cited(plan: Plan, clauses: dict[str, str]) -> None:
    """No paragraph of sections II and III nor the last one is left out, and none is made up."""
    assert {one.citation.clause for one in plan.obligations} == set(clauses) - ADDRESS_LINES


def test_the_text_has_one_recurring_date_and_so_has_the_plan(plan: Plan, clauses: dict[str, str]) -> None:
    """Only the results of III.1 have a due date; every other duty is undated, and no figure has a cut-off."""
    dated = [one.id for one in plan.obligations for version in one.versions if version.due or version.cut_off]
    assert dated == ["annual-results"]
    assert [key for key, text in clauses.items() if re.search(r"ngày \d+ tháng \d+ hàng năm", text)] == ["III.1"]


def test_the_results_are_due_before_10_december(plan: Plan) -> None:
    """'Trước ngày 10 tháng 12' is exclusive, moves for no weekend, and counts from dispatch."""
    expected = DueRule(month=12, day=10, boundary="exclusive", weekend_rule="none", basis="dispatch")
    assert _results(plan).versions[0].due == expected
    assert _results(plan).recipient == "nhcsxh-tinh"


def test_what_the_text_calls_yearly_recurs_yearly(plan: Plan, clauses: dict[str, str]) -> None:
    """A year is the recurrence where the quote says so, and only there."""
    for one in plan.obligations:
        says_yearly = re.search(r"h[àằ]ng năm", unicodedata.normalize("NFC", one.citation.quote), re.IGNORECASE)
        assert (one.versions[0].recurrence is periods.Recurrence.YEAR) == bool(says_yearly), one.id
    assert clauses


def test_every_duty_is_named_in_both_languages(plan: Plan) -> None:
    """English stands beside Vietnamese."""
    assert [one.id for one in plan.obligations if one.title.en is None] == []


def test_the_first_results_are_owed_by_45_agencies_in_2016(plan: Plan, registry: Registry) -> None:
    """18 departments and 27 districts, at the first instant of 10 December in the plan's zone."""
    lines = list_duties(DutyCatalogue(plan, registry), periods.parse("2016"), None)
    due = [line["due_at"] for line in lines if line["obligation"] == "annual-results"]
    assert due == ["2016-12-10T00:00:00.000+07:00"] * 45


def test_the_plan_binds_from_its_day_of_issue(plan: Plan) -> None:
    """Every setting begins on 5 May 2016, and none has an end that the text does not give."""
    assert {(version.from_, version.to) for one in plan.obligations for version in one.versions} == {
        (date(2016, 5, 5), None)
    }


def _results(plan: Plan) -> Obligation:
    found = plan.obligation("annual-results")
    assert found is not None
    return found


@pytest.mark.parametrize("language", ["vi", "en"])
def test_nobody_reads_an_id(plan: Plan, language: str) -> None:
    """Every section and figure that the plan asks for has a title in both languages."""
    required = [version.requires for one in plan.obligations for version in one.versions]
    titles = [part.title for one in required for part in one.sections]
    titles += [part.title for one in required for part in one.indicators]
    assert titles
    assert [title for title in titles if title is None or not getattr(title, language)] == []
