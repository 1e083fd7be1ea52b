"""The console script finds each of its commands, imports no other module on the way, and tells its version."""

import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from services.console.main import COMMANDS, app


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_help(command: str) -> None:
    """`dondoc COMMAND --help` exits 0, names the command, and offers nothing that is not of it."""
    answer = CliRunner().invoke(app, [command, "--help"])
    assert answer.exit_code == 0
    assert f"dondoc {command}" in answer.stdout
    assert "completion" not in answer.stdout


def test_the_help_page_lists_them_all() -> None:
    """The commands stand on the help page in the order in which they are declared."""
    page = CliRunner().invoke(app, ["--help"]).stdout
    places = [page.find(f"│ {command} ") for command in COMMANDS]
    assert -1 not in places
    assert places == sorted(places)


def test_an_unknown_command_is_unusable_input() -> None:
    """A command that does not exist exits with 2."""
    assert CliRunner().invoke(app, ["nope"]).exit_code == 2


def test_a_pure_command_does_not_import_the_services() -> None:
    """`dondoc check` starts without broker client, database driver or web server."""
    script = (
        "import sys; from typer.testing import CliRunner; from services.console.main import app; "
        "CliRunner().invoke(app, ['check', '--help']); print({'aiokafka', 'motor', 'uvicorn'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_version_names_package_and_commit() -> None:
    """`dondoc --version` prints one line such as `dondoc 0.1.0 (3d4f567)` to stdout and exits 0."""
    answer = CliRunner().invoke(app, ["--version"])
    assert (answer.exit_code, answer.stderr) == (0, "")
    assert re.fullmatch(r"dondoc \d+\.\d+\.\d+\S* \(([0-9a-f]{7,40}|unknown commit)\)\n", answer.stdout)


def test_the_version_imports_no_command() -> None:
    """`dondoc --version` answers at once: besides what tells it, it imports neither a service nor the plan's models."""
    script = (
        "import sys; from typer.testing import CliRunner; from services.console.main import app; "
        "CliRunner().invoke(app, ['--version']); "
        "print([name for name in sys.modules if name.split('.')[0] in {'schemas', 'pydantic', 'aiokafka', 'deploy'} "
        "or name.startswith('services.') and not name.startswith(('services.console', 'services.runtime'))])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("redirection", [">/dev/full", ">&-"])
def test_output_that_cannot_be_written_is_told_in_one_line(redirection: str) -> None:
    """A full disk and a closed stdout give one line on stderr and exit code 2, for little output and for much."""
    program = "import sys; from services.console.main import main; sys.argv = ['dondoc', sys.argv[1]]; main()"
    for argument in ("--version", "--help"):
        shell = f'"$0" -c "$1" {argument} {redirection}'
        done = subprocess.run(
            ["/bin/sh", "-c", shell, sys.executable, program], capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", ["check --help", "--version", "duties deploy/plans/6766-kh-ubnd --period 2026"])
def test_a_reader_that_leaves_ends_the_command_in_silence(arguments: str) -> None:
    """`dondoc … | head -0` says nothing on stderr; its exit code is the one that a shell reports of SIGPIPE."""
    program = "import sys; from services.console.main import main; sys.argv[0] = 'dondoc'; main()"
    shell = f'{{ "$0" -c "$1" {arguments}; echo $? >&2; }} | true'
    # The pipe has no reader before anything is written.
    done = subprocess.run(
        ["/bin/sh", "-c", shell.replace("{ ", "{ sleep 0.5; ", 1), sys.executable, program],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == "141\n"
