"""`dondoc evaluate`: evaluates the status of duties at any instant, as known at any instant, from a file of facts."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from services.console.support import fact_files, inputs, output
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
    directories: Annotated[
        list[Path], typer.Argument(metavar="DIR…", help="Folders with plan.yaml and registry.yaml, one a plan.")
    ],
    facts: Annotated[Path, typer.Option(metavar="F.jsonl", help="CloudEvents in log order, one a line.")],
    query: Annotated[
        Path,
        typer.Option(
            metavar="Q.jsonl",
            help="Questions {plan, agency, obligation, period, at, known_at}, one a line; the plan where several have "
            "the obligation.",
        ),
    ],
) -> None:
    """Answer each query line, in order, with a status line. Pure: the same files give the same answers."""
    with output.exit_on_errors():
        catalogues = inputs.read_plan_folders(directories)
        log = fact_files.read_facts_file(facts, catalogues)
        # Every query is parsed before the first is answered, so that a faulty line leaves stdout empty.
        queries = [
            _parse_query(catalogues, fields, f"{query}:{number}") for number, fields in inputs.read_objects(query)
        ]
        for catalogue, one in queries:
            plan = {"plan": catalogue.plan.plan} if len(catalogues) > 1 else {}
            output.print_json(plan | answer_query(catalogue, one, log.list_facts(one.duty)))


def answer_query(catalogue: DutyCatalogue, query: StatusQuery, facts: Iterable[Fact]) -> dict[str, Any]:
    """Return the status line of *query* from those *facts* about its duty that were recorded by `known_at`."""
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


def _parse_query(
    catalogues: Sequence[DutyCatalogue], fields: Mapping[str, Any], place: str
) -> tuple[DutyCatalogue, StatusQuery]:
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
    catalogue = _choose_plan(catalogues, fields, place)
    try:
        agency = catalogue.agencies.resolve(fields["agency"]) or fields["agency"]
        duty = catalogue.duty(agency=agency, obligation=fields["obligation"], period=period or None)
    except UnknownDuty as cause:
        raise UnusableInputError(f"{place}: {cause}") from cause
    return catalogue, StatusQuery(fields=fields, duty=duty, at=at, known_at=known_at)


def _choose_plan(catalogues: Sequence[DutyCatalogue], fields: Mapping[str, Any], place: str) -> DutyCatalogue:
    """Return the catalogue of the plan that a query names, or of the only plan that has its obligation."""
    named = fields.get("plan")
    if named is not None:
        found = [one for one in catalogues if one.plan.plan == named]
        if not found:
            known = ", ".join(one.plan.plan for one in catalogues)
            raise UnusableInputError(f"{place}: plan: {named!r} is none of the plans given: {known}")
        return found[0]
    having = [one for one in catalogues if one.plan.obligation(fields["obligation"]) is not None]
    if len(having) > 1:
        names = " and ".join(one.plan.plan for one in having)
        raise UnusableInputError(
            f"{place}: obligation: {fields['obligation']!r} stands in {names}; say which one with `plan`"
        )
    return having[0] if having else catalogues[0]
