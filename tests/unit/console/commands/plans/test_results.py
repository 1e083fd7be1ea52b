"""`dondoc results`: what agencies sent is consolidated as it stood and as it was known, from a file of facts."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from services.console.main import app
from tests.support.assertions.spec import rfc3339
from tests.support.builders.plan_folders import a_folder
from tests.support.builders.plans import (
    Json,
    a_reassignment,
    a_return,
    a_submission,
    a_version,
    a_withdrawal,
    an_agency,
)

RECORDED_LAST = "2024-12-20 08:00"


def a_report(event: str, on: str, *, agency: str = "h-mot", period: str = "2024", **data: Any) -> Json:
    """Return a report with `loans`, received and recorded at a wall time."""
    figures = {code: data.pop(code) for code in ("loans", "overdue") if code in data}
    content = {
        "nil_return": data.pop("nil_return", False),
        "figures_as_of": data.pop("cut_off", f"{period}-11-30"),
        "sections": {"results": data.pop("text", "Đã làm")},
        "indicators": figures,
    }
    document = {"number": f"{event}/BC", "issued_on": "2024-12-01", "signed_by": "A", "title": "BC"}
    fields = {"agency": agency, "period": period, "content": content, "document": document, **data}
    return stamp(a_submission(event, data=fields, subject=agency), on)


def stamp(event: Json, on: str) -> Json:
    """Return the event as the log holds it."""
    return event | {"receivedtime": rfc3339(on), "recordedtime": rfc3339(on)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A plan folder whose obligation requires `loans`, accepts `overdue` and knows their ratio."""
    requires = {"indicators": ["loans"], "sections": ["results"]}
    return a_folder(
        tmp_path,
        versions=[a_version(requires=requires, accepts={"indicators": ["overdue"]})],
        agencies=[an_agency("h-mot"), an_agency("h-hai")],
        indicators=[
            {"code": "ratio", "kind": "ratio", "formula": "overdue * 100 / loans"},
            {"code": "loans", "unit": "million_vnd", "target": {"2024": 100}},
            {"code": "overdue"},
        ],
    )


def run_results(folder: Path, *facts: Json, period: str = "2024", **options: str) -> Result:
    """Run `dondoc results` on *folder* over these facts."""
    path = folder / "facts.jsonl"
    path.write_text("".join(f"{json.dumps(fact, ensure_ascii=False)}\n" for fact in facts))
    extra = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", value)]
    return CliRunner().invoke(app, ["results", str(folder), "--facts", str(path), "--period", period, *extra])


def consolidate(folder: Path, *facts: Json, code: str = "loans", **options: Any) -> Json:
    """Return the result of one indicator."""
    result = run_results(folder, *facts, **options)
    assert result.exit_code == 0, result.stderr
    (obligation,) = json.loads(result.stdout)["obligations"]
    return next(one for one in obligation["indicators"] if one["code"] == code)


def test_figures_are_exact_from_the_event_to_the_total(folder: Path) -> None:
    """0.1 + 0.2 is 0.3, whether the figures came as numbers or as text."""
    facts = (
        a_report("s-1", "2024-12-01 08:00", loans=0.1),
        a_report("s-2", "2024-12-02 08:00", agency="h-hai", loans="0.2"),
    )
    found = consolidate(folder, *facts)
    assert (found["total"], found["agencies"], found["target"]) == ("0.3", 2, "100")
    assert [one["value"] for one in found["figures"]] == ["0.2", "0.1"]


def test_a_correction_is_chosen_whole(folder: Path) -> None:
    """A figure that the correction does not give is not given, although the first report gave it."""
    facts = (
        a_report("s-1", "2024-12-01 08:00", loans=5, overdue=1),
        a_report("s-2", "2024-12-02 08:00", loans=7, corrects="s-1"),
    )
    assert consolidate(folder, *facts)["total"] == "7"
    assert consolidate(folder, *facts, code="overdue")["not_given"] == ["h-hai", "h-mot"]


def test_of_two_complete_documents_the_one_effective_last_stands(folder: Path) -> None:
    """A complete one stands before an incomplete one, whenever that came."""
    first, second = a_report("s-1", "2024-12-01 08:00", loans=5), a_report("s-2", "2024-12-02 08:00", loans=7)
    incomplete = a_report("s-3", "2024-12-03 08:00", overdue=9)
    found = consolidate(folder, first, second, incomplete)
    assert (found["total"], found["figures"][0]["id"], found["figures"][0]["flags"]) == (
        "7",
        "s-2",
        ["needs_reconciliation"],
    )


def test_a_withdrawn_report_gives_nothing(folder: Path) -> None:
    """After its withdrawal it stands no more, before it did."""
    facts = a_report("s-1", "2024-12-01 08:00", loans=5), stamp(a_withdrawal("w-1", "s-1"), "2024-12-05 08:00")
    assert consolidate(folder, *facts)["agencies"] == 0
    assert consolidate(folder, *facts, at=rfc3339("2024-12-04 08:00"))["total"] == "5"
    assert (
        consolidate(folder, *facts, at=rfc3339("2024-12-06 08:00"), known_at=rfc3339("2024-12-04 08:00"))["total"]
        == "5"
    )


