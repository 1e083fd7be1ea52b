"""`dondoc audit PLAN PERIOD`: rebuilds the period from the log and compares it with what reporting answers.

The period is rebuilt twice: from the facts, assessed anew by the core of rules, and from the verdicts as rules
published them. The core of reporting makes a report of each, which is compared with the live report field by field.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer
from aiokafka import ConsumerRecord

from schemas.events.topics import DELIVERIES, FACTS, VERDICTS
from services.console.commands.reporting import report
from services.console.support import json_diff, output, topic_reader
from services.console.support.inputs import UnusableInputError
from services.console.support.log_archive import LogArchive
from services.reporting.core import json_views
from services.reporting.core.annual_report import AnnualReport
from services.reporting.queries import NotFoundError, QueryContext, ReportingQueries
from services.rules.assessment_event import LogPosition
from services.rules.duty_catalogues import DutyCatalogues
from services.rules.fact_validation import Rejection
from services.rules.processor import PartitionProcessor
from services.runtime import decoding
from services.runtime.clock import clock_from
from services.runtime.decoding import UnreadableRecordError
from services.runtime.kafka.published_documents import PublishedDocuments
from services.runtime.settings import ServiceSettings


class RebuildSource(StrEnum):
    """What the period was rebuilt from."""

    FACTS = "facts"
    VERDICTS = "verdicts"


def audit(
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="Id of a published plan.")],
    period: Annotated[str, typer.Argument(metavar="PERIOD", help="A reporting period, for example 2026.")],
    *,
    as_of: Annotated[str, typer.Option(help="The instant asked about, RFC 3339; default now.")] = "",
    url: Annotated[str, typer.Option(envvar="DONDOC_REPORTING_URL", help="Where reporting is.")] = report.REPORTING_URL,
    fmt: Annotated[
        output.OutputFormat, typer.Option("--format", help="How differences are printed.")
    ] = output.OutputFormat.TABLE,
) -> None:
    """Rebuild PERIOD of PLAN from the log and compare it with the live projections. Exit 1 if they differ."""
    with output.exit_on_errors():
        settings = ServiceSettings()
        instant = _parse_instant(as_of) if as_of else clock_from(settings.clock).now()
        # One instant for both sides: what is recorded while the command runs counts on neither.
        context = QueryContext(as_of=instant, known_at=instant, language="vi")
        path = f"/v1/plans/{plan}/periods/{period}/report.json"
        live = report.get_from_reporting(url, path, as_of=instant.isoformat(), lang="vi").json()
        rebuild = _rebuild_period(plan, period, context, settings)
        rebuilt = asyncio.run(topic_reader.translate_broker_errors(rebuild, settings.kafka))
    differences = [
        {"rebuilt_from": source.value, **difference}
        for source, view in rebuilt.items()
        for difference in json_diff.find_differences(view, live)
    ]
    duties = sum(len(chapter["duties"]) for chapter in live["chapters"])
    as_of_text = instant.isoformat()
    output.print_message(f"{plan} {period} as of {as_of_text}: {duties} dated duties, {len(differences)} differences")
    if differences:
        output.print_rows(differences, fmt, title="The log and the live projections differ")
        raise typer.Exit(output.EXIT_NEGATIVE)


async def _rebuild_period(
    plan: str, period: str, context: QueryContext, settings: ServiceSettings
) -> Mapping[RebuildSource, dict[str, Any]]:
    references = PublishedDocuments(settings.kafka)
    try:
        await references.start()
        facts = await topic_reader.read_topic(settings.kafka, FACTS.name)
        verdicts = await topic_reader.read_topic(settings.kafka, VERDICTS.name)
        deliveries = await topic_reader.read_topic(settings.kafka, DELIVERIES.name)
        alerts = [record.value for records in deliveries.values() for record in records]
        verdicts_by_source = {
            RebuildSource.FACTS: list(_assess_facts(facts, DutyCatalogues(references, len(facts)))),
            RebuildSource.VERDICTS: [record.value for records in verdicts.values() for record in records],
        }
        rebuilt = {}
        for source, values in verdicts_by_source.items():
            queries = ReportingQueries(LogArchive(values, alerts), references)
            rebuilt[source] = json_views.render_report(await _query_report(queries, plan, period, context))
        return rebuilt
    finally:
        await references.stop()


async def _query_report(queries: ReportingQueries, plan: str, period: str, context: QueryContext) -> AnnualReport:
    try:
        return await queries.compile_report(plan, period, context)
    except (NotFoundError, ValueError) as cause:
        raise UnusableInputError(str(cause)) from cause


def _assess_facts(facts: topic_reader.RecordsByPartition, catalogues: DutyCatalogues) -> Iterator[bytes]:
    """Yield the verdicts of rules on *facts*, record by record; a record that rules would set aside has none."""
    for partition, records in facts.items():
        processor = PartitionProcessor(partition, catalogues)
        for record in records:
            yield from _assess_record(processor, record)


def _assess_record(processor: PartitionProcessor, record: ConsumerRecord[Any, Any]) -> Iterable[bytes]:
    try:
        position = LogPosition(offset=record.offset, recorded_at=decoding.read_timestamp(record))
        return [verdict for _agency, verdict in processor.process(record.value, position=position)]
    except (Rejection, UnreadableRecordError):
        return []


def _parse_instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as cause:
        raise UnusableInputError(f"--as-of: {text!r} is no instant; write 2026-12-31T00:00:00+07:00") from cause
    if instant.tzinfo is None:
        raise UnusableInputError(f"--as-of: {text!r} has no offset; write 2026-12-31T00:00:00+07:00")
    return instant
