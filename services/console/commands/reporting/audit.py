"""`dondoc audit`: rebuilds a period from the log and compares it with what reporting answers, or with what was sealed.

The facts go through the processor of rules once more. What follows from them, and the alerts that were sent, go through
the core of reporting, which must then say of each duty what the live reporting says.
"""

import asyncio
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Annotated, Self

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from schemas.plan import periods, values
from services.console.audit import schedule
from services.console.audit.auditor import AuditResult, AuditTarget
from services.console.audit.comparison import Difference
from services.console.audit.run import AuditRequest, AuditRun
from services.console.audit.settings import AuditSettings
from services.console.support import inputs, output
from services.console.support.inputs import UnusableInputError
from services.console.support.reporting_client import REPORTING_URL

MOST_ROWS = 1_000  # of a table, which is laid out as a whole; JSON lines are printed as they are found
ANCHOR = datetime(2000, 1, 1)  # noqa: DTZ001 - any local time will do: only the distance from it counts


def audit(
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="Id of a published plan; default all of them.")] = "",
    period: Annotated[
        str,
        typer.Argument(metavar="PERIOD", help="A reporting period, for example 2026; default this year and the last."),
    ] = "",
    *,
    as_of: Annotated[str, typer.Option(help="The instant asked about, RFC 3339; default now.")] = "",
    url: Annotated[str, typer.Option(envvar="DONDOC_REPORTING_URL", help="Where reporting is.")] = REPORTING_URL,
    state: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Keeps what was read of the log, so that the next audit reads only what is new."
        ),
    ] = None,
    sealed: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help="Rebuild sealed version N from the log alone, and compare every figure with it."
        ),
    ] = None,
    every: Annotated[str, typer.Option(metavar="PT1H", help="Go on and audit again at this interval.")] = "",
    fmt: Annotated[
        output.OutputFormat, typer.Option("--format", help="How differences are printed.")
    ] = output.OutputFormat.TABLE,
) -> None:
    """Rebuild PERIOD of PLAN from the log and compare it with the live projections. Exit 1 if they differ."""
    with output.exit_on_errors():
        target, instant = _parse_target(plan, period), inputs.read_instant(as_of, "--as-of") if as_of else None
        request = AuditRequest(url=url, target=target, as_of=instant)
        settings = AuditSettings() if state is None else AuditSettings(state=state)
        if sealed is not None:
            if target is None or as_of or every:
                raise UnusableInputError("--sealed: name PLAN and PERIOD, and neither --as-of nor --every")
            _audit_sealed(AuditRun(settings, request), target, sealed, fmt)
        elif every:
            schedule.serve(settings, request, every_seconds=_parse_interval(every).total_seconds())
        else:
            _audit_live(settings, request, fmt)


class DifferencePrinter:
    """Prints differences: as JSON lines at once, as a table at the end."""

    def __init__(self, fmt: output.OutputFormat) -> None:
        self._fmt = fmt
        self._rows: list[Difference] = []
        self._count = 0

    def add(self, target: AuditTarget, difference: Difference) -> None:
        """Print one difference, or keep it for the table."""
        row = {"plan": target.plan, **difference}
        self._count += 1
        if self._fmt is output.OutputFormat.JSONL:
            output.print_json(row)
        elif self._count <= MOST_ROWS:
            self._rows.append(row)

    def finish(self, *, title: str) -> None:
        """Print the table."""
        if self._rows:
            output.print_rows(self._rows, self._fmt, title=title)
        if self._count > len(self._rows) > 0:
            output.print_message(f"the first {MOST_ROWS} of {self._count} differences; --format jsonl prints all")


class ProgressBar:
    """Shows on a terminal, on stderr, how far the audit has come; elsewhere nothing."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._records = self._progress.add_task("records of the log", total=None)
        self._agencies = self._progress.add_task("agencies compared", total=0)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def on_records_read(self, count: int) -> None:
        self._progress.advance(self._records, count)

    def on_agencies_planned(self, count: int) -> None:
        self._progress.reset(self._agencies, total=count)

    def on_agency_compared(self) -> None:
        self._progress.advance(self._agencies)


def _audit_once(settings: AuditSettings, request: AuditRequest, differences: DifferencePrinter) -> list[AuditResult]:
    run = AuditRun(settings, request)
    try:
        with ProgressBar() as progress:
            return asyncio.run(run.audit(progress, differences.add))
    finally:
        run.close()


def _audit_live(settings: AuditSettings, request: AuditRequest, fmt: output.OutputFormat) -> None:
    differences = DifferencePrinter(fmt)
    results = _audit_once(settings, request, differences)
    for one in results:
        output.print_message(_describe(one))
    differences.finish(title="The log and the live projections differ")
    if any(one.differences for one in results):
        raise typer.Exit(output.EXIT_NEGATIVE)


def _audit_sealed(run: AuditRun, target: AuditTarget, version: int, fmt: output.OutputFormat) -> None:
    differences = DifferencePrinter(fmt)
    try:
        with ProgressBar() as progress:
            found = asyncio.run(run.audit_sealed(target, version, progress, partial(differences.add, target)))
    finally:
        run.close()
    sealed = found.sealed
    output.print_message(
        f"{sealed.plan} {sealed.period} version {sealed.version}, signed by {sealed.signer}, check code"
        f" {sealed.check_code}: {found.figures} figures, {found.differences} differences"
    )
    differences.finish(title=f"The log and version {sealed.version} differ")
    if found.differences:
        raise typer.Exit(output.EXIT_NEGATIVE)


def _parse_target(plan: str, period: str) -> AuditTarget | None:
    if not plan:
        return None
    if not period:
        raise UnusableInputError("PERIOD is missing: name the period of PLAN, for example 2026, or leave out both")
    try:
        return AuditTarget(plan=plan, period=periods.parse(period).text)
    except ValueError as cause:
        raise UnusableInputError(f"PERIOD: {cause}") from cause


def _parse_interval(text: str) -> timedelta:
    try:
        interval = values.shift(ANCHOR, text) - ANCHOR
    except ValueError as cause:
        raise UnusableInputError(f"--every: {cause}") from cause
    if interval <= timedelta(0):
        raise UnusableInputError(f"--every: {text!r} is no time to wait; write PT1H for an hour")
    return interval


def _describe(result: AuditResult) -> str:
    unreadable = f", {result.unreadable} records of the log are unreadable" if result.unreadable else ""
    return (
        f"{result.target.plan} {result.target.period} as of {result.as_of.isoformat()}: {result.duties} duties of"
        f" {result.agencies} agencies, {result.differences} differences{unreadable}"
    )
