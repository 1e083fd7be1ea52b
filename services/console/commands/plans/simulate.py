"""`dondoc simulate`: prints every alert that would go out, in order, with its text. Nothing is sent."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import time
from decimal import Decimal, InvalidOperation
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import typer

from schemas.events.wire import WireAlertedDuty
from schemas.plan.values import Bilingual
from services.console.commands.notifier.contacts import read_contacts_file
from services.console.contacts import contact_file
from services.console.contacts.contact_file import ContactFault
from services.console.support import fact_files, inputs, output, simulation_summary
from services.console.support.inputs import UnusableInputError
from services.console.support.simulation import (
    SimulatedAlert,
    SimulatedDigest,
    Simulation,
    SimulationDocuments,
    count_unreachable,
)
from services.console.support.simulation_summary import WrittenAlert
from services.notifier.core.rendering import render
from services.notifier.core.rendering.render import Occasion, RenderedMessage, RenderOptions, SmsLetters
from services.notifier.core.scheduling import delivery_events
from services.notifier.core.scheduling.routing import Contact, ContactBook
from services.rules.core.duty_catalogue import DutyCatalogue


def simulate(
    directories: Annotated[
        list[Path], typer.Argument(metavar="DIR…", help="Folders with plan.yaml and registry.yaml, one a plan.")
    ],
    *,
    facts: Annotated[Path, typer.Option(metavar="F.jsonl", help="CloudEvents in log order, one a line.")],
    contacts: Annotated[Path, typer.Option(metavar="C.csv", help="agency,channel,address,role,language,from,to")],
    since: Annotated[str, typer.Option("--from", metavar="T", help="RFC 3339 instant, included.")],
    until: Annotated[str, typer.Option("--to", metavar="T", help="RFC 3339 instant, not included.")],
    opens: Annotated[str, typer.Option(metavar="HH:MM", help="Alerts go out from this local time on.")] = "07:30",
    closes: Annotated[str, typer.Option(metavar="HH:MM", help="Alerts go out until this local time.")] = "17:30",
    letters: Annotated[SmsLetters, typer.Option(help="Letters of SMS.")] = SmsLetters.UNACCENTED,
    summary: Annotated[
        bool,
        typer.Option("--summary", help="Sums by agency and day, price, floods, moves and officers' digests instead."),
    ] = False,
    sms_price: Annotated[str | None, typer.Option(metavar="N", help="Price of one SMS part, for --summary.")] = None,
    fmt: Annotated[output.OutputFormat, typer.Option("--format", help="jsonl or table.")] = output.OutputFormat.JSONL,
) -> None:
    """Print every alert that would go out, or their sums. Pure: the same files give the same alerts."""
    with output.exit_on_errors():
        catalogues = inputs.read_plan_folders(directories)
        span = inputs.read_instant(since, "--from"), inputs.read_instant(until, "--to")
        if span[0] > span[1]:
            raise UnusableInputError(f"--to: {until} lies before --from, {since}")
        documents = SimulationDocuments(
            catalogues={one.plan.plan: one for one in catalogues},
            opens=_parse_time_of_day(opens, "--opens"),
            closes=_parse_time_of_day(closes, "--closes"),
        )
        people = ContactBook(_read_contacts(contacts, catalogues))
        log = [fact for fact, _ in fact_files.read_facts(facts, catalogues)]
        simulation = Simulation(documents, people, writes_digests=summary)
        alerts = list(simulation.run(log, since=span[0], until=span[1]))
        title = f"{', '.join(documents.catalogues)} {since} / {until}"
        sums = _summary_rows(alerts, simulation.digests, documents, letters, sms_price) if summary else None
        output.print_rows(sums or _alert_rows(alerts, documents, letters), fmt, title=title)
        _print_unreachable(alerts)


def _print_unreachable(alerts: Iterable[SimulatedAlert]) -> None:
    for to_agency, count in sorted(count_unreachable(alerts).items()):
        output.print_message(
            Bilingual.of(
                en=f"{to_agency}: {count} alert(s) would reach nobody; add a contact",
                vi=f"{to_agency}: {count} thông báo không có ai nhận; hãy thêm đầu mối",
            )
        )


def _summary_rows(
    alerts: list[SimulatedAlert],
    digests: list[SimulatedDigest],
    documents: SimulationDocuments,
    letters: SmsLetters,
    price: str | None,
) -> Iterator[Mapping[str, Any]]:
    try:
        cost = None if price is None else Decimal(price)
    except InvalidOperation as cause:
        raise UnusableInputError(f"--sms-price: {price!r} is no number; write 320 or 320.5") from cause
    written = (
        WrittenAlert(alert=one, segments=_render(one, documents, letters).segments or 0 if one.digest.contacts else 0)
        for one in alerts
    )
    sums = simulation_summary.summarise(written, documents, price=cost)
    return chain(sums, simulation_summary.describe_digests(digests, documents))


def _render(one: SimulatedAlert, documents: SimulationDocuments, letters: SmsLetters) -> RenderedMessage:
    return render.render_digest(
        one.digest,
        documents,
        language=one.digest.contacts[0].language,
        options=RenderOptions(letters=letters),
        occasion=Occasion(now=one.at, history=one.history),
    )


def _alert_rows(
    alerts: list[SimulatedAlert], documents: SimulationDocuments, letters: SmsLetters
) -> Iterator[dict[str, Any]]:
    for one in alerts:
        if one.digest.contacts:
            text = _render(one, documents, letters)
            lead = one.digest.lead.alert
            yield {
                "at": output.format_instant(one.at, documents.zone(one.digest.lead.duty.plan)),
                "channel": one.digest.channel.value,
                "to_agency": one.digest.to_agency,
                "kind": lead.kind.value,
                "step": lead.label,
                "duties": [_duty_row(delivery_events.describe_duty(alert), documents) for alert in one.digest.alerts],
                "subject": text.subject,
                "body": text.body,
                "segments": text.segments,
            }


def _duty_row(duty: WireAlertedDuty, documents: SimulationDocuments) -> dict[str, Any]:
    plan = {"plan": duty.plan} if len(documents.catalogues) > 1 else {}
    return {
        **plan,
        "agency": duty.agency,
        "obligation": duty.obligation,
        "period": duty.period,
        "kind": duty.kind.value,
        "step": duty.step,
        "due_at": output.format_instant(duty.due_at, documents.zone(duty.plan)),
    }


def _read_contacts(path: Path, catalogues: Sequence[DutyCatalogue]) -> Iterator[Contact]:
    """Yield the contacts of agencies and lists that the plans know; name the others on stderr.

    The same file may serve several plans, so another plan's agencies are no reason to stop.
    """
    located = read_contacts_file(path)
    for one in contact_file.resolve_agencies(located, [(known.plan, known.registry) for known in catalogues]):
        if isinstance(one, ContactFault):
            output.print_message(
                Bilingual.of(
                    en=f"{one.place}: {one.detail.in_language('en')} (nobody is written to there)",
                    vi=f"{one.place}: {one.detail.vi} (không ai nhận được thư ở đó)",
                )
            )
        else:
            yield one


def _parse_time_of_day(text: str, name: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError as cause:
        raise UnusableInputError(f"{name}: {text!r} is no time of day; write 07:30") from cause
