"""`dondoc`: the console script that gathers every command. A command is imported when it is asked for, not before."""

import importlib
import logging
from typing import cast

import typer
from typer.core import TyperCommand, TyperGroup

COMMANDS = {
    "check": "commands.plans.check:check",
    "duties": "commands.plans.duties:duties",
    "evaluate": "commands.plans.evaluate:evaluate",
    "simulate": "commands.plans.simulate:simulate",
    "publish": "commands.plans.publish:publish",
    "submit": "commands.intake.submit:submit",
    "report": "commands.reporting.report:report",
    "audit": "commands.reporting.audit:audit",
    "sheet": "commands.intake.sheet:sheet",
    "link": "commands.intake.link:link",
    "demo": "demo.command:demo",
    "up": "commands.operations.up:up",
    "contacts": "commands.notifier.contacts:app",
    "dead-letters": "commands.operations.dead_letters:app",
    "keys": "commands.intake.keys:app",
    "receipt": "commands.intake.receipt:app",
    "schemas": "commands.plans.schemas:app",
}
"""Each command and where it is written, in the order of the help page."""


class OnDemand(TyperGroup):
    """Imports one command at a time: the pure ones start in a fraction of the time that all services take to import."""

    def list_commands(self, ctx: object) -> list[str]:
        """Return the names in the order of the help page."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: object, cmd_name: str) -> TyperCommand | TyperGroup | None:
        """Return the command of that name, or nothing."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        found = getattr(importlib.import_module(f"services.console.{module}"), attribute)
        if not isinstance(found, typer.Typer):
            alone = typer.Typer(add_completion=False)
            alone.command(cmd_name)(found)
            found = alone
        command = cast("TyperCommand | TyperGroup", typer.main.get_command(found))
        command.name = cmd_name
        return command


app = typer.Typer(
    name="dondoc",
    cls=OnDemand,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def dondoc() -> None:
    """Đôn Đốc: who owes which report, who has sent it, who was urged and when."""


def main() -> None:
    """Run the console. What libraries log is not for a terminal: what matters of it is raised."""
    logging.basicConfig(handlers=[logging.NullHandler()])
    app()
