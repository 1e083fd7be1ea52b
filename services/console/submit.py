"""`dondoc submit FILE`: hands events in, one request each, and prints the receipts.

Safe to repeat: an event that was received already gets its first receipt again. So every doubtful answer is retried.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from services.console import inputs, output

EVENT = "application/cloudevents+json"
WORTH_RETRYING = frozenset({408, 429, 500, 502, 503, 504})
FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 15.0
REQUEST_SECONDS = 35.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One event of the file, in its own writing, and the place where it stands."""

    place: str
    body: bytes


class Refused(Exception):  # noqa: N818 - it reads as the answer
    """Intake said no, or could not be reached; the message says what to do."""


def submit(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Events: one .json, or .jsonl with one a line.")],
    *,
    url: Annotated[str, typer.Option(envvar="DONDOC_INTAKE_URL", help="Where intake is.")] = "http://127.0.0.1:8001",
    key: Annotated[str, typer.Option(envvar="DONDOC_KEY", help="The key to post with.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Ask what would be missing; record nothing.")] = False,
    attempts: Annotated[int, typer.Option(min=1, help="How often an event is tried while intake cannot take it.")] = 8,
    vietnamese: Annotated[bool, typer.Option("--vi", help="Refusals in Vietnamese.")] = False,
) -> None:
    """Hand in events and print a signed receipt a line. Exit 1 if any was refused."""
    with output.exits():
        sources = list(read(file))
    headers = {"authorization": f"Bearer {key}", "content-type": EVENT, "accept-language": "vi" if vietnamese else "en"}
    query = {"dry_run": "true"} if dry_run else {}
    refused = 0
    with httpx.Client(base_url=url, headers=headers, timeout=REQUEST_SECONDS) as client:
        for source in sources:
            try:
                answer = _posted(client, source.body, query, attempts=attempts)
            except Refused as refusal:
                refused += 1
                output.say(f"{source.place}: {refusal}")
            else:
                output.line(_printed(answer))
    if refused:
        output.say(f"{refused} of {len(sources)} refused")
        raise typer.Exit(output.NEGATIVE)


def read(file: Path) -> Iterator[Source]:
    """Yield the events of *file* in order; raise `Unusable` naming the line that is none."""
    match file.suffix.lower():
        case ".json":
            yield from _from_json(file)
        case ".jsonl" | ".ndjson":
            for number, text in enumerate(inputs.read_text(file).splitlines(), 1):
                if text.strip():
                    place = f"{file}:{number}"
                    yield _source(text, _decoded(text, place), place)
        case other:
            raise inputs.Unusable(f"{file}: {other or 'no suffix'} is not taken; use .json or .jsonl")


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
    return Source(place=place, body=text.encode())


def _decoded(text: str, place: str) -> object:
    try:
        return json.loads(text)
    except ValueError as cause:
        raise inputs.Unusable(f"{place}: not JSON: {cause}") from cause


def _posted(client: httpx.Client, body: bytes, query: dict[str, str], *, attempts: int) -> dict[str, Any]:
    pause = FIRST_PAUSE_SECONDS
    problem = "not tried"
    for attempt in range(attempts):
        if attempt:
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        try:
            response = client.post("/v1/events", content=body, params=query)
        except httpx.TransportError as cause:
            problem = f"intake cannot be reached: {cause}"
            continue
        if response.is_success:
            answer: dict[str, Any] = response.json()
            return answer
        problem = _problem(response)
        if response.status_code not in WORTH_RETRYING:
            break
        pause = max(pause, min(_asked_pause(response), LONGEST_PAUSE_SECONDS))
    raise Refused(problem)


def _asked_pause(response: httpx.Response) -> float:
    asked = response.headers.get("retry-after", "")
    return float(asked) if asked.isdigit() else 0.0


def _problem(response: httpx.Response) -> str:
    try:
        document = response.json()
    except ValueError:
        return f"{response.status_code} {response.reason_phrase}"
    faults = [f"{one['pointer']}: {one['detail']}" for one in document.get("errors", ())]
    return "; ".join([f"{document.get('title')} ({response.status_code})", *(faults or [str(document.get("detail"))])])


def _printed(answer: dict[str, Any]) -> dict[str, Any]:
    receipts = answer.get("receipts")
    return {**receipts[0], "jws": answer["jws"]} if receipts else answer
