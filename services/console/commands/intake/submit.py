"""`dondoc submit FILE`: posts events or a filled report sheet to intake, one request each, and prints the receipts.

The command is safe to repeat, because intake answers an event that it has received already with its first receipt. So
every request whose outcome is unknown is retried.
"""

import ssl
import time
from pathlib import Path
from typing import Annotated, Any, Literal

import httpx
import typer
from pydantic import HttpUrl, TypeAdapter, ValidationError

from services.console.commands.intake import event_files
from services.console.support import inputs, output

EVENT = "application/cloudevents+json"

# A later attempt may succeed: timeout, rate limit, and failures of intake or of a proxy before it.
RETRYABLE_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
# Doubled after each attempt. The pauses between eight attempts add up to 31 s, longer than a service takes to restart.
FIRST_PAUSE_SECONDS = 0.25
MAX_PAUSE_SECONDS = 15.0

# Longer than intake gives a body to arrive (30 s) and then the broker to acknowledge (2.5 s).
REQUEST_SECONDS = 35.0

_ADDRESS = TypeAdapter(HttpUrl)
_NO_ADDRESS = (
    "this is no address of intake: let DONDOC_INTAKE_URL, or --url, be one such as http://127.0.0.1:8001, "
    "without user, password or query"
)

_NO_KEY = (
    "this is no key, for it holds a space, a line break or a letter that no key has: let DONDOC_KEY, or --key, be "
    "the key alone, as `dondoc keys create` has printed it"
)


class SubmissionRefusedError(Exception):
    """Intake refused an event or could not be reached; the message says what to do.

    *faults* are pairs of a JSON pointer into the event and a detail.
    """

    def __init__(self, message: str, faults: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.faults = faults


def submit(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Events (.json, .jsonl) or a filled report sheet (.xlsx, .csv).")
    ],
    *,
    url: Annotated[str, typer.Option(envvar="DONDOC_INTAKE_URL", help="Where intake is.")] = "http://127.0.0.1:8001",
    key: Annotated[str, typer.Option(envvar="DONDOC_KEY", help="The key to post with.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Ask what would be missing; record nothing.")] = False,
    attempts: Annotated[int, typer.Option(min=1, help="How often an event is tried while intake cannot take it.")] = 8,
    lang: Annotated[Literal["en", "vi"], typer.Option(help="Language of refusals.")] = "en",
) -> None:
    """Hand in events and print a signed receipt a line. Exit 1 if any was refused."""
    with output.exit_on_errors():
        headers = {"authorization": _format_bearer(key), "content-type": EVENT, "accept-language": lang}
        address = _parse_address(url)
        events = list(event_files.read_events(file, lang))
    query = {"dry_run": "true"} if dry_run else {}
    refused_count = 0
    with output.exit_on_errors(), httpx.Client(base_url=address, headers=headers, timeout=REQUEST_SECONDS) as client:
        for event in events:
            for warning in event.warnings:
                output.print_message(warning)
            try:
                answer = _post_with_retries(client, event.body, query, attempts=attempts)
            except SubmissionRefusedError as refusal:
                refused_count += 1
                output.print_message(f"{event.place}: {refusal}")
                for pointer, detail in refusal.faults:
                    output.print_message(f"{event.place_of(pointer)}: {detail}")
            else:
                # Only a dry run answers them.
                for finding in answer.get("findings", ()):
                    output.print_message(f"{event.place_of(finding['pointer'])}: {finding['detail'][lang]}")
                output.print_json(_receipt_row(answer))
    if refused_count:
        output.print_message(f"{refused_count} of {len(events)} refused")
        raise typer.Exit(output.EXIT_NEGATIVE)


def _parse_address(url: str) -> str:
    """Return the address of intake; raise `UnusableInputError` where *url* is none.

    The message does not repeat *url*, because it may be a key that was given in the wrong place.
    """
    try:
        found = _ADDRESS.validate_python(url.strip())
    except ValidationError as cause:
        raise inputs.UnusableInputError(_NO_ADDRESS) from cause
    if found.username or found.password or found.query or found.fragment:
        raise inputs.UnusableInputError(_NO_ADDRESS)
    return str(found)


def _format_bearer(key: str) -> str:
    """Return the value of the authorization header; raise `UnusableInputError` where *key* is no key."""
    bearer = inputs.format_bearer(key, malformed=_NO_KEY)
    if bearer is None:
        raise inputs.UnusableInputError(
            "there is no key: let DONDOC_KEY, or --key, be one that `dondoc keys create` has printed"
        )
    return bearer


def _post_with_retries(client: httpx.Client, body: bytes, query: dict[str, str], *, attempts: int) -> dict[str, Any]:
    """Post *body* until intake answers for good, at most *attempts* times; return the answer.

    The pause doubles from a quarter of a second to 15 seconds, and is at least what `Retry-After` asks for. Raise
    `SubmissionRefusedError` with the last refusal.
    """
    pause = FIRST_PAUSE_SECONDS
    refusal = SubmissionRefusedError("not tried")
    for attempt in range(attempts):
        if attempt:
            time.sleep(pause)
            pause = min(pause * 2, MAX_PAUSE_SECONDS)
        try:
            response = client.post("/v1/events", content=body, params=query)
        except httpx.TransportError as cause:
            _raise_if_untrusted(cause)
            # The event may have been recorded although no answer came; intake recognises the retry by source and id.
            refusal = SubmissionRefusedError(f"intake cannot be reached: {cause}")
            continue
        if response.is_success:
            return _parse_answer(response)
        refusal = _parse_refusal(response)
        if response.status_code not in RETRYABLE_STATUSES:
            break
        pause = max(pause, min(_retry_after_seconds(response), MAX_PAUSE_SECONDS))
    raise refusal


def _raise_if_untrusted(failure: httpx.TransportError) -> None:
    """Raise `UnusableInputError` where *failure* was caused by an untrusted certificate: a retry would fail as well."""
    # httpx wraps the error of the ssl module twice; it is found by following the chain of causes.
    cause: BaseException | None = failure
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    if cause is not None:
        remedy = "let SSL_CERT_FILE name a file with the certificates of who vouches for it"
        raise inputs.UnusableInputError(
            f"intake shows a certificate that is not trusted: {cause.verify_message}; {remedy}"
        )


def _retry_after_seconds(response: httpx.Response) -> float:
    # Retry-After may also be an HTTP date (RFC 9110, section 10.2.3); intake sends seconds only.
    value = response.headers.get("retry-after", "")
    return float(value) if value.isdigit() else 0.0


def _parse_answer(response: httpx.Response) -> dict[str, Any]:
    document = _parse_json_object(response)
    if document is None:
        raise SubmissionRefusedError(
            "what answers there is not intake: let DONDOC_INTAKE_URL, or --url, be where intake is"
        )
    return document


def _parse_refusal(response: httpx.Response) -> SubmissionRefusedError:
    document = _parse_json_object(response)
    if document is None:
        return SubmissionRefusedError(f"{response.status_code} {response.reason_phrase}")
    title = f"{document.get('title', response.reason_phrase)} ({response.status_code})"
    detail = str(document.get("detail"))
    faults = tuple((one["pointer"], one["detail"]) for one in document.get("errors", ()))
    return SubmissionRefusedError(f"{title}: {detail}", faults)


def _parse_json_object(response: httpx.Response) -> dict[str, Any] | None:
    try:
        document = response.json()
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _receipt_row(answer: dict[str, Any]) -> dict[str, Any]:
    receipts = answer.get("receipts")
    return {**receipts[0], "jws": answer["jws"]} if receipts else answer
