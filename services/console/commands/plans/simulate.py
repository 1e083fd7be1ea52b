"""`dondoc simulate`: every alert that would go out, in order, with its text. No server, nothing sent."""

from collections.abc import Iterator
from datetime import time
from pathlib import Path
from typing import Annotated, Any

import typer

from schemas.events.deliveries import AlertedDuty
from services.console.commands.notifier.contacts import read_file
from services.console.support import inputs, output
from services.console.support.inputs import Unusable
from services.console.support.simulation import Files, Rehearsal, Sent, unreachable
from services.notifier.contacts import csv_file
from services.notifier.core.rendering import render
from services.notifier.core.rendering.render import RenderOptions, SmsLetters
from services.notifier.core.scheduling import delivery
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
    fmt: Annotated[output.Format, typer.Option("--format", help="jsonl or table.")] = output.Format.JSONL,
) -> None:
    """Print every alert that would go out. Pure: the same files give the same alerts."""
    with output.exits():
        book = inputs.read_book(directory)
        span = inputs.read_instant(since, "--from"), inputs.read_instant(until, "--to")
        calendar = Files(book=book, opens=_wall(opens, "--opens"), closes=_wall(closes, "--closes"))
        people = ContactBook(csv_file.resolve_agencies(read_file(contacts), [book.registry]))
        rehearsal = Rehearsal(calendar, people)
        sent = list(rehearsal.play(_facts(facts, book), since=span[0], until=span[1]))
        output.rows(_lines(sent, calendar, letters), fmt, title=f"{book.plan.plan} {since} / {until}")
        for to_agency, count in sorted(unreachable(sent).items()):
            output.say(f"{to_agency}: {count} alert(s) would reach nobody; add a contact")


def _lines(sent: list[Sent], calendar: Files, letters: SmsLetters) -> Iterator[dict[str, Any]]:
    for one in sent:
        if one.digest.contacts:
            language = one.digest.contacts[0].language
            text = render.render_digest(
                one.digest, calendar, language=language, options=RenderOptions(letters=letters), now=one.at
            )
            lead = one.digest.lead.alert
            yield {
                "at": output.instant(one.at, calendar.book.calendar.zone),
                "channel": one.digest.channel.value,
                "to_agency": one.digest.to_agency,
                "kind": lead.kind.value,
                "step": lead.label,
                "duties": [_duty(delivery.describe_duty(alert), calendar) for alert in one.digest.alerts],
                "subject": text.subject,
                "body": text.body,
                "segments": text.segments,
            }


def _duty(duty: AlertedDuty, calendar: Files) -> dict[str, Any]:
    return {
        "agency": duty.agency,
        "obligation": duty.obligation,
        "period": duty.period,
        "kind": duty.kind.value,
        "step": duty.step,
        "due_at": output.instant(duty.due_at, calendar.book.calendar.zone),
    }


def _facts(path: Path, book: Book) -> Iterator[Fact]:
    for fact, reason in inputs.read_facts(path, book):
        if reason is None:
            yield fact
        else:
            output.say(f"{reason} (the fact counts for no duty)")


def _wall(text: str, name: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError as cause:
        raise Unusable(f"{name}: {text!r} is no time of day; write 07:30") from cause
