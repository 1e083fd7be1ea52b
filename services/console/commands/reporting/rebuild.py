"""`dondoc rebuild`: fills the standby database of reporting from the log, and makes it the active one.

It reads the settings of the service from the environment. The service goes on answering, and nobody restarts it.
"""

import asyncio
from typing import Annotated, Self

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from services.console.support import output, topic_reader
from services.console.support.inputs import UnusableInputError
from services.reporting.projections.rebuilder import Rebuilder, RebuildFailedError, RebuildProgress
from services.reporting.settings import ReportingSettings
from services.reporting.store import DatabaseRefusedError, DatabaseUnavailableError
from services.runtime.state.active_database import (
    ActiveDatabaseUnavailableError,
    RebuildLeaseLostError,
    RebuildUnderWayError,
)
from services.runtime.state.checkpoints import CheckpointsUnavailableError


def rebuild(
    *,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on with the standby as it is: after a rebuild that was cut off, or to go back to the one before.",
        ),
    ] = False,
) -> None:
    """Fill the standby database of reporting from the log while the active one answers, then let it take its place."""
    with output.exit_on_errors():
        settings = ReportingSettings()
        with _OffsetsBar() as progress:
            active = _run(settings, progress, resume=resume)
        output.print_message(f"{active} is the active database of reporting")


class _OffsetsBar:
    """Shows on a terminal, on stderr, how far the standby has come; elsewhere nothing."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._offsets = self._progress.add_task("offsets of the log", total=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, progress: RebuildProgress) -> None:
        self._progress.update(self._offsets, completed=progress.read, total=progress.to_read)


def _run(settings: ReportingSettings, progress: _OffsetsBar, *, resume: bool) -> str:
    async def run() -> str:
        work = Rebuilder(settings, progress.show).rebuild(resume=resume)
        return await topic_reader.translate_broker_errors(work, settings.kafka)

    unchanged = "the active database is the one that it was"
    try:
        return asyncio.run(run())
    except RebuildUnderWayError as cause:
        raise UnusableInputError(
            f"another rebuild is under way, or was cut off less than half a minute ago; {unchanged}"
        ) from cause
    except RebuildLeaseLostError as cause:
        raise UnusableInputError(
            f"this machine was too slow to keep its lease; {unchanged}; --resume goes on"
        ) from cause
    except RebuildFailedError as cause:
        raise UnusableInputError(f"{cause}; {unchanged}") from cause
    except DatabaseRefusedError as cause:
        raise UnusableInputError(
            f"the database refuses this user: {cause}; it needs readWrite on the standby as well; {unchanged}"
        ) from cause
    except (DatabaseUnavailableError, ActiveDatabaseUnavailableError, CheckpointsUnavailableError) as cause:
        raise UnusableInputError(
            "the database does not answer: look at DONDOC_MONGO_URL; when it is back, --resume goes on"
        ) from cause
