"""`dondoc evaluate`: evaluates the status of duties at any instant, as known at any instant, from a file of facts."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from services.console.support import inputs, output
from services.console.support.inputs import UnusableInputError
from services.rules.core.assess import assess
from services.rules.core.duty import Duty
from services.rules.core.duty_catalogue import DutyCatalogue, UnknownDuty
from services.rules.core.facts import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusQuery:
    """One query line: its fields as given, the duty, the instant asked about and the instant of knowledge."""

    fields: Mapping[str, Any]
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
    with output.exit_on_errors():
        catalogue = inputs.read_plan_folder(directory)
        dockets = _read_dockets(facts, catalogue)
        # Every query is parsed before the first is answered, so that a faulty line leaves stdout empty.
        queries = [
            _parse_query(catalogue, fields, f"{query}:{number}") for number, fields in inputs.read_objects(query)
        ]
        for one in queries:
            docket = dockets.get((one.duty.key.agency, one.duty.key.obligation), ())
            output.print_json(answer_query(catalogue, one, docket))


def answer_query(catalogue: DutyCatalogue, query: StatusQuery, facts: Iterable[Fact]) -> dict[str, Any]:
    """Return the status line of *query* from those *facts* of its docket that were recorded by `known_at`."""
    duty = query.duty
    known = [fact for fact in facts if fact.recorded_at <= query.known_at]
    found = assess(duty, known).at(query.at)
    return {
        **{field: query.fields.get(field) for field in ("agency", "obligation", "period", "at")},
        **query.fields,
        "known_at": query.fields.get("known_at") or query.fields["at"],
        "status": found.status.value,
        "due_at": output.format_instant(found.due_at, duty.zone),
        "effective_at": output.format_instant(found.effective_at, duty.zone),
        "submissions": found.submissions,
        "flags": list(found.flags),
        "missing": list(found.missing),
        "citation": json.loads(duty.obligation.citation.model_dump_json()),
        "plan_version": catalogue.plan.version,
        "evidence": list(found.evidence),
    }


def _read_dockets(path: Path, catalogue: DutyCatalogue) -> Mapping[tuple[str, str], list[Fact]]:
    """Return the facts of the plan by agency and obligation."""
    dockets: dict[tuple[str, str], list[Fact]] = defaultdict(list)
    for fact, reason in inputs.read_facts(path, catalogue):
        if reason is not None:
            output.print_message(f"{reason} (the fact counts for no duty)")
        dockets[fact.agency, fact.obligation].append(fact)
    return dockets


def _parse_query(catalogue: DutyCatalogue, fields: Mapping[str, Any], place: str) -> StatusQuery:
    for field in ("agency", "obligation", "at"):
        if not isinstance(fields.get(field), str):
            raise UnusableInputError(f"{place}: {field} is missing or is no text")
    period = fields.get("period")
    if period is not None and not isinstance(period, str):
        raise UnusableInputError(f'{place}: period: write it as text, for example "2026"')
    at = inputs.read_instant(fields["at"], f"{place}: at")
    known_at = (
        inputs.read_instant(fields["known_at"], f"{place}: known_at") if fields.get("known_at") is not None else at
    )
    try:
        agency = catalogue.agencies.resolve(fields["agency"]) or fields["agency"]
        duty = catalogue.duty(agency=agency, obligation=fields["obligation"], period=period or None)
    except UnknownDuty as cause:
        raise UnusableInputError(f"{place}: {cause}") from cause
    return StatusQuery(fields=fields, duty=duty, at=at, known_at=known_at)
