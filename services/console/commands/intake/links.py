"""`dondoc links`: revokes the links in mails, of one agency or of all, and lists what is revoked."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from services.console.support import inputs, output
from services.intake.settings import IntakeSettings
from services.runtime import secret_files
from services.runtime.access import link_revocations
from services.runtime.access.link_revocations import LinkRevocation, RevocationFileError
from services.runtime.clock import clock_from

app = typer.Typer(help="Revocations of the links in mails, to the web form and to the dashboard.", no_args_is_help=True)

FileOption = Annotated[
    Path | None,
    typer.Option("--file", metavar="FILE", help="The file of revocations (default: DONDOC_INTAKE_LINK_REVOCATIONS)."),
]


@app.command()
def revoke(
    *,
    agency: Annotated[str | None, typer.Option(metavar="ID", help="The agency whose links end.")] = None,
    every: Annotated[bool, typer.Option("--all", help="The links of all agencies end.")] = False,
    before: Annotated[
        str | None, typer.Option(metavar="INSTANT", help="Only links issued before this instant (default: now).")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, for the record.")],
    file: FileOption = None,
) -> None:
    """End links at once, receipts behind them included; running services see it within a second."""
    with output.exit_on_errors():
        if (agency is None) != every:
            raise inputs.UnusableInputError("say whose links end: --agency ID, or --all")
        settings = IntakeSettings()
        path, now = file or settings.link_revocations, clock_from(settings.clock).now()
        revocation = LinkRevocation(agency=agency, before=_parse_before(before, now), reason=reason)
        _add(path, revocation)
        output.print_json(_row(revocation))


@app.command(name="list")
def list_revocations(
    fmt: Annotated[output.OutputFormat, typer.Option("--format", help="jsonl or table.")] = output.OutputFormat.JSONL,
    file: FileOption = None,
) -> None:
    """List what is revoked: whose links, from before which instant, and why."""
    with output.exit_on_errors():
        try:
            found = link_revocations.read_revocations(file or IntakeSettings().link_revocations)
        except RevocationFileError as cause:
            raise inputs.UnusableInputError(str(cause)) from cause
        output.print_rows(map(_row, found), fmt, title="revocations")


def _add(path: Path, revocation: LinkRevocation) -> None:
    try:
        # Read and written under one lock: of two commands at the same time neither overwrites the other's change.
        with secret_files.lock_file(path):
            existing = link_revocations.read_revocations(path)
            link_revocations.write_revocations(path, [*existing, revocation])
    except (RevocationFileError, OSError) as cause:
        raise inputs.UnusableInputError(str(cause)) from cause


def _parse_before(text: str | None, now: datetime) -> datetime:
    if text is None:
        return now
    before = inputs.read_instant(text, "--before")
    if before > now:
        raise inputs.UnusableInputError("--before: only links that are issued can be revoked; leave it out for now")
    return before


def _row(one: LinkRevocation) -> dict[str, str | None]:
    return {"agency": one.agency, "before": one.before.isoformat("T", "seconds"), "reason": one.reason}
