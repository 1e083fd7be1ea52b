"""`dondoc publish`: checks a plan and its registry and publishes their versions on the references topic."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from services.console.commands.plans import check
from services.console.support import output, publishing
from services.runtime.settings import ServiceSettings


def publish(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with plan.yaml and registry.yaml.")],
) -> None:
    """Check DIR, then put its plan and registry versions on the bus. A version that differs is refused."""
    with output.exit_on_errors():
        faults = [fault for fault in check.check_folder(directory).faults if fault.is_error]
        for fault in faults:
            output.print_message(str(fault))
        if faults:
            raise typer.Exit(output.EXIT_NEGATIVE)
        settings = ServiceSettings()
        versions = publishing.read_versions(directory)
        outcomes = asyncio.run(publishing.publish_versions(versions, settings.kafka, settings=settings))
    for one in outcomes:
        output.print_json(one.row())
    if any(one.done == publishing.REFUSED for one in outcomes):
        raise typer.Exit(output.EXIT_NEGATIVE)
