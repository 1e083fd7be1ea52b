"""`dondoc`: the console script with all commands. The module of a command is imported only when the command is used."""

import importlib
import logging
import os
import signal
import sys
from typing import Annotated, NoReturn, cast

import typer
from typer.core import TyperCommand, TyperGroup

from services.runtime.observability import version

# Each command with its module and attribute below `services.console`, in the order of the help page.
COMMANDS = {
    "check": "commands.plans.check:check",
    "duties": "commands.plans.duties:duties",
    "evaluate": "commands.plans.evaluate:evaluate",
    "results": "commands.plans.results:results",
    "simulate": "commands.plans.simulate:simulate",
    "preview": "commands.plans.preview:preview",
    "publish": "commands.plans.publish:publish",
    "submit": "commands.intake.submit:submit",
    "return": "commands.intake.review:return_report",
    "accept": "commands.intake.review:accept_report",
    "report": "commands.reporting.report:report",
    "seal": "commands.reporting.seal:seal",
    "audit": "commands.reporting.audit:audit",
    "rebuild": "commands.reporting.rebuild:rebuild",
    "sheet": "commands.intake.sheet:sheet",
    "link": "commands.intake.link:link",
    "links": "commands.intake.links:app",
    "demo": "commands.operations.demo:demo",
    "up": "commands.operations.up:up",
    "contacts": "commands.notifier.contacts:app",
    "deliveries": "commands.notifier.deliveries:app",
    "notify": "commands.notifier.notify:app",
    "dead-letters": "commands.operations.dead_letters:app",
    "keys": "commands.intake.keys:app",
    "readers": "commands.reporting.readers:app",
    "receipt": "commands.intake.receipt:app",
    "spool": "commands.intake.spool:app",
    "schemas": "commands.plans.schemas:app",
}

# The broker, database and mail server of a developer's machine, which the installed package leaves out.
DEVELOPMENT_SERVERS = "deploy.local"
EXIT_UNUSABLE = 2
EXIT_BROKEN_PIPE = 128 + signal.SIGPIPE  # what a shell reports of a program that the signal ends, as it does most


class LazyCommandGroup(TyperGroup):
    """Imports the module of a command at its first use.

    So a pure command such as `check` starts in a fraction of the time that the import of all services takes.
    """

    def list_commands(self, ctx: object) -> list[str]:
        """Return the names in the order of the help page."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: object, cmd_name: str) -> TyperCommand | TyperGroup | None:
        """Return the command of that name, None where there is none."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        try:
            found = getattr(importlib.import_module(f"services.console.{module}"), attribute)
        except ModuleNotFoundError as cause:
            if cause.name != DEVELOPMENT_SERVERS:
                raise
            found = _refuse_without_checkout
        if isinstance(found, typer.Typer):
            command: TyperCommand | TyperGroup = typer.main.get_group(found)
        else:
            single = typer.Typer(add_completion=False)
            single.command(cmd_name)(found)
            command = cast("TyperCommand", typer.main.get_command(single))
        command.name = cmd_name
        return command


def _refuse_without_checkout() -> None:
    """Only in a checkout of the source: it starts servers for development, which this installation does not hold."""
    sys.stderr.write("this command starts servers for development; run it in a checkout of the source\n")
    raise typer.Exit(EXIT_UNUSABLE)


app = typer.Typer(
    name="dondoc",
    cls=LazyCommandGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        sys.stdout.write(f"dondoc {version.describe_version()}\n")
        raise typer.Exit


@app.callback()
def dondoc(
    *,
    print_version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print version and commit, and exit."),
    ] = False,
) -> None:
    """Đôn Đốc: who owes which report, who has sent it, who was urged and when."""
    del print_version


def main() -> None:
    """Run the console. Log records of libraries are dropped: what matters of them is raised as an exception.

    What the machine refuses, such as output to a full disk, is told in one line with exit code 2. Where whoever reads
    the output leaves, as `head` does, there is nothing to tell: it ends in silence, as by SIGPIPE.
    """
    logging.basicConfig(handlers=[logging.NullHandler()])
    if sys.stdout is None:  # the caller has closed it: `>&-`
        _exit_unusable("standard output is closed; give it a file, or /dev/null")
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
        sys.exit(EXIT_BROKEN_PIPE)
    except OSError as cause:
        _discard_output()
        _exit_unusable(str(cause))
    except SystemExit as end:
        # Typer and rich turn a pipe that breaks while they write into exit code 1, which is that of a negative finding.
        if isinstance(end.__context__, BrokenPipeError):
            _discard_output()
            sys.exit(EXIT_BROKEN_PIPE)
        raise


def _discard_output() -> None:
    """Let stdout lead nowhere: what is still buffered is written when the interpreter ends, and would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _exit_unusable(message: str) -> NoReturn:
    if sys.stderr is not None:
        sys.stderr.write(f"{message}\n")
    sys.exit(EXIT_UNUSABLE)
