"""The console finds each of its commands, and imports no other on the way."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from services.console.main import COMMANDS, app


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_help(command: str) -> None:
    """`dondoc COMMAND --help` exits 0 and names the command."""
    answer = CliRunner().invoke(app, [command, "--help"])
    assert answer.exit_code == 0
    assert f"dondoc {command}" in answer.stdout


def test_the_help_page_lists_them_all() -> None:
    """In the order in which they are declared."""
    page = CliRunner().invoke(app, ["--help"]).stdout
    places = [page.find(f"│ {command} ") for command in COMMANDS]
    assert -1 not in places
    assert places == sorted(places)


def test_an_unknown_command_is_unusable_input() -> None:
    """It exits with 2."""
    assert CliRunner().invoke(app, ["nope"]).exit_code == 2


def test_a_pure_command_does_not_import_the_services() -> None:
    """`dondoc check` starts without broker client, database driver or web server."""
    script = (
        "import sys; from typer.testing import CliRunner; from services.console.main import app; "
        "CliRunner().invoke(app, ['check', '--help']); print({'aiokafka', 'motor', 'uvicorn'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
