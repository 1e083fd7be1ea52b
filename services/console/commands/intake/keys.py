"""`dondoc keys`: creates, lists and revokes the keys with which upstream systems post.

A secret is shown once, when it is created. It is stored nowhere: the file of keys holds its SHA-256 digest.
"""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from services.console.support import inputs, key_scopes, output
from services.intake import secret_files
from services.intake.core.scopes import ApiKey
from services.intake.http import api_keys
from services.intake.settings import IntakeSettings
from services.runtime.clock import clock_from

SECRET_BYTES = 32
ID_BYTES = 5

app = typer.Typer(help="Keys of the systems that may post to intake.", no_args_is_help=True)

KeysOption = Annotated[
    Path | None, typer.Option("--keys", metavar="FILE", help="The file of keys (default: DONDOC_INTAKE_KEYS).")
]


@app.command()
def create(
    *,
    system: Annotated[str, typer.Option(help="The upstream system that will hold the key.")],
    agency: Annotated[list[str] | None, typer.Option(help="Agency id it may post for; repeat, or '*' for all.")] = None,
    group: Annotated[list[str] | None, typer.Option(help="Group whose members it may post for; repeat.")] = None,
    event_type: Annotated[
        list[str] | None, typer.Option("--type", help="Event type it may post; repeat (default: all but decisions).")
    ] = None,
    decisions: Annotated[
        bool,
        typer.Option("--decisions", help="Let it post what moves deadlines: extensions, exemptions, reassignments."),
    ] = False,
    valid_for: Annotated[str | None, typer.Option(metavar="P1Y", help="ISO 8601 duration until it expires.")] = None,
    rate: Annotated[float | None, typer.Option(help="Events a second it may post at most.")] = None,
    rotates: Annotated[str | None, typer.Option(metavar="ID", help="The key it takes the place of.")] = None,
    overlap: Annotated[str, typer.Option(metavar="P7D", help="How long the rotated key stays good.")] = "P7D",
    keys: KeysOption = None,
) -> None:
    """Make a key and print it: the only time its secret is seen."""
    with _exit_on_errors():
        path, now = _keys_path(keys), _read_clock()
        secret = secrets.token_urlsafe(SECRET_BYTES)
        key = ApiKey(
            id=secrets.token_hex(ID_BYTES),
            system=key_scopes.parse_name(system, "--system"),
            sha256=api_keys.secret_digest(secret),
            scope=key_scopes.parse_scope(agency or (), group or (), event_type or (), may_decide=decisions),
            created_at=now,
            expires_at=key_scopes.parse_expiry(valid_for, since=now),
            events_per_second=key_scopes.parse_rate(rate),
        )
        overlap_ends_at = key_scopes.parse_overlap(overlap, since=now)
        # Read and written under one lock: of two commands at the same time neither overwrites the other's change.
        with secret_files.lock_file(path):
            existing = api_keys.read_keys(path)
            others = existing if rotates is None else _expire_key(existing, rotates, overlap_ends_at)
            api_keys.write_keys(path, [*others, key])
    output.print_json({**_key_row(key), "key": api_keys.format_bearer(key.id, secret)})


@app.command(name="list")
def list_keys(
    fmt: Annotated[output.OutputFormat, typer.Option("--format", help="jsonl or table.")] = output.OutputFormat.JSONL,
    keys: KeysOption = None,
) -> None:
    """List every key: whose it is, what it covers, until when. Secrets are not known here."""
    with _exit_on_errors():
        existing = api_keys.read_keys(_keys_path(keys))
    output.print_rows((_key_row(key) for key in existing), fmt, title="keys")


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="As `dondoc keys list` shows it.")],
    keys: KeysOption = None,
) -> None:
    """End a key at once; running services see it within a second."""
    with _exit_on_errors():
        path, now = _keys_path(keys), _read_clock()
        with secret_files.lock_file(path):
            existing = api_keys.read_keys(path)
            # Revoked and not removed: the audit lines of the log name the key by its id.
            target = _find_key(existing, key_id)
            api_keys.write_keys(path, [replace(key, revoked_at=now) if key is target else key for key in existing])
    output.print_message(f"{key_id} is revoked")


def _expire_key(keys: Sequence[ApiKey], key_id: str, at: datetime) -> list[ApiKey]:
    """Return *keys* with the one named *key_id* expiring by *at*; it never gains time by being rotated."""
    rotated = _find_key(keys, key_id)
    expires_at = at if rotated.expires_at is None else min(at, rotated.expires_at)
    return [replace(key, expires_at=expires_at) if key is rotated else key for key in keys]


def _find_key(keys: Sequence[ApiKey], key_id: str) -> ApiKey:
    for key in keys:
        if key.id == key_id:
            return key
    raise inputs.UnusableInputError(f"there is no key {key_id!r}; see `dondoc keys list`")


def _key_row(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "system": key.system,
        "agencies": sorted(key.scope.agencies),
        "groups": sorted(key.scope.groups),
        "types": sorted(key.scope.types),
        "decisions": key.scope.may_decide,
        "events_per_second": key.events_per_second,
        "created_at": key.created_at.isoformat(),
        "expires_at": None if key.expires_at is None else key.expires_at.isoformat(),
        "revoked_at": None if key.revoked_at is None else key.revoked_at.isoformat(),
    }


def _keys_path(given: Path | None) -> Path:
    return given or IntakeSettings().keys


def _read_clock() -> datetime:
    return clock_from(IntakeSettings().clock).now()


@contextmanager
def _exit_on_errors() -> Iterator[None]:
    with output.exit_on_errors():
        try:
            yield
        except api_keys.KeyFileError as cause:
            raise inputs.UnusableInputError(str(cause)) from cause
        except OSError as cause:
            remedy = "name a place that can be written, with --keys or DONDOC_INTAKE_KEYS"
            raise inputs.UnusableInputError(f"{cause.filename}: {cause.strerror}; {remedy}") from cause
