"""`dondoc sheet`: a report sheet in Vietnamese for one obligation, to be filled in and handed in by `dondoc submit`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from services.console.sheets import layout, table, workbook
from services.console.support import inputs, output, topic_reader
from services.rules.core.duty_catalogue import Book, UnknownDuty
from services.runtime.published_documents import PublishedDocuments
from services.runtime.settings import KafkaConfig, ServiceSettings

WRITERS = {".xlsx": workbook.write, ".csv": table.write}


def sheet(
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="Folder with plan.yaml, or the id of a published plan.")],
    obligation: Annotated[str, typer.Argument(metavar="OBLIGATION", help="Id of the obligation.")],
    *,
    file: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Where to write: .xlsx or .csv.")],
    period: Annotated[str | None, typer.Option(help="2026, 2026-H1, 2026-Q3 or 2026-07 (default: asked for).")] = None,
    agency: Annotated[str | None, typer.Option(help="Id or alias of the agency (default: asked for).")] = None,
) -> None:
    """Write a report sheet with the fields, units and ranges that the plan requires."""
    with output.exits():
        write = WRITERS.get(file.suffix.lower())
        if write is None:
            raise inputs.Unusable(f"{file}: name the sheet .xlsx or .csv")
        book = _book(plan)
        try:
            wanted = layout.asked(book, obligation, period=period, agency=agency)
        except UnknownDuty as cause:
            raise inputs.Unusable(str(cause)) from cause
        try:
            write(layout.sheet(book, wanted), file)
        except OSError as cause:
            raise inputs.Unusable(f"{file}: {cause.strerror or cause}") from cause
    output.say(f"{file} is ready to be filled in; hand it in with: dondoc submit {file}")


def _book(plan: str) -> Book:
    if Path(plan).is_dir():
        return inputs.read_book(Path(plan))
    kafka = ServiceSettings().kafka
    remedy = f"set DONDOC_KAFKA_BOOTSTRAP, or name a folder: {plan} is none"
    found = asyncio.run(topic_reader.from_broker(_published(plan, kafka), kafka, remedy=remedy))
    if found is None:
        raise inputs.Unusable(f"{plan} is neither a folder nor a published plan")
    return found


async def _published(plan_id: str, kafka: KafkaConfig) -> Book | None:
    references = PublishedDocuments(kafka)
    try:
        await references.start()
        plan = references.plan(plan_id)
        registry = None if plan is None else references.registry(plan.registry)
    finally:
        await references.stop()
    return None if plan is None or registry is None else Book(plan, registry)
