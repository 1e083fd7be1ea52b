"""`dondoc sheet`: writes a report sheet in Vietnamese for one obligation; `dondoc submit` submits it when filled in."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from schemas.plan import periods
from schemas.plan.values import Bilingual
from services.console.sheets import csv_writer, layout, xlsx_writer
from services.console.support import inputs, output, topic_reader
from services.rules.core.duty_catalogue import DutyCatalogue, UnknownDuty
from services.runtime.kafka.published_documents import PublishedDocuments
from services.runtime.settings import KafkaConfig, ServiceSettings

WRITERS = {".xlsx": xlsx_writer.write_xlsx, ".csv": csv_writer.write_csv}


def sheet(
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="Folder with plan.yaml, or the id of a published plan.")],
    obligation: Annotated[str, typer.Argument(metavar="OBLIGATION", help="Id of the obligation.")],
    *,
    file: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Where to write: .xlsx or .csv.")],
    period: Annotated[str | None, typer.Option(help=f"{periods.FORMS} (default: asked for).")] = None,
    agency: Annotated[str | None, typer.Option(help="Id or alias of the agency (default: asked for).")] = None,
) -> None:
    """Write a report sheet with the fields, units and ranges that the plan requires."""
    with output.exit_on_errors():
        write = WRITERS.get(file.suffix.lower())
        if write is None:
            detail = Bilingual.of(en="name the sheet .xlsx or .csv", vi="hãy đặt tên phiếu có đuôi .xlsx hoặc .csv")
            raise inputs.UnusableInputError(detail, place=str(file))
        catalogue = _read_plan(plan)
        try:
            scope = layout.resolve_scope(catalogue, obligation, period=period, agency=agency)
        except UnknownDuty as cause:
            raise inputs.refuse_duty(cause) from cause
        try:
            write(layout.build_layout(catalogue, scope), file)
        except OSError as cause:
            raise inputs.refuse_file(file, cause) from cause
    output.print_message(
        Bilingual.of(
            en=f"{file} is ready to be filled in; hand it in with: dondoc submit {file}",
            vi=f"đã tạo phiếu {file}; điền xong, gửi bằng lệnh: dondoc submit {file}",
        )
    )


def _read_plan(plan: str) -> DutyCatalogue:
    """Return the catalogue of a plan folder or, where *plan* names no folder, of the plan published under that id."""
    if Path(plan).is_dir():
        return inputs.read_plan_folder(Path(plan))
    kafka = ServiceSettings().kafka
    remedy = Bilingual.of(
        en=f"set DONDOC_KAFKA_BOOTSTRAP, or name a folder: {plan} is none",
        vi=f"hãy đặt DONDOC_KAFKA_BOOTSTRAP, hoặc ghi tên một thư mục: “{plan}” không phải thư mục",
    )
    found = asyncio.run(topic_reader.translate_broker_errors(_read_published(plan, kafka), kafka, remedy=remedy))
    if found is None:
        detail = Bilingual.of(
            en=f"{plan} is neither a folder nor a published plan",
            vi=f"“{plan}” không phải là thư mục, cũng không phải kế hoạch đã công bố",
        )
        raise inputs.UnusableInputError(detail)
    return found


async def _read_published(plan_id: str, kafka: KafkaConfig) -> DutyCatalogue | None:
    references = PublishedDocuments(kafka)
    try:
        await references.start()
        plan = references.plan(plan_id)
        registry = None if plan is None else references.registry(plan.registry)
    finally:
        # Also where `start` has failed halfway: its consumer may be connected already.
        await references.stop()
    return None if plan is None or registry is None else DutyCatalogue(plan, registry)
