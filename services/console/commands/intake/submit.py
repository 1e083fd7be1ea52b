"""`dondoc submit FILE`: hands in events or a filled report sheet, one request each, and prints the receipts.

Safe to repeat: an event that was received already gets its first receipt again. So every doubtful answer is retried.
"""

import re
import ssl
import time
from pathlib import Path
from typing import Annotated, Any, Literal

import httpx
import typer
from pydantic import HttpUrl, TypeAdapter, ValidationError

from services.console.support import event_files, inputs, output

EVENT = "application/cloudevents+json"
WORTH_RETRYING = frozenset({408, 429, 500, 502, 503, 504})
FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 15.0
REQUEST_SECONDS = 35.0

_ADDRESS = TypeAdapter(HttpUrl)
_NO_ADDRESS = (
    "this is no address of intake: let DONDOC_INTAKE_URL, or --url, be one such as http://127.0.0.1:8001, "
    "without user, password or query"
)
_KEY = re.compile("[!-~]+")
"""Visible ASCII without a space: what can stand in a header and a key is made of."""
_NO_KEY = (
    "this is no key, for it holds a space, a line break or a letter that no key has: let DONDOC_KEY, or --key, be "
    "the key alone, as `dondoc keys create` has printed it"
)


class Refused(Exception):  # noqa: N818 - it reads as the answer
    """Intake said no, or could not be reached; the message says what to do, the faults where in the event."""

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
    with output.exits():
        headers = {"authorization": _bearer(key), "content-type": EVENT, "accept-language": lang}
        address = _address(url)
        sources = list(event_files.read(file, lang))
    query = {"dry_run": "true"} if dry_run else {}
    refused = 0
    with output.exits(), httpx.Client(base_url=address, headers=headers, timeout=REQUEST_SECONDS) as client:
        for source in sources:
            for warning in source.warnings:
                output.say(warning)
            try:
                answer = _posted(client, source.body, query, attempts=attempts)
            except Refused as refusal:
                refused += 1
                output.say(f"{source.place}: {refusal}")
                for pointer, detail in refusal.faults:
                    output.say(f"{source.pointed(pointer)}: {detail}")
            else:
                output.line(_printed(answer))
    if refused:
        output.say(f"{refused} of {len(sources)} refused")
        raise typer.Exit(output.NEGATIVE)


def _address(url: str) -> str:
    """Return where intake is; what was given instead is not shown, for it may be a secret in the wrong place."""
    try:
        found = _ADDRESS.validate_python(url.strip())
    except ValidationError as cause:
        raise inputs.Unusable(_NO_ADDRESS) from cause
    if found.username or found.password or found.query or found.fragment:
        raise inputs.Unusable(_NO_ADDRESS)
    return str(found)


def _bearer(key: str) -> str:
    """Return the key as it is sent, without the white space around it that files and pasting leave."""
    bare = key.strip()
    if not bare:
        raise inputs.Unusable("there is no key: let DONDOC_KEY, or --key, be one that `dondoc keys create` has printed")
    if not _KEY.fullmatch(bare):
        raise inputs.Unusable(_NO_KEY)
    return f"Bearer {bare}"


def _posted(client: httpx.Client, body: bytes, query: dict[str, str], *, attempts: int) -> dict[str, Any]:
    pause = FIRST_PAUSE_SECONDS
    refusal = Refused("not tried")
    for attempt in range(attempts):
        if attempt:
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        try:
            response = client.post("/v1/events", content=body, params=query)
        except httpx.TransportError as cause:
            _refuse_distrust(cause)
            refusal = Refused(f"intake cannot be reached: {cause}")
            continue
        if response.is_success:
            return _answer(response)
        refusal = _refusal(response)
        if response.status_code not in WORTH_RETRYING:
            break
        pause = max(pause, min(_asked_pause(response), LONGEST_PAUSE_SECONDS))
    raise refusal


def _refuse_distrust(failure: httpx.TransportError) -> None:
    """Raise `Unusable` where *failure* stands for a certificate that is not trusted: it will be the next time, too."""
    cause: BaseException | None = failure
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    if cause is not None:
        remedy = "let SSL_CERT_FILE name a file with the certificates of who vouches for it"
        raise inputs.Unusable(f"intake shows a certificate that is not trusted: {cause.verify_message}; {remedy}")


def _asked_pause(response: httpx.Response) -> float:
    asked = response.headers.get("retry-after", "")
    return float(asked) if asked.isdigit() else 0.0


def _answer(response: httpx.Response) -> dict[str, Any]:
    document = _document(response)
    if document is None:
        raise Refused("what answers there is not intake: let DONDOC_INTAKE_URL, or --url, be where intake is")
    return document


def _refusal(response: httpx.Response) -> Refused:
    document = _document(response)
    if document is None:
        return Refused(f"{response.status_code} {response.reason_phrase}")
    title = f"{document.get('title', response.reason_phrase)} ({response.status_code})"
    detail = str(document.get("detail"))
    faults = tuple((one["pointer"], one["detail"]) for one in document.get("errors", ()))
    return Refused(f"{title}: {detail}", faults)


def _document(response: httpx.Response) -> dict[str, Any] | None:
    try:
        document = response.json()
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _printed(answer: dict[str, Any]) -> dict[str, Any]:
    receipts = answer.get("receipts")
    return {**receipts[0], "jws": answer["jws"]} if receipts else answer
