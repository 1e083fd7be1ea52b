"""`dondoc simulate`: prints every alert that would go out, in order, with its text. Nothing is sent."""

from collections.abc import Iterator
from datetime import time
from pathlib import Path
from typing import Annotated, Any

import typer

from schemas.events.deliveries import AlertedDuty
from services.console.commands.notifier.contacts import read_contacts_file
from services.console.support import inputs, output
from services.console.support.inputs import UnusableInputError
from services.console.support.simulation import SimulatedAlert, Simulation, SimulationDocuments, count_unreachable
from services.notifier.contacts import resolved
from services.notifier.core.rendering import render
from services.notifier.core.rendering.render import Means, SmsLetters
from services.notifier.core.scheduling.delivery import alerted
from services.notifier.core.scheduling.routing import ContactBook
from services.rules.core.duty_catalogue import Book
from services.rules.core.facts import Fact


def simulate(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with plan.yaml and registry.yaml.")],
    *,
    facts: Annotated[Path, typer.Option(metavar="F.jsonl", help="CloudEvents in log order, one a line.")],
    contacts: Annotated[Path, typer.Option(metavar="C.csv", help="agency,channel,address,role,language,from,to")],
    since: Annotated[str, typer.Option("--from", metavar="T", help="RFC 3339 instant, included.")],
    until: Annotated[str, typer.Option("--to", metavar="T", help="RFC 3339 instant, not included.")],
    opens: Annotated[str, typer.Option(metavar="HH:MM", help="Alerts go out from this local time on.")] = "07:30",
    closes: Annotated[str, typer.Option(metavar="HH:MM", help="Alerts go out until this local time.")] = "17:30",
    letters: Annotated[SmsLetters, typer.Option(help="Letters of SMS.")] = SmsLetters.UNACCENTED,
    fmt: Annotated[output.OutputFormat, typer.Option("--format", help="jsonl or table.")] = output.OutputFormat.JSONL,
) -> None:
    """Print every alert that would go out. Pure: the same files give the same alerts."""
    with output.exit_on_errors():
        catalogue = inputs.read_plan_folder(directory)
        span = inputs.read_instant(since, "--from"), inputs.read_instant(until, "--to")
        documents = SimulationDocuments(
            catalogue=catalogue,
            opens=_parse_time_of_day(opens, "--opens"),
            closes=_parse_time_of_day(closes, "--closes"),
        )
        people = ContactBook(resolved(read_contacts_file(contacts), [catalogue.registry]))
        alerts = list(Simulation(documents, people).run(_read_facts(facts, catalogue), since=span[0], until=span[1]))
        output.print_rows(
            _alert_rows(alerts, documents, letters), fmt, title=f"{catalogue.plan.plan} {since} / {until}"
        )
        for to_agency, count in sorted(count_unreachable(alerts).items()):
            output.print_message(f"{to_agency}: {count} alert(s) would reach nobody; add a contact")


def _alert_rows(
    alerts: list[SimulatedAlert], documents: SimulationDocuments, letters: SmsLetters
) -> Iterator[dict[str, Any]]:
    for one in alerts:
        if one.notice.contacts:
            language = one.notice.contacts[0].language
            text = render.text(one.notice, documents, language=language, means=Means(letters=letters), now=one.at)
            lead = one.notice.lead.call
            yield {
                "at": output.format_instant(one.at, documents.catalogue.calendar.zone),
                "channel": one.notice.channel.value,
                "to_agency": one.notice.to_agency,
                "kind": lead.kind.value,
                "step": lead.label,
                "duties": [_duty_row(alerted(telling), documents) for telling in one.notice.tellings],
                "subject": text.subject,
                "body": text.body,
                "segments": text.segments,
            }


def _duty_row(duty: AlertedDuty, documents: SimulationDocuments) -> dict[str, Any]:
    return {
        "agency": duty.agency,
        "obligation": duty.obligation,
        "period": duty.period,
        "kind": duty.kind.value,
        "step": duty.step,
        "due_at": output.format_instant(duty.due_at, documents.catalogue.calendar.zone),
    }


def _read_facts(path: Path, catalogue: Book) -> Iterator[Fact]:
    """Yield the facts that bear on a duty; name the others on stderr."""
    for fact, reason in inputs.read_facts(path, catalogue):
        if reason is None:
            yield fact
        else:
            output.print_message(f"{reason} (the fact counts for no duty)")


def _parse_time_of_day(text: str, name: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError as cause:
        raise UnusableInputError(f"{name}: {text!r} is no time of day; write 07:30") from cause
