"""`dondoc publish`: checks a plan and its registry and publishes their versions on the references topic."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from services.console.commands.plans import check
from services.console.support import inputs, output, publishing
from services.runtime.settings import ServiceSettings


def publish(
    directories: Annotated[
        list[Path], typer.Argument(metavar="DIR…", help="Folders with plan.yaml and registry.yaml, one a plan.")
    ],
) -> None:
    """Check each DIR, then put the plan and registry versions on the bus. A version that differs is refused."""
    with output.exit_on_errors():
        checked = (check.check_folder(one, directories) for one in inputs.list_plan_folders(directories))
        faults = [fault for found in checked for fault in found.faults if fault.is_error]
        for fault in faults:
            output.print_message(str(fault))
        if faults:
            raise typer.Exit(output.EXIT_NEGATIVE)
        settings = ServiceSettings()
        versions = publishing.read_versions(directories)
        outcomes = asyncio.run(publishing.publish_versions(versions, settings.kafka, settings=settings))
    for one in outcomes:
        output.print_json(one.row())
    if any(one.done == publishing.REFUSED for one in outcomes):
        raise typer.Exit(output.EXIT_NEGATIVE)
