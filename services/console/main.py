"""`dondoc`: the console script that gathers every command."""

import logging

import typer

from services.console import contacts, dead_letters, keys, receipt, schemas
from services.console.audit import audit
from services.console.check import check
from services.console.demo.command import demo
from services.console.duties import duties
from services.console.evaluate import evaluate
from services.console.publish import publish
from services.console.report import report
from services.console.sheet import sheet
from services.console.simulate import simulate
from services.console.submit import submit
from services.console.up import up

app = typer.Typer(
    name="dondoc",
    help="Đôn Đốc: who owes which report, who has sent it, who was urged and when.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(check)
app.command()(duties)
app.command()(evaluate)
app.command()(simulate)
app.command()(publish)
app.command()(submit)
app.command()(report)
app.command()(audit)
app.command()(sheet)
app.command()(demo)
app.command()(up)
app.add_typer(contacts.app, name="contacts")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(keys.app, name="keys")
app.add_typer(receipt.app, name="receipt")
app.add_typer(schemas.app, name="schemas")


def main() -> None:
    """Run the console. What libraries log is not for a terminal: what matters of it is raised."""
    logging.basicConfig(handlers=[logging.NullHandler()])
    app()