def test_a_moved_report_counts_in_the_period_it_was_moved_to(folder: Path) -> None:
    """Reassigned from 2023 to 2024."""
    facts = (
        a_report("s-1", "2024-12-01 08:00", period="2023", loans=5),
        stamp(a_reassignment("m-1", "s-1", from_="2023", to="2024"), "2024-12-02 08:00"),
    )
    assert consolidate(folder, *facts)["total"] == "5"
    assert consolidate(folder, *facts, period="2023")["total"] == "0"


def test_the_year_before_is_asked_at_the_same_instant(folder: Path) -> None:
    """The same question about 2023, and the agencies that gave the figure in both years."""
    facts = (
        a_report("s-1", "2023-12-01 08:00", period="2023", loans=4),
        a_report("s-2", "2023-12-01 08:00", period="2023", agency="h-hai", loans=6),
        a_report("s-3", "2024-12-01 08:00", loans=5),
    )
    assert consolidate(folder, *facts)["previous"] == {
        "period": "2023",
        "total": "10",
        "agencies": 2,
        "comparable": True,
        "same": {"agencies": 1, "total": "5", "previous": "4"},
    }


def test_without_an_instant_the_last_record_of_the_file_is_asked_about(folder: Path) -> None:
    """The document says which instants it answers for."""
    result = run_results(folder, a_report("s-1", "2024-12-01 08:00", loans=5))
    document = json.loads(result.stdout)
    assert document["at"] == document["known_at"] == "2024-12-01T08:00:00.000+07:00"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"period": "next"}, "--period: 'next' is not a reporting period"),
        ({"at": "yesterday"}, "--at: "),
        ({}, "name the instant with --at"),
    ],
)
def test_an_unusable_question_is_refused(folder: Path, options: dict[str, str], words: str) -> None:
    """With exit code 2, and nothing on stdout."""
    result = run_results(folder, **options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr


def test_a_period_that_no_obligation_has_gives_an_empty_document(folder: Path) -> None:
    """It is a fair question about a plan of yearly reports."""
    result = run_results(folder, period="2024-Q1", at="2024-12-31T00:00:00Z")
    assert json.loads(result.stdout)["obligations"] == []


def test_a_plan_that_is_given_twice_is_refused(folder: Path) -> None:
    """Two documents of one plan would say the same twice, or contradict each other."""
    path = folder / "facts.jsonl"
    path.write_text(json.dumps(a_report("s-1", "2024-12-01 08:00", loans=5)) + "\n")
    command = ["results", str(folder), str(folder), "--facts", str(path), "--period", "2024"]
    refused = CliRunner().invoke(app, command)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "another folder holds the plan 'P-1' too" in refused.stderr


HISTORY = [
    a_report("s-1", "2024-12-01 08:00", loans="1.10", overdue=1),
    a_report("s-2", "2024-12-11 08:00", loans=7, corrects="s-1", cut_off="2024-12-31"),
    a_report("s-3", "2024-12-12 08:00", agency="h-hai", loans=3, nil_return=True),
    a_report("s-4", "2024-12-13 08:00", agency="h-hai", loans=3),
    a_report("s-5", "2023-12-01 08:00", period="2023", loans=2),
    stamp(a_withdrawal("w-1", "s-2"), "2024-12-14 08:00"),
    stamp(a_reassignment("m-1", "s-1", from_="2024", to="2023"), "2024-12-15 08:00"),
]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(order=st.permutations(HISTORY), repeated=st.lists(st.sampled_from(HISTORY), max_size=4))
def test_the_order_and_repetition_of_facts_change_nothing(
    folder: Path, order: list[Json], repeated: list[Json]
) -> None:
    """A facts file in any order, some facts twice, gives the same document."""
    at = rfc3339(RECORDED_LAST)
    assert run_results(folder, *order, *repeated, at=at).stdout == run_results(folder, *HISTORY, at=at).stdout


def test_a_returned_report_is_summed_and_stands_under_incomplete(folder: Path) -> None:
    """Until it is corrected its figure counts with the flag `returned`; the correction's figure takes its place."""
    returned = stamp(a_return("b-1", "s-1", respond_by=rfc3339("2024-12-16 00:00")), "2024-12-12 08:00")
    facts = a_report("s-1", "2024-12-05 08:00", loans=1000), returned
    found = consolidate(folder, *facts, at=rfc3339("2024-12-14 08:00"))
    assert (found["total"], found["agencies"], found["late"], found["incomplete"]) == ("1000", 1, 0, 1)
    assert found["figures"][0]["flags"][-1] == "returned"
    before = consolidate(folder, *facts, at=rfc3339("2024-12-11 08:00"))
    assert (before["incomplete"], before["figures"][0]["flags"]) == (0, [])
    correction = a_report("s-2", "2024-12-15 08:00", loans=1, corrects="s-1")
    corrected = consolidate(folder, *facts, correction)
    assert (corrected["total"], corrected["incomplete"], corrected["figures"][0]["status"]) == ("1", 0, "on_time")
    assert "returned" not in corrected["figures"][0]["flags"]
    assert "returned_and_corrected" in corrected["figures"][0]["flags"]
