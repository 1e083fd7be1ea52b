"""`dondoc notify`: stops and silences, each on record with who, why and until when."""

import secrets
from datetime import datetime
from typing import Annotated, Any

import typer

from services.console.commands.notifier import ledger_queries
from services.console.support import inputs, output
from services.console.support.inputs import UnusableInputError
from services.console.support.output import OutputFormat
from services.notifier.control.store import HoldStore
from services.notifier.core.scheduling.holds import HoldScope, SendingHold
from services.notifier.settings import NotifierSettings
from services.runtime.clock import clock_from

app = typer.Typer(help="Stops and silences: what is not to be sent for now.", no_args_is_help=True)

_ID_BYTES = 6
RouteOption = Annotated[str | None, typer.Option(help="One route (provider), as the settings name it.")]
PlanOption = Annotated[str | None, typer.Option(help="What is about this plan.")]
AgencyOption = Annotated[str | None, typer.Option(help="What is about this agency, or goes to it.")]
AllOption = Annotated[bool, typer.Option("--all", help="Everything.")]
AuthorOption = Annotated[str, typer.Option(help="Who decides it; it stays on record.")]
ReasonOption = Annotated[str, typer.Option(help="Why; it stays on record.")]
UntilOption = Annotated[str, typer.Option(metavar="T", help="When it ends, RFC 3339 with an offset.")]
FormatOption = Annotated[OutputFormat, typer.Option("--format", help="jsonl, or a table for people.")]
EverOption = Annotated[bool, typer.Option("--ever", help="Those that have ended or were lifted, too.")]


@app.command()
def stop(
    *,
    everything: AllOption = False,
    route: RouteOption = None,
    plan: PlanOption = None,
    agency: AgencyOption = None,
    author: AuthorOption,
    reason: ReasonOption,
) -> None:
    """Send nothing of it until `dondoc notify resume`. Nothing is dropped: what still matters then goes out."""
    with output.exit_on_errors():
        _put_on_record(_read_target(everything, route, plan, agency), author=author, reason=reason, until=None)


@app.command()
def silence(
    *,
    everything: AllOption = False,
    route: RouteOption = None,
    plan: PlanOption = None,
    agency: AgencyOption = None,
    author: AuthorOption,
    reason: ReasonOption,
    until: UntilOption,
) -> None:
    """Send nothing of it until an instant. Nothing is dropped: what still matters then goes out."""
    with output.exit_on_errors():
        end = inputs.read_instant(until, "--until")
        _put_on_record(_read_target(everything, route, plan, agency), author=author, reason=reason, until=end)


@app.command()
def resume(
    *,
    everything: AllOption = False,
    route: RouteOption = None,
    plan: PlanOption = None,
    agency: AgencyOption = None,
    author: AuthorOption,
) -> None:
    """Lift the stops and silences of it; exit 1 if there is none."""
    with output.exit_on_errors():
        scope, target = _read_target(everything, route, plan, agency)
        now = clock_from(NotifierSettings().clock).now()
        inputs.require_words(author=author)
        lifted = ledger_queries.run_query(
            lambda client, name: HoldStore(client, name).lift(scope, target, author=author, now=now)
        )
        output.print_message(f"{lifted} stop(s) and silence(s) are lifted")
        if not lifted:
            raise typer.Exit(output.EXIT_NEGATIVE)


@app.command()
def silences(*, ever: EverOption = False, fmt: FormatOption = OutputFormat.JSONL) -> None:
    """List the stops and silences that are in force, the newest first."""
    with output.exit_on_errors():
        now = clock_from(NotifierSettings().clock).now()
        found = ledger_queries.run_query(lambda client, name: HoldStore(client, name).list())
        rows = (_describe(one, now) for one in found if ever or one.is_in_force(now))
        output.print_rows(rows, fmt, title="Stops and silences")


def _put_on_record(what: tuple[HoldScope, str], *, author: str, reason: str, until: datetime | None) -> None:
    inputs.require_words(author=author, reason=reason)
    now = clock_from(NotifierSettings().clock).now()
    if until is not None and until <= now:
        raise UnusableInputError(f"--until {until.isoformat()}: that is past")
    hold = SendingHold(
        id=secrets.token_hex(_ID_BYTES),
        scope=what[0],
        target=what[1],
        author=author.strip(),
        reason=reason.strip(),
        starts_at=now,
        until=until,
    )
    ledger_queries.run_query(lambda client, name: HoldStore(client, name).add(hold))
    output.print_json(_describe(hold, now))


def _read_target(everything: bool, route: str | None, plan: str | None, agency: str | None) -> tuple[HoldScope, str]:
    named = [
        (scope, value)
        for scope, value in ((HoldScope.ROUTE, route), (HoldScope.PLAN, plan), (HoldScope.AGENCY, agency))
        if value
    ]
    if everything:
        named.append((HoldScope.ALL, ""))
    if len(named) != 1:
        raise UnusableInputError("say what: one of --all, --route, --plan and --agency")
    return named[0]


def _describe(hold: SendingHold, now: datetime) -> dict[str, Any]:
    def instant(value: datetime | None) -> str | None:
        return None if value is None else value.isoformat(timespec="milliseconds")

    return {
        "id": hold.id,
        "kind": "stop" if hold.until is None else "silence",
        "scope": hold.scope.value,
        "target": hold.target or None,
        "author": hold.author,
        "reason": hold.reason,
        "from": instant(hold.starts_at),
        "until": instant(hold.until),
        "lifted_at": instant(hold.lifted_at),
        "lifted_by": hold.lifted_by,
        "in_force": hold.is_in_force(now),
    }
