"""`dondoc keys`: the keys that upstream systems post with. A secret is shown once, when it is made, kept nowhere."""

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

Where = Annotated[
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
    keys: Where = None,
) -> None:
    """Make a key and print it: the only time its secret is seen."""
    with _exits():
        path, now = _path(keys), _now()
        secret = secrets.token_urlsafe(SECRET_BYTES)
        key = ApiKey(
            id=secrets.token_hex(ID_BYTES),
            system=key_scopes.name(system, "--system"),
            sha256=api_keys.secret_digest(secret),
            scope=key_scopes.scope(agency or (), group or (), event_type or (), may_decide=decisions),
            created_at=now,
            expires_at=key_scopes.expiry(valid_for, since=now),
            events_per_second=key_scopes.rate(rate),
        )
        old_ends = key_scopes.overlap(overlap, since=now)
        with secret_files.lock_file(path):
            known = api_keys.read_keys(path)
            kept = known if rotates is None else _expired(known, rotates, old_ends)
            api_keys.write_keys(path, [*kept, key])
    output.line({**_row(key), "key": api_keys.format_bearer(key.id, secret)})


@app.command(name="list")
def list_keys(
    fmt: Annotated[output.Format, typer.Option("--format", help="jsonl or table.")] = output.Format.JSONL,
    keys: Where = None,
) -> None:
    """List every key: whose it is, what it covers, until when. Secrets are not known here."""
    with _exits():
        known = api_keys.read_keys(_path(keys))
    output.rows((_row(key) for key in known), fmt, title="keys")


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="As `dondoc keys list` shows it.")],
    keys: Where = None,
) -> None:
    """End a key at once; running services see it within a second."""
    with _exits():
        path, now = _path(keys), _now()
        with secret_files.lock_file(path):
            known = api_keys.read_keys(path)
            ended = _known(known, key_id)
            api_keys.write_keys(path, [replace(key, revoked_at=now) if key is ended else key for key in known])
    output.say(f"{key_id} is revoked")


def _expired(known: Sequence[ApiKey], key_id: str, at: datetime) -> list[ApiKey]:
    old = _known(known, key_id)
    ends = at if old.expires_at is None else min(at, old.expires_at)
    return [replace(key, expires_at=ends) if key is old else key for key in known]


def _known(known: Sequence[ApiKey], key_id: str) -> ApiKey:
    for key in known:
        if key.id == key_id:
            return key
    raise inputs.Unusable(f"there is no key {key_id!r}; see `dondoc keys list`")


def _row(key: ApiKey) -> dict[str, Any]:
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


def _path(given: Path | None) -> Path:
    return given or IntakeSettings().keys


def _now() -> datetime:
    return clock_from(IntakeSettings().clock).now()


@contextmanager
def _exits() -> Iterator[None]:
    with output.exits():
        try:
            yield
        except api_keys.KeyFileError as cause:
            raise inputs.Unusable(str(cause)) from cause
        except OSError as cause:
            remedy = "name a place that can be written, with --keys or DONDOC_INTAKE_KEYS"
            raise inputs.Unusable(f"{cause.filename}: {cause.strerror}; {remedy}") from cause
