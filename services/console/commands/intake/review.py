"""`dondoc return` and `dondoc accept`: the recipient's answer to a report, posted to intake as an event (ruling 14).

The id of the event derives from what it says, so that the same command twice is one event. The key needs `--reviews`.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
import typer
from pydantic import ValidationError

from schemas import validation_messages
from schemas.events import ids
from schemas.events.facts import ACCEPTED, RETURNED, ReportAccepted, ReportReturned
from schemas.plan.values import Language
from services.console.commands.intake import posting
from services.console.commands.intake.posting import SubmissionRefusedError
from services.console.support import inputs, output

NO_PERIOD = "-"
SOURCE = "urn:review:console"

Plan = Annotated[str, typer.Argument(metavar="PLAN", help="Id of the plan.")]
ObligationId = Annotated[str, typer.Argument(metavar="OBLIGATION", help="Id of the obligation.")]
Period = Annotated[str, typer.Argument(metavar="PERIOD", help="Such as 2026 or 2026-Q3; - for a one-off duty.")]
AgencyId = Annotated[str, typer.Argument(metavar="AGENCY", help="The agency whose report it is.")]
SubmissionId = Annotated[str, typer.Option("--submission", metavar="ID", help="Event id of the report.")]
Reviewer = Annotated[
    str,
    typer.Option("--by", metavar="AGENCY", envvar="DONDOC_RECIPIENT", help="The recipient that answers, by its id."),
]
Source = Annotated[str, typer.Option(metavar="URI", help="A source that the key may post from.")]
Url = Annotated[str, typer.Option(envvar="DONDOC_INTAKE_URL", help="Where intake is.")]
Key = Annotated[str, typer.Option(envvar="DONDOC_KEY", help="The key to post with, made with --reviews.")]
Attempts = Annotated[int, typer.Option(min=1, help="How often it is tried while intake cannot take it.")]


def return_report(
    plan: Plan,
    obligation: ObligationId,
    period: Period,
    agency: AgencyId,
    *,
    submission: SubmissionId,
    reason: Annotated[str, typer.Option(help="Why, in the words that the agency will read.")],
    respond_by: Annotated[
        str | None, typer.Option("--respond-by", metavar="T", help="RFC 3339 instant before which it is to correct.")
    ] = None,
    returned_by: Reviewer = "recipient",
    source: Source = SOURCE,
    url: Url = "http://127.0.0.1:8001",
    key: Key = "",
    attempts: Attempts = 8,
    lang: output.LanguageOption,
) -> None:
    """Return a report to its agency for correction, and print the receipt. Exit 1 if intake refuses it."""
    answer = {"submission": submission, "reason": reason, "respond_by": respond_by, "returned_by": returned_by}
    with output.exit_on_errors(lang):
        if respond_by is not None:
            inputs.read_instant(respond_by, "--respond-by")
        event = _build_event(RETURNED, _name_duty(plan, obligation, period, agency) | answer, source)
    _post(event, url, key, attempts=attempts, lang=lang)


def accept_report(
    plan: Plan,
    obligation: ObligationId,
    period: Period,
    agency: AgencyId,
    *,
    submission: SubmissionId,
    note: Annotated[str, typer.Option(help="A remark to be kept with it.")] = "",
    accepted_by: Reviewer = "recipient",
    source: Source = SOURCE,
    url: Url = "http://127.0.0.1:8001",
    key: Key = "",
    attempts: Attempts = 8,
    lang: output.LanguageOption,
) -> None:
    """Accept a report as it is, and print the receipt; an earlier return of it is taken back. Exit 1 if refused."""
    answer = {"submission": submission, "note": note, "accepted_by": accepted_by}
    with output.exit_on_errors(lang):
        event = _build_event(ACCEPTED, _name_duty(plan, obligation, period, agency) | answer, source)
    _post(event, url, key, attempts=attempts, lang=lang)


def _name_duty(plan: str, obligation: str, period: str, agency: str) -> dict[str, Any]:
    duty: dict[str, Any] = {"plan": plan, "obligation": obligation, "agency": agency}
    return duty if period == NO_PERIOD else duty | {"period": period}


def _build_event(kind: str, data: Mapping[str, Any], source: str) -> bytes:
    """Return the event; raise `UnusableInputError` naming what is malformed before anything is sent."""
    model = ReportReturned if kind == RETURNED else ReportAccepted
    try:
        model.model_validate(data)
    except ValidationError as cause:
        first = cause.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"])).replace("_", "-")
        raise inputs.UnusableInputError(validation_messages.describe_error(first), place=field) from cause
    event = {
        "specversion": "1.0",
        "id": f"review-{ids.content_digest({'type': kind, **data})[:32]}",
        "source": source,
        "type": kind,
        "subject": data["agency"],
        "datacontenttype": "application/json",
        "data": data,
    }
    return msgspec.json.encode(event)


def _post(event: bytes, url: str, key: str, *, attempts: int, lang: Language) -> None:
    with output.exit_on_errors(lang), posting.open_client(url, key, lang) as client:
        try:
            answer = posting.post_with_retries(client, event, {}, attempts=attempts)
        except SubmissionRefusedError as refusal:
            output.print_message(refusal.in_language(lang))
            for pointer, detail in refusal.faults:
                output.print_message(f"{pointer}: {detail}")
            raise typer.Exit(output.EXIT_NEGATIVE) from refusal
        output.print_json(posting.receipt_row(answer))
