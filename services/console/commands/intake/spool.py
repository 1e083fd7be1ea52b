"""`dondoc spool`: shows what a spool of intake holds, and saves what can be saved of a damaged one.

Both commands need the folder for themselves: intake must be stopped.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from services.console.support import inputs, output
from services.intake.settings import IntakeSettings
from services.intake.spool import recovery
from services.intake.spool.recovery import FileState, InspectedFile
from services.intake.spool.spool_folder import SpoolInUseError, SpoolUnusableError

app = typer.Typer(
    help="The spool, where accepted events wait while the broker is away: what is in it, and what can be saved.",
    no_args_is_help=True,
)

SpoolOption = Annotated[
    Path | None, typer.Option("--spool", metavar="DIR", help="The folder of the spool (default: DONDOC_INTAKE_SPOOL).")
]
FormatOption = Annotated[output.OutputFormat, typer.Option("--format", help="How the files are printed.")]

HARMED = {FileState.DAMAGED, FileState.MISSING}


@app.command()
def inspect(spool: SpoolOption = None, fmt: FormatOption = output.OutputFormat.TABLE) -> None:
    """List the files of a spool: how many events are whole, how many are lost, and where. Exit 1 if one is harmed.

    A torn file is not harmed: what a crash cut off was never acknowledged. Where the number of lost events is not
    known, there is none. `damaged` gives the damaged bytes, with the ids of events that can still be read in them.
    """
    with _exit_on_errors():
        found = recovery.inspect_spool(_folder(spool))
    if not found:
        output.print_message("the spool is empty")
        return
    output.print_rows(map(_row, found), fmt, title="Spool")
    if any(one.state in HARMED for one in found):
        raise typer.Exit(output.EXIT_NEGATIVE)


@app.command()
def recover(spool: SpoolOption = None, fmt: FormatOption = output.OutputFormat.TABLE) -> None:
    """Save every whole event of harmed files, and list these files. Exit 1 if events are lost all the same.

    What is saved goes to the log when intake runs again, except what the log has already. A harmed file is kept as
    `.recovered`, byte for byte. Ask whoever holds the receipt of a lost event to send it again.
    """
    with _exit_on_errors():
        found = recovery.recover_spool(_folder(spool))
    if not found:
        output.print_message("nothing is to be recovered")
        return
    output.print_rows(map(_row, found), fmt, title="Recovered")
    output.print_message(f"{_count_saved(found)} event(s) are in the spool again; start intake to have them replayed")
    if any(one.events_lost != 0 for one in found):
        raise typer.Exit(output.EXIT_NEGATIVE)


def _row(file: InspectedFile) -> dict[str, Any]:
    return {
        "file": file.name,
        "state": file.state.value,
        "events": len(file.scan.records),
        "events_lost": file.events_lost,
        "damaged": [
            {
                "start": place.bytes.start,
                "end": place.bytes.end,
                "events_lost": place.bytes.records,
                "ids": list(place.event_ids),
            }
            for place in file.places
        ],
    }


def _count_saved(found: Iterable[InspectedFile]) -> int:
    return sum(len(one.scan.records) for one in found if one.state is FileState.DAMAGED)


def _folder(given: Path | None) -> Path:
    return given or IntakeSettings().spool


@contextmanager
def _exit_on_errors() -> Iterator[None]:
    with output.exit_on_errors():
        try:
            yield
        except SpoolInUseError as cause:
            raise inputs.UnusableInputError(f"{cause}; stop intake first, and start it again afterwards") from cause
        except SpoolUnusableError as cause:
            raise inputs.UnusableInputError(
                f"{cause}; name another folder with --spool or DONDOC_INTAKE_SPOOL"
            ) from cause
