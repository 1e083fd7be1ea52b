"""`dondoc duties`: the calendar of a period, one line a duty."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.console.main import app
from tests.support.assertions.spec import undated
from tests.support.builders.plan_folders import a_folder
from tests.support.builders.plans import SINCE, Json, a_version, an_agency, an_obligation

ENDED = an_agency("h-hai", valid={"from": SINCE, "to": "2024-07-01"})


def run_duties(folder: Path, *options: str) -> Result:
    """Run `dondoc duties` on *folder*."""
    return CliRunner().invoke(app, ["duties", str(folder), *options])


def rows(result: Result) -> list[Json]:
    """Return the rows on stdout."""
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_line_has_exactly_the_fields_of_the_contract(tmp_path: Path) -> None:
    """A row has the fields of the contract, with instants in the plan's zone."""
    folder = a_folder(tmp_path, agencies=[an_agency("h-mot")])
    assert rows(run_duties(folder, "--period", "2024")) == [
        {
            "agency": "h-mot",
            "obligation": "results",
            "period": "2024",
            "opens_at": "2024-01-01T00:00:00.000+07:00",
            "due_at": "2024-12-10T00:00:00.000+07:00",
            "citation": {"source": "kh", "clause": "III.1", "quote": "gửi kết quả trước ngày 10 tháng 12 hàng năm"},
        }
    ]


def test_shorter_periods_and_one_off_duties_of_the_year_are_listed_soonest_due_first(tmp_path: Path) -> None:
    """Periods within the year and one-off duties are listed by due instant; duties without one come last."""
    obligations = [
        an_obligation(),
        an_obligation(a_version(recurrence="half-year", due={}), id="halves"),
        an_obligation(a_version(recurrence="once", due={"date": "2016-06-30"}), id="programme"),
        an_obligation(undated(), id="publicity"),
    ]
    folder = a_folder(tmp_path, obligations=obligations, agencies=[an_agency("h-mot")])
    found = [(one["obligation"], one["period"], one["due_at"]) for one in rows(run_duties(folder, "--period", "2016"))]
    assert found == [
        ("programme", None, "2016-06-30T00:00:00.000+07:00"),
        ("halves", "2016-H1", "2016-07-01T00:00:00.000+07:00"),
        ("results", "2016", "2016-12-10T00:00:00.000+07:00"),
        ("halves", "2016-H2", "2017-01-01T00:00:00.000+07:00"),
        ("publicity", None, None),
    ]


@pytest.mark.parametrize(
    "as_of, agencies",
    [
        ([], ["h-mot"]),
        (["--as-of", "2024-06-30T23:59:59+07:00"], ["h-hai", "h-mot"]),
        (["--as-of", "2024-07-01T00:00:00+07:00"], ["h-mot"]),
        (["--as-of", "2023-12-31T23:59:59+07:00"], []),
    ],
)
def test_who_owes_is_asked_at_an_instant_or_in_the_end(tmp_path: Path, as_of: list[str], agencies: list[str]) -> None:
    """An agency that ended in mid-year owes the report until then and not in the end."""
    folder = a_folder(tmp_path, agencies=[an_agency("h-mot"), ENDED])
    assert [one["agency"] for one in rows(run_duties(folder, "--period", "2024", *as_of))] == agencies


def test_people_get_a_table(tmp_path: Path) -> None:
    """A table shows source and clause of the citation."""
    folder = a_folder(tmp_path, agencies=[an_agency("h-mot")], versions=[a_version(due=None, reminders={})])
    result = run_duties(folder, "--period", "2024", "--format", "table")
    assert result.exit_code == 0
    assert "kh III.1" in result.stdout


def test_an_empty_year_is_an_empty_table(tmp_path: Path) -> None:
    """A year before the plan has no duties in either format."""
    for fmt in ("table", "jsonl"):
        result = run_duties(a_folder(tmp_path), "--period", "2015", "--format", fmt)
        assert result.exit_code == 0
        assert "h-mot" not in result.stdout


@pytest.mark.parametrize(
    "options, message",
    [
        (["--period", "26"], "--period: '26' is not a reporting period"),
        (["--period", "2024", "--as-of", "tomorrow"], "--as-of: 'tomorrow' is not an RFC 3339 instant"),
    ],
)
def test_an_option_that_cannot_be_used_is_named(tmp_path: Path, options: list[str], message: str) -> None:
    """An unusable option exits 2 and names the option on stderr."""
    result = run_duties(a_folder(tmp_path), *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
