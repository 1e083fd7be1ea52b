"""`dondoc report PLAN PERIOD`: the annual report in the format asked for, from reporting."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import httpx
import typer

from services.console.support import output
from services.console.support.inputs import Unusable

REPORTING_URL = "http://127.0.0.1:8004"
REQUEST_SECONDS = 60.0  # a large report takes a second; the rest is patience with a busy machine


class DocumentFormat(StrEnum):
    """In which format the report is written."""

    DOCX = "docx"
    PDF = "pdf"
    XLSX = "xlsx"
    CSV = "csv"
    JSON = "json"


def report(
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="Id of a published plan.")],
    period: Annotated[str, typer.Argument(metavar="PERIOD", help="A reporting period, for example 2026.")],
    *,
    file: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Where to write it; - is stdout.")],
    fmt: Annotated[DocumentFormat | None, typer.Option("--format", help="Default: as FILE ends, else docx.")] = None,
    as_of: Annotated[str, typer.Option(help="The instant asked about, RFC 3339; default now.")] = "",
    known_at: Annotated[str, typer.Option(help="Only what was recorded by then; default as-of.")] = "",
    url: Annotated[str, typer.Option(envvar="DONDOC_REPORTING_URL", help="Where reporting is.")] = REPORTING_URL,
) -> None:
    """Write the annual report of PLAN for PERIOD into FILE."""
    with output.exits():
        wanted = fmt or _by_name(file)
        path = f"/v1/plans/{plan}/periods/{period}/report.{wanted}"
        answer = ask(url, path, as_of=as_of, known_at=known_at)
        if str(file) == "-":
            typer.get_binary_stream("stdout").write(answer.content)
            return
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(answer.content)
        except OSError as cause:
            raise Unusable(f"{file}: {cause.strerror or cause}") from cause
        output.say(f"{file}: {len(answer.content)} bytes, digest {answer.headers.get('x-dondoc-digest', '-')}")


def ask(url: str, path: str, **query: str) -> httpx.Response:
    """Return reporting's answer; raise `Unusable` with its problem's words where it has none to give."""
    given = {name: value for name, value in query.items() if value}
    try:
        answer = httpx.get(f"{url}{path}", params=given, timeout=REQUEST_SECONDS, headers={"accept-language": "en"})
    except (httpx.TransportError, httpx.InvalidURL) as cause:
        raise Unusable(f"reporting at {url} does not answer: {cause}; set DONDOC_REPORTING_URL or --url") from cause
    if answer.is_success:
        return answer
    raise Unusable(_refusal(answer))


def _refusal(answer: httpx.Response) -> str:
    if "problem+json" not in answer.headers.get("content-type", ""):
        return f"reporting answered {answer.status_code} at {answer.url}"
    problem = answer.json()
    return f"{problem['title']}: {problem.get('detail') or problem['type']}"


def _by_name(file: Path) -> DocumentFormat:
    """Return the format that the name of *file* asks for; what asks for none gets the document itself."""
    ending = file.suffix.removeprefix(".").lower()
    return DocumentFormat(ending) if ending in set(DocumentFormat) else DocumentFormat.DOCX
