"""`dondoc readers`: creates, lists and revokes those who may read from reporting, and prints links for their browsers.

A secret is shown once, when the reader is created. It is stored nowhere: the file of readers holds its SHA-256 digest.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from schemas.events import dashboard_links
from services.console.support import inputs, key_scopes, output
from services.console.support.inputs import UnusableInputError
from services.console.support.reporting_client import REPORTING_URL
from services.reporting.core.access import readers
from services.reporting.core.access.links import ReaderLink
from services.reporting.core.access.readers import Reader, ReaderKey
from services.reporting.http.access import reader_keys
from services.reporting.settings import ReportingSettings
from services.runtime import secret_files
from services.runtime.access import bearer_keys
from services.runtime.clock import clock_from

app = typer.Typer(help="Those who may read from reporting.", no_args_is_help=True)

ReadersOption = Annotated[
    Path | None,
    typer.Option("--readers", metavar="FILE", help="The file of readers (default: DONDOC_REPORTING_READERS)."),
]
NameOption = Annotated[str, typer.Option(help="The person or the program that reads; audit lines name it.")]
ScopeOption = Annotated[
    list[str],
    typer.Option(help="What it may see: all, group:ID, agency:ID, or sealed (sealed reports alone); repeat."),
]
ReviewsOption = Annotated[bool, typer.Option("--reviews", help="Let it return, accept and grade reports, too.")]
SealsOption = Annotated[bool, typer.Option("--seals", help="Let it seal annual reports, too.")]
ValidityOption = Annotated[str, typer.Option(metavar="DURATION", help="ISO 8601 duration until it expires.")]
ReaderArgument = Annotated[
    str, typer.Argument(metavar="READER", help="Its id, as `dondoc readers list` shows it, or its name.")
]

_EXAMPLES = """
The officer who answers the agencies: dondoc readers create --name 'Lê Thị B' --scope all --reviews --seals

Who follows the districts: dondoc readers create --name 'Tổ theo dõi huyện' --scope group:ubnd-huyen
"""


@app.command(epilog=_EXAMPLES)
def create(
    *,
    name: NameOption,
    scope: ScopeOption,
    reviews: ReviewsOption = False,
    seals: SealsOption = False,
    valid_for: ValidityOption = key_scopes.DEFAULT_VALIDITY,
    file: ReadersOption = None,
) -> None:
    """Make a reader and print the key: the only time its secret is seen."""
    with _exit_on_errors():
        now = _read_clock()
        secret = bearer_keys.create_secret()
        key = ReaderKey(
            reader=_parse_reader(name, scope, may_review=reviews, may_seal=seals),
            sha256=bearer_keys.digest_secret(secret),
            created_at=now,
            expires_at=key_scopes.parse_expiry(valid_for, since=now),
        )
        path = _readers_path(file)
        # Read and written under one lock: of two commands at the same time neither overwrites the other's change.
        with secret_files.lock_file(path):
            reader_keys.load_or_create_link_key(path)
            reader_keys.write_readers(path, [*reader_keys.read_readers(path), key])
    bearer = bearer_keys.format_bearer(reader_keys.BEARER_PREFIX, key.reader.id, secret)
    output.print_json({**_reader_row(key), "key": bearer})


@app.command(name="list")
def list_readers(
    fmt: Annotated[output.OutputFormat, typer.Option("--format", help="jsonl or table.")] = output.OutputFormat.JSONL,
    file: ReadersOption = None,
) -> None:
    """List every reader: who it is, what it may see and do, until when. Secrets are not known here."""
    with _exit_on_errors():
        output.print_rows(map(_reader_row, reader_keys.read_readers(_readers_path(file))), fmt, title="readers")


@app.command()
def revoke(reader: ReaderArgument, file: ReadersOption = None) -> None:
    """End a reader's key, links and sessions at once; a running reporting sees it within a second."""
    with _exit_on_errors():
        path, now = _readers_path(file), _read_clock()
        with secret_files.lock_file(path):
            existing = reader_keys.read_readers(path)
            # Revoked and not removed: the audit lines of the log name the reader by its id.
            target = _find_key(existing, reader)
            revoked = [replace(key, revoked_at=now) if key is target else key for key in existing]
            reader_keys.write_readers(path, revoked)
    output.print_message(f"{target.reader.id} is revoked")


