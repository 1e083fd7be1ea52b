"""`dondoc audit PLAN PERIOD`: the period rebuilt from the log, beside what reporting says.

Twice: from the facts, assessed anew by the core of rules, and from the verdicts as rules published them. Both are put
through the core of reporting and compared with the live answer field by field.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from schemas.events.topics import DELIVERIES, FACTS, VERDICTS
from services.console.commands.reporting.report import REPORTING_URL, ask
from services.console.support import output, topic_reader
from services.console.support.inputs import Unusable
from services.console.support.json_diff import differences
from services.console.support.log_archive import LogArchive
from services.reporting.core import views
from services.reporting.core.annual_report import AnnualReport
from services.reporting.queries import Inquiries, Moment, UnknownError
from services.rules.assessment_event import Applied
from services.rules.duty_catalogues import Books
from services.rules.fact_validation import Refused
from services.rules.processor import Keeper
from services.runtime.clock import clock_from, instant_of
from services.runtime.published_documents import PublishedDocuments
from services.runtime.settings import ServiceSettings


class Origin(StrEnum):
    """What the period was rebuilt from."""

    FACTS = "facts"
    VERDICTS = "verdicts"


def audit(
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="Id of a published plan.")],
    period: Annotated[str, typer.Argument(metavar="PERIOD", help="A reporting period, for example 2026.")],
    *,
    as_of: Annotated[str, typer.Option(help="The instant asked about, RFC 3339; default now.")] = "",
    url: Annotated[str, typer.Option(envvar="DONDOC_REPORTING_URL", help="Where reporting is.")] = REPORTING_URL,
    fmt: Annotated[output.Format, typer.Option("--format", help="How differences are printed.")] = output.Format.TABLE,
) -> None:
    """Rebuild PERIOD of PLAN from the log and compare it with the live projections. Exit 1 if they differ."""
    with output.exits():
        settings = ServiceSettings()
        instant = _instant(as_of) if as_of else clock_from(settings.clock).now()
        moment = Moment(as_of=instant, known_at=instant, language="vi")
        path = f"/v1/plans/{plan}/periods/{period}/report.json"
        live = ask(url, path, as_of=instant.isoformat(), lang="vi").json()
        rebuilt = asyncio.run(topic_reader.from_broker(_rebuilt(plan, period, moment, settings), settings.kafka))
    found = [
        {"rebuilt_from": origin.value, **difference}
        for origin, told in rebuilt.items()
        for difference in differences(told, live)
    ]
    duties = sum(len(chapter["duties"]) for chapter in live["chapters"])
    output.say(f"{plan} {period} as of {instant.isoformat()}: {duties} dated duties, {len(found)} differences")
    if found:
        output.rows(found, fmt, title="The log and the live projections differ")
        raise typer.Exit(output.NEGATIVE)


async def _rebuilt(
    plan: str, period: str, moment: Moment, settings: ServiceSettings
) -> Mapping[Origin, dict[str, Any]]:
    references = PublishedDocuments(settings.kafka)
    try:
        await references.start()
        facts = await topic_reader.read(settings.kafka, FACTS.name)
        verdicts = await topic_reader.read(settings.kafka, VERDICTS.name)
        deliveries = await topic_reader.read(settings.kafka, DELIVERIES.name)
        alerts = [record.value for records in deliveries.values() for record in records]
        told = {
            Origin.FACTS: list(_assessed_anew(facts, Books(references, len(facts)))),
            Origin.VERDICTS: [record.value for records in verdicts.values() for record in records],
        }
        return {
            origin: views.whole(await _report(Inquiries(LogArchive(records, alerts), references), plan, period, moment))
            for origin, records in told.items()
        }
    finally:
        await references.stop()


async def _report(inquiries: Inquiries, plan: str, period: str, moment: Moment) -> AnnualReport:
    try:
        return await inquiries.report(plan, period, moment)
    except (UnknownError, ValueError) as cause:
        raise Unusable(str(cause)) from cause


def _assessed_anew(facts: topic_reader.Records, books: Books) -> Iterator[bytes]:
    """Yield what rules would say of *facts*, record by record; what it would set aside says nothing."""
    for partition, records in facts.items():
        keeper = Keeper(partition, books)
        for record in records:
            applied = Applied(offset=record.offset, recorded_at=instant_of(record.timestamp))
            yield from _told(keeper, record.value, applied)


def _told(keeper: Keeper, value: bytes | None, applied: Applied) -> Iterable[bytes]:
    try:
        return [verdict for _agency, verdict in keeper.apply(value, applied=applied)]
    except Refused:
        return []


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as cause:
        raise Unusable(f"--as-of: {text!r} is no instant; write 2026-12-31T00:00:00+07:00") from cause
    if instant.tzinfo is None:
        raise Unusable(f"--as-of: {text!r} has no offset; write 2026-12-31T00:00:00+07:00")
    return instant
