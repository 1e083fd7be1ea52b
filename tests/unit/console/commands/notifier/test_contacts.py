"""`dondoc contacts check`: who is out of reach, from files alone."""

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from services.console.main import app
from tests.support.builders.plan_folders import a_folder

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
