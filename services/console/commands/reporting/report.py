"""`dondoc report PLAN PERIOD`: fetches the annual report from reporting in the chosen format."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from services.console.support import inputs, output, progress, reporting_client
from services.console.support.reporting_client import REPORTING_URL


class DocumentFormat(StrEnum):
    """The format of the report."""

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
    with output.exit_on_errors():
        wanted = fmt or _format_of(file)
        path = f"/v1/plans/{plan}/periods/{period}/report.{wanted}"
        with progress.show_progress(f"{wanted} of {plan} for {period}"):
            answer = reporting_client.get(url, path, as_of=as_of, known_at=known_at)
        if str(file) == "-":
            typer.get_binary_stream("stdout").write(answer.content)
            return
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(answer.content)
        except OSError as cause:
            raise inputs.refuse_file(file, cause) from cause
        output.print_message(
            f"{file}: {len(answer.content)} bytes, digest {answer.headers.get('x-dondoc-digest', '-')}"
        )


def _format_of(file: Path) -> DocumentFormat:
    """Return the format that the suffix of *file* names, DOCX where it names none."""
    ending = file.suffix.removeprefix(".").lower()
    return DocumentFormat(ending) if ending in set(DocumentFormat) else DocumentFormat.DOCX
