"""`dondoc contacts check`: who is out of reach, from files alone."""

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from services.console.main import app
from tests.support.builders.plan_folders import a_folder

HEADER = "agency,channel,address,role,language,from,to\n"


def checked(folder: Path, *rows: str) -> Result:
    """The run of the command over these contacts."""
    people = folder / "contacts.csv"
    people.write_text(HEADER + "".join(f"{row}\n" for row in rows))
    return CliRunner().invoke(app, ["contacts", "check", str(people), "--plan", str(folder)])


def test_every_agency_out_of_reach_is_named_and_ends_with_1(tmp_path: Path) -> None:
    """One has mail, one a number, the third nothing that holds today."""
    rows = ("h-mot,email,a@x.example,,,,", "h-hai,sms,0912345678,,,,", "h-ba,email,b@x.example,,,,2020-01-01")
    result = checked(a_folder(tmp_path), *rows)
    assert result.exit_code == 1
    assert [json.loads(line)["agency"] for line in result.stdout.splitlines()] == ["h-ba"]


def test_everybody_in_reach_is_silence_and_0(tmp_path: Path) -> None:
    """Nothing on stdout."""
    result = checked(a_folder(tmp_path), *(f"{agency},email,a@x.example,,,," for agency in ("h-mot", "h-hai", "h-ba")))
    assert (result.exit_code, result.stdout) == (0, "")


def test_a_fault_is_named_at_its_line_and_ends_with_2(tmp_path: Path) -> None:
    """Every one of them, in one run."""
    result = checked(a_folder(tmp_path), "h-mot,fax,1,,,,", "h-hai,email,nobody,,,,")
    assert result.exit_code == 2
    assert [line.split(":")[1] for line in result.stderr.splitlines()] == ["2", "3"]
