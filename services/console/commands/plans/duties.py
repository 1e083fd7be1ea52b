"""`dondoc duties`: expands the calendar of a plan, one line a duty."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from schemas.events.assessments import Status
from schemas.plan import periods
from services.console.support import inputs, output
from services.rules.core.assess import assess
from services.rules.core.duty import Duty
from services.rules.core.duty_catalogue import DutyCatalogue

NOT_OWED = frozenset({Status.NOT_APPLICABLE, Status.SUPERSEDED, Status.ENDED_NO_SUCCESSOR})


def duties(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with plan.yaml and registry.yaml.")],
    period: Annotated[
        str,
        typer.Option(help=f"{periods.FORMS}; shorter periods inside it are listed too."),
    ],
    as_of: Annotated[
        str | None, typer.Option(metavar="T", help="List the duties owed at this RFC 3339 instant (default: at due).")
    ] = None,
    fmt: Annotated[output.OutputFormat, typer.Option("--format", help="jsonl or table.")] = output.OutputFormat.JSONL,
) -> None:
    """Expand the calendar: every duty of the period with its opening, due instant and citation."""
    with output.exit_on_errors():
        catalogue = inputs.read_plan_folder(directory)
        at = inputs.read_instant(as_of, "--as-of") if as_of is not None else None
        try:
            year = periods.parse(period)
        except ValueError as cause:
            raise inputs.UnusableInputError(f"--period: {cause}") from cause
        output.print_rows(list_duties(catalogue, year, at), fmt, title=f"{catalogue.plan.plan} {period}")


def list_duties(catalogue: DutyCatalogue, year: periods.Period, at: datetime | None) -> Iterator[dict[str, Any]]:
    """Yield a row for each duty within the period *year*, the soonest due first.

    Only the duties are listed that are owed *at* the instant or, without one, according to the end of their timeline.
    """
    owed = [duty for duty in catalogue.duties_within(year) if _is_owed(duty, at)]
    for duty in sorted(owed, key=_sort_key):
        yield {
            "agency": duty.key.agency,
            "obligation": duty.key.obligation,
            "period": duty.key.period,
            "opens_at": output.format_instant(duty.opens_at, duty.zone),
            "due_at": output.format_instant(duty.due_at, duty.zone),
            "citation": json.loads(duty.obligation.citation.model_dump_json()),
        }


def _is_owed(duty: Duty, at: datetime | None) -> bool:
    """Whether the duty is owed *at* an instant; without one, whether it is owed at the end of its timeline."""
    timeline = assess(duty, ())
    found = timeline.at(at) if at is not None else timeline.timeline[-1]
    return found.status not in NOT_OWED


def _sort_key(duty: Duty) -> tuple[object, ...]:
    due = duty.due_at.timestamp() if duty.due_at else 0.0
    return duty.due_at is None, due, periods.sort_key(duty.key.period), duty.key.obligation, duty.key.agency
