"""`dondoc keys`: the keys that upstream systems post with. A secret is shown once, when it is made, kept nowhere."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import isodate
import typer

from services.console import inputs, output
from services.intake import keyfile
from services.intake.core.scopes import EVERYTHING, Key, Scope
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
        scope = _scope(agency, group, event_type, may_decide=decisions)
        secret = secrets.token_urlsafe(SECRET_BYTES)
        key = Key(
            id=secrets.token_hex(ID_BYTES),
            system=system,
            sha256=keyfile.digest_of(secret),
            scope=scope,
            created_at=now,
            expires_at=None if valid_for is None else now + _duration(valid_for, "--valid-for"),
            events_per_second=rate,
        )
        known = list(keyfile.read(path))
        if rotates is not None:
            known = _expired(known, rotates, now + _duration(overlap, "--overlap"))
        keyfile.write(path, [*known, key])
        output.line({**_row(key), "key": keyfile.bearer_of(key.id, secret)})


@app.command(name="list")
def list_keys(
    fmt: Annotated[output.Format, typer.Option("--format", help="jsonl or table.")] = output.Format.JSONL,
    keys: Where = None,
) -> None:
    """List every key: whose it is, what it covers, until when. Secrets are not known here."""
    with _exits():
        output.rows((_row(key) for key in keyfile.read(_path(keys))), fmt, title="keys")


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="As `dondoc keys list` shows it.")],
    keys: Where = None,
) -> None:
    """End a key at once; running services see it within a second."""
    with _exits():
        path, now = _path(keys), _now()
        known = list(keyfile.read(path))
        _known(known, key_id)
        keyfile.write(path, [replace(key, revoked_at=now) if key.id == key_id else key for key in known])
        output.say(f"{key_id} is revoked")


def _scope(agencies: list[str] | None, groups: list[str] | None, types: list[str] | None, *, may_decide: bool) -> Scope:
    if not agencies and not groups:
        raise inputs.Unusable("say for whom the key may post: --agency ID, --group ID or --agency '*'")
    return Scope(
        agencies=frozenset(agencies or ()),
        groups=frozenset(groups or ()),
        types=frozenset(types or (EVERYTHING,)),
        may_decide=may_decide,
    )


def _expired(known: list[Key], key_id: str, at: datetime) -> list[Key]:
    old = _known(known, key_id)
    ends = at if old.expires_at is None else min(at, old.expires_at)
    return [replace(key, expires_at=ends) if key is old else key for key in known]


def _known(known: list[Key], key_id: str) -> Key:
    for key in known:
        if key.id == key_id:
            return key
    raise inputs.Unusable(f"there is no key {key_id!r}; see `dondoc keys list`")


def _row(key: Key) -> dict[str, Any]:
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


def _duration(text: str, option: str) -> timedelta:
    try:
        found = isodate.parse_duration(text)
    except isodate.ISO8601Error as cause:
        raise inputs.Unusable(f"{option}: {text!r} is no ISO 8601 duration such as P7D") from cause
    return timedelta(0) + found if isinstance(found, timedelta) else found.totimedelta(start=_now())


@contextmanager
def _exits() -> Iterator[None]:
    with output.exits():
        try:
            yield
        except keyfile.KeyFileError as cause:
            raise inputs.Unusable(str(cause)) from cause
