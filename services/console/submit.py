"""`dondoc submit FILE`: hands in events or a filled report sheet, one request each, and prints the receipts.

Safe to repeat: an event that was received already gets its first receipt again. So every doubtful answer is retried.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import httpx
import typer

from services.console import inputs, output
from services.console.sheets import filled
from services.intake.core.refusals import Language

EVENT = "application/cloudevents+json"
WORTH_RETRYING = frozenset({408, 429, 500, 502, 503, 504})
FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 15.0
REQUEST_SECONDS = 35.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One event of the file, in its own writing, and the place where it stands; *pointed* names a place within it."""

    place: str
    body: bytes
    pointed: Callable[[str], str]


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
        sources = list(read(file, lang))
    headers = {"authorization": f"Bearer {key}", "content-type": EVENT, "accept-language": lang}
    query = {"dry_run": "true"} if dry_run else {}
    refused = 0
    with httpx.Client(base_url=url, headers=headers, timeout=REQUEST_SECONDS) as client:
        for source in sources:
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


def read(file: Path, language: Language) -> Iterator[Source]:
    """Yield the events of *file* in order; raise `Unusable` naming the line that is none."""
    match file.suffix.lower():
        case ".json":
            yield from _from_json(file)
        case ".jsonl" | ".ndjson":
            for number, text in enumerate(inputs.read_text(file).splitlines(), 1):
                if text.strip():
                    place = f"{file}:{number}"
                    yield _source(text, _decoded(text, place), place)
        case ".xlsx" | ".csv":
            found = filled.read(file, language)
            yield Source(place=str(file), body=found.event, pointed=found.sheet.place)
        case other:
            raise inputs.Unusable(f"{file}: {other or 'no suffix'} is not taken; use .json, .jsonl, .xlsx or .csv")


def _from_json(file: Path) -> Iterator[Source]:
    text = inputs.read_text(file)
    found = _decoded(text, str(file))
    if not isinstance(found, list):
        yield _source(text, found, str(file))
        return
    for number, event in enumerate(found, 1):
        yield _source(json.dumps(event, ensure_ascii=False), event, f"{file}: event {number}")


def _source(text: str, event: object, place: str) -> Source:
    if not isinstance(event, dict):
        raise inputs.Unusable(f"{place}: an event is a JSON object")
    return Source(place=place, body=text.encode(), pointed=lambda pointer: f"{place}: {pointer}")


def _decoded(text: str, place: str) -> object:
    try:
        return json.loads(text)
    except ValueError as cause:
        raise inputs.Unusable(f"{place}: not JSON: {cause}") from cause


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
            refusal = Refused(f"intake cannot be reached: {cause}")
            continue
        if response.is_success:
            answer: dict[str, Any] = response.json()
            return answer
        refusal = _refusal(response)
        if response.status_code not in WORTH_RETRYING:
            break
        pause = max(pause, min(_asked_pause(response), LONGEST_PAUSE_SECONDS))
    raise refusal


def _asked_pause(response: httpx.Response) -> float:
    asked = response.headers.get("retry-after", "")
    return float(asked) if asked.isdigit() else 0.0


def _refusal(response: httpx.Response) -> Refused:
    try:
        document = response.json()
    except ValueError:
        return Refused(f"{response.status_code} {response.reason_phrase}")
    title, detail = (f"{document.get('title')} ({response.status_code})", str(document.get("detail")))
    faults = tuple((one["pointer"], one["detail"]) for one in document.get("errors", ()))
    return Refused(f"{title}: {detail}", faults)


def _printed(answer: dict[str, Any]) -> dict[str, Any]:
    receipts = answer.get("receipts")
    return {**receipts[0], "jws": answer["jws"]} if receipts else answer
