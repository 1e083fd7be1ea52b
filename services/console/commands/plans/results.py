"""`dondoc results`: consolidates the results of a period from a file of facts, as reporting does (contract 8)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from schemas.plan import calendar, periods
from schemas.plan.periods import Period
from schemas.plan.plan import Obligation
from services.console.support import fact_files, inputs, output
from services.console.support.fact_files import FactsFile
from services.console.support.inputs import UnusableInputError
from services.reporting import submission_content
from services.reporting.core import results_document, results_question
from services.reporting.core.reported_duties import StandingSubmission
from services.reporting.core.results_document import PlanResults
from services.reporting.core.results_question import AssessedDuty, AssessedPlan
from services.rules.core import assess
from services.rules.core.duty import Duty
from services.rules.core.duty_catalogue import DutyCatalogue
from services.rules.core.facts import Submission
from services.runtime.decoding import UnreadableRecordError


@dataclass(frozen=True, slots=True, kw_only=True)
class Instants:
    """The instant asked about, and the one by which a fact must be recorded to count."""

    at: datetime
    known_at: datetime


def results(
    directories: Annotated[
        list[Path], typer.Argument(metavar="DIR…", help="Folders with plan.yaml and registry.yaml, one a plan.")
    ],
    facts: Annotated[Path, typer.Option(metavar="F.jsonl", help="CloudEvents in log order, one a line.")],
    period: Annotated[str, typer.Option(help="The period: 2024, 2024-H1, 2024-9M, 2024-Q3, 2024-07 or 2024-W07.")],
    at: Annotated[
        str | None,
        typer.Option(metavar="T", help="The instant asked about. Default: the last recordedtime of the file."),
    ] = None,
    known_at: Annotated[
        str | None,
        typer.Option(metavar="T", help="Count only what was recorded by then. Default: the instant asked about."),
    ] = None,
) -> None:
    """Print the consolidated figures and texts of a period, one JSON document a plan. Pure: it needs no server."""
    with output.exit_on_errors():
        text = _read_period(period)
        catalogues = inputs.read_plan_folders(directories)
        asked = _read_instants(facts, at, known_at)
        log = fact_files.read_facts_file(facts, catalogues)
        documents = [_consolidate_plan(catalogue, log, text, asked) for catalogue in catalogues]
        for document in documents:
            output.print_json(results_document.build_document(document))


def _read_period(text: str) -> str:
    try:
        return periods.parse(text).text
    except ValueError as cause:
        raise UnusableInputError(f"--period: {cause}") from cause


def _read_instants(path: Path, at: str | None, known_at: str | None) -> Instants:
    asked = fact_files.read_last_recorded(path) if at is None else inputs.read_instant(at, "--at")
    if asked is None:
        raise UnusableInputError(
            f"{path}: there is no event in it that could say when it ends; name the instant with --at"
        )
    return Instants(at=asked, known_at=asked if known_at is None else inputs.read_instant(known_at, "--known-at"))


def _consolidate_plan(catalogue: DutyCatalogue, facts: FactsFile, period: str, asked: Instants) -> PlanResults:
    current = periods.parse(period)
    duties = {
        (obligation.id, one.text): several
        for obligation in catalogue.plan.obligations
        for one in (current, periods.year_before(current))
        if one is not None and (several := _assess_duties(catalogue, (obligation, one), facts, asked))
    }
    standing = {duty.standing for found in duties.values() for duty in found if duty.standing is not None}
    contents = {name: _decode_content(facts.events[name], asked) for name in sorted(standing)}
    assessed = AssessedPlan(plan=catalogue.plan, registry=catalogue.registry, duties=duties, contents=contents)
    return PlanResults(
        plan=catalogue.plan.plan,
        period=period,
        at=asked.at,
        known_at=asked.known_at,
        zone=catalogue.calendar.zone,
        obligations=results_question.consolidate_plan(assessed, period),
    )


def _assess_duties(
    catalogue: DutyCatalogue, asked_for: tuple[Obligation, Period], facts: FactsFile, asked: Instants
) -> list[AssessedDuty]:
    """Return the binding duties of an obligation for a period; none where it never had such periods."""
    obligation, period = asked_for
    if period.recurrence not in calendar.recurrences_of(obligation):
        return []
    duties = (
        catalogue.duty(agency=agency, obligation=obligation.id, period=period.text) for agency in catalogue.agencies
    )
    return [_assess_duty(duty, facts, asked) for duty in duties if duty.is_binding]


def _assess_duty(duty: Duty, facts: FactsFile, asked: Instants) -> AssessedDuty:
    known = [fact for fact in facts.list_facts(duty) if fact.recorded_at <= asked.known_at]
    found = assess.assess(duty, known).at(asked.at)
    return AssessedDuty(
        agency=duty.key.agency,
        status=found.status,
        flags=found.flags,
        missing=found.missing,
        standing=None if found.standing is None else (found.standing.source, found.standing.id),
    )


def _decode_content(events: Iterable[tuple[Submission, bytes]], asked: Instants) -> StandingSubmission:
    """Return the content of the event that counts where one identity stands for several: the first recorded."""
    known = [(fact, event) for fact, event in events if fact.recorded_at <= asked.known_at]
    fact, event = min(known, key=lambda pair: assess.recording_order(pair[0]))
    try:
        return submission_content.decode_submission(event)
    except UnreadableRecordError as cause:
        raise UnusableInputError(f"the submission {fact.id} of {fact.source} cannot be read: {cause}") from cause
