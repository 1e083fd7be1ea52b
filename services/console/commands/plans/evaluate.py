"""`dondoc evaluate`: the status of duties at any instant, as known at any instant, from a file of facts; no server."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from services.console.support import inputs, output
from services.console.support.inputs import Unusable
from services.rules.core.assess import assess
from services.rules.core.duty import Duty
from services.rules.core.duty_catalogue import DutyCatalogue, UnknownDuty
from services.rules.core.facts import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One question: which duty, at which instant, as known by when."""

    asked: Mapping[str, Any]
    duty: Duty
    at: datetime
    known_at: datetime


def evaluate(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with plan.yaml and registry.yaml.")],
    facts: Annotated[Path, typer.Option(metavar="F.jsonl", help="CloudEvents in log order, one a line.")],
    query: Annotated[
        Path, typer.Option(metavar="Q.jsonl", help="Questions {agency, obligation, period, at, known_at}, one a line.")
    ],
) -> None:
    """Answer each query line, in order, with a status line. Pure: the same files give the same answers."""
    with output.exits():
        book = inputs.read_book(directory)
        dockets = _dockets(facts, book)
        for question in [_question(book, asked, f"{query}:{number}") for number, asked in inputs.read_objects(query)]:
            name = (question.duty.key.agency, question.duty.key.obligation)
            output.line(answer(book, question, dockets.get(name, ())))


def answer(book: DutyCatalogue, query: Query, facts: Iterable[Fact]) -> dict[str, Any]:
    """Return the status line of *query* from the *facts* of its docket that were recorded by then."""
    duty = query.duty
    known = [fact for fact in facts if fact.recorded_at <= query.known_at]
    found = assess(duty, known).at(query.at)
    return {
        **{field: query.asked.get(field) for field in ("agency", "obligation", "period", "at")},
        **query.asked,
        "known_at": query.asked.get("known_at") or query.asked["at"],
        "status": found.status.value,
        "due_at": output.instant(found.due_at, duty.zone),
        "effective_at": output.instant(found.effective_at, duty.zone),
        "submissions": found.submissions,
        "flags": list(found.flags),
        "missing": list(found.missing),
        "citation": json.loads(duty.obligation.citation.model_dump_json()),
        "plan_version": book.plan.version,
        "evidence": list(found.evidence),
    }


def _dockets(path: Path, book: DutyCatalogue) -> Mapping[tuple[str, str], list[Fact]]:
    dockets: dict[tuple[str, str], list[Fact]] = defaultdict(list)
    for fact, reason in inputs.read_facts(path, book):
        if reason is not None:
            output.say(f"{reason} (the fact counts for no duty)")
        dockets[fact.agency, fact.obligation].append(fact)
    return dockets


def _question(book: DutyCatalogue, asked: Mapping[str, Any], place: str) -> Query:
    for field in ("agency", "obligation", "at"):
        if not isinstance(asked.get(field), str):
            raise Unusable(f"{place}: {field} is missing or is no text")
    period = asked.get("period")
    if period is not None and not isinstance(period, str):
        raise Unusable(f'{place}: period: write it as text, for example "2026"')
    at = inputs.read_instant(asked["at"], f"{place}: at")
    known_at = inputs.read_instant(asked["known_at"], f"{place}: known_at") if asked.get("known_at") is not None else at
    try:
        agency = book.agencies.resolve(asked["agency"]) or asked["agency"]
        duty = book.duty(agency=agency, obligation=asked["obligation"], period=period or None)
    except UnknownDuty as cause:
        raise Unusable(f"{place}: {cause}") from cause
    return Query(asked=asked, duty=duty, at=at, known_at=known_at)