@app.command()
def link(
    reader: ReaderArgument,
    *,
    valid_for: ValidityOption = "P1D",
    url: Annotated[
        str, typer.Option(envvar="DONDOC_DASHBOARD_URL", help="Where people reach the dashboard.")
    ] = REPORTING_URL,
    file: ReadersOption = None,
) -> None:
    """Print a link that opens the dashboard for READER. Whoever has it reads as this reader does."""
    with _exit_on_errors():
        path, now = _readers_path(file), _read_clock()
        with secret_files.lock_file(path):
            key = _find_key(reader_keys.read_readers(path), reader)
            link_key = reader_keys.load_or_create_link_key(path)
        if not key.is_valid_at(now):
            raise UnusableInputError(f"{key.reader.id} has expired or was revoked; create a new reader")
        expires_at = key_scopes.parse_expiry(valid_for, since=now)
        signed = ReaderLink(reader=key.reader.id, issued_at=now, expires_at=expires_at)
        address = dashboard_links.dashboard_url(url, link_key.sign_link(signed), "vi")
    output.print_json({"link": address, "expires_at": expires_at.isoformat("T", "seconds")})


def _parse_reader(name: str, scopes: Sequence[str], *, may_review: bool, may_seal: bool) -> Reader:
    try:
        scope = readers.parse_scope(scopes)
    except ValueError as cause:
        raise UnusableInputError(f"--scope: {cause}") from cause
    if may_review and not scope.covers_duties:
        raise UnusableInputError("--reviews: a reader of sealed reports alone sees nothing to review; add a --scope")
    if may_seal and not scope.is_everything:
        raise UnusableInputError("--seals: an annual report names every agency; add --scope all")
    return Reader(
        id=bearer_keys.create_id(),
        name=key_scopes.parse_name(name, "--name"),
        scope=scope,
        may_review=may_review,
        may_seal=may_seal,
    )


def _find_key(keys: Sequence[ReaderKey], reader: str) -> ReaderKey:
    found = [key for key in keys if key.reader.id == reader] or [key for key in keys if key.reader.name == reader]
    if len(found) > 1:
        raise UnusableInputError(f"there are {len(found)} readers called {reader!r}; give the id")
    if not found:
        raise UnusableInputError(f"there is no reader {reader!r}; see `dondoc readers list`")
    return found[0]


def _reader_row(key: ReaderKey) -> dict[str, Any]:
    return {
        "id": key.reader.id,
        "name": key.reader.name,
        "scopes": list(readers.format_scope(key.reader.scope)),
        "reviews": key.reader.may_review,
        "seals": key.reader.may_seal,
        "created_at": key.created_at.isoformat(),
        "expires_at": None if key.expires_at is None else key.expires_at.isoformat(),
        "revoked_at": None if key.revoked_at is None else key.revoked_at.isoformat(),
    }


def _readers_path(given: Path | None) -> Path:
    return given or ReportingSettings().readers


def _read_clock() -> datetime:
    return clock_from(ReportingSettings().clock).now()


@contextmanager
def _exit_on_errors() -> Iterator[None]:
    with output.exit_on_errors():
        try:
            yield
        except reader_keys.ReaderFileError as cause:
            raise inputs.UnusableInputError(str(cause)) from cause
        except OSError as cause:
            remedy = "name a place that can be written, with --readers or DONDOC_REPORTING_READERS"
            raise inputs.UnusableInputError(f"{cause.filename}: {cause.strerror}; {remedy}") from cause
