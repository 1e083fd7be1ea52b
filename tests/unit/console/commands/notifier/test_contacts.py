"""`dondoc contacts check`: who is out of reach, from files alone."""

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from services.console.main import app
from tests.support.builders.plan_folders import a_folder
from tests.support.builders.plans import a_version, an_obligation

HEADER = "agency,channel,address,role,language,from,to\n"


def run_check(folder: Path, *rows: str) -> Result:
    """Run `dondoc contacts check` over these contacts."""
    people = folder / "contacts.csv"
    people.write_text(HEADER + "".join(f"{row}\n" for row in rows))
    return CliRunner().invoke(app, ["contacts", "check", str(people), "--plan", str(folder)])


def test_every_agency_out_of_reach_is_named_and_ends_with_1(tmp_path: Path) -> None:
    """The one agency whose contact is no longer valid today is printed, and the exit code is 1."""
    rows = ("h-mot,email,a@x.example,,,,", "h-hai,sms,0912345678,,,,", "h-ba,email,b@x.example,,,,2020-01-01")
    result = run_check(a_folder(tmp_path), *rows)
    assert result.exit_code == 1
    assert [json.loads(line)["agency"] for line in result.stdout.splitlines()] == ["h-ba"]


def test_a_contact_for_every_agency_exits_0_without_output(tmp_path: Path) -> None:
    """Where every agency has a contact nothing is printed, and the exit code is 0."""
    result = run_check(
        a_folder(tmp_path), *(f"{agency},email,a@x.example,,,," for agency in ("h-mot", "h-hai", "h-ba"))
    )
    assert (result.exit_code, result.stdout) == (0, "")


def test_a_fault_is_named_at_its_line_and_ends_with_2(tmp_path: Path) -> None:
    """All faults of the file are named at their lines in one run, and the exit code is 2."""
    result = run_check(a_folder(tmp_path), "h-mot,fax,1,,,,", "h-hai,email,nobody,,,,")
    assert result.exit_code == 2
    assert [line.split(":")[1] for line in result.stderr.splitlines()] == ["2", "3"]


def test_a_contact_of_an_agency_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """The nearest id is offered, in the language that was asked for."""
    folder = a_folder(tmp_path)
    result = run_check(folder, "h-mott,email,a@x.example,,,,")
    assert (result.exit_code, result.stdout) == (2, "")
    said = "agency 'h-mott' is neither in the registry nor a list of the plan; did you mean h-mot?"
    assert result.stderr == f"{folder}/contacts.csv:2: {said}\n"
    people = str(folder / "contacts.csv")
    result = CliRunner().invoke(app, ["contacts", "check", people, "--plan", str(folder), "--lang", "vi"])
    assert "có phải h-mot?" in result.stderr


def test_a_season_names_who_is_out_of_reach_on_a_day_of_an_alert(tmp_path: Path) -> None:
    """A contact that ends before the deadline is found today, though it still holds."""
    reminders = {"before": ["P7D", "P1D"], "after": ["PT0S"]}
    due = {"month": 12, "day": 10}
    folder = a_folder(tmp_path, obligations=[an_obligation(a_version(due=due, reminders=reminders))])
    people = folder / "contacts.csv"
    rows = ("h-mot,email,a@x.example,,,,", "h-hai,email,b@x.example,,,,2026-12-05", "h-ba,sms,0912345678,,,,")
    people.write_text(HEADER + "".join(f"{row}\n" for row in rows))
    command = ["contacts", "check", str(people), "--plan", str(folder)]
    result = CliRunner().invoke(app, [*command, "--season", "2026"])
    (row,) = map(json.loads, result.stdout.splitlines())
    assert (result.exit_code, row["agency"], row["plan"]) == (1, "h-hai", "P-1")
    assert "2026-12-09" in row["days"]
    assert "2026-12-03" not in row["days"]
    assert CliRunner().invoke(app, [*command, "--season", "2025"]).stdout == ""
    assert CliRunner().invoke(app, [*command, "--season", "Q3"]).exit_code == 2


def test_removing_without_saying_whose_is_refused() -> None:
    """A channel alone would remove the contacts of all agencies."""
    for options in ([], ["--channel", "sms"], ["--address", "nobody"], ["--ended-before", "tomorrow"]):
        assert CliRunner().invoke(app, ["contacts", "remove", *options]).exit_code == 2
