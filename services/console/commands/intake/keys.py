"""`dondoc keys`: creates, lists and revokes the keys with which upstream systems post.

A secret is shown once, when it is created. It is stored nowhere: the file of keys holds its SHA-256 digest.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from services.console.support import inputs, key_scopes, output
from services.console.support.key_scopes import KeyTerms, ScopeOptions
from services.intake.core import scopes
from services.intake.core.scopes import ApiKey
from services.intake.http import api_keys
from services.intake.settings import IntakeSettings
from services.runtime import secret_files
from services.runtime.access import bearer_keys
from services.runtime.clock import clock_from

# As early as the alert KeyExpiring.
EXPIRES_SOON = timedelta(days=30)

_NO_SOURCE = (
    "this key may post from every source that no other key names, as may all other keys without a source, and these "
    "can take the ids of its events; --source names a source that is its own"
)

app = typer.Typer(help="Keys of the systems that may post to intake.", no_args_is_help=True)

KeysOption = Annotated[
    Path | None, typer.Option("--keys", metavar="FILE", help="The file of keys (default: DONDOC_INTAKE_KEYS).")
]
SystemOption = Annotated[str, typer.Option(help="The upstream system that will hold the key.")]
AgencyOption = Annotated[list[str] | None, typer.Option(help="Agency id it may post for; repeat, or '*' for all.")]
GroupOption = Annotated[list[str] | None, typer.Option(help="Group whose members it may post for; repeat.")]
TypeOption = Annotated[
    list[str] | None,
    typer.Option("--type", help="Event type it may post; repeat (default: all but decisions and reviews)."),
]
SourceOption = Annotated[
    list[str] | None,
    typer.Option(
        help="Source of its events, which no key may use that does not name it; repeat, or 'urn:qlvb:*' for all that "
        "begin so (default: every source that no other key names)."
    ),
]
ProofOption = Annotated[
    list[str] | None,
    typer.Option(
        help="Proof of dispatch that it may state: postmark, exchange-log or mail-gateway; repeat (default: none, so "
        "that reports count from their receipt)."
    ),
]
DecisionsOption = Annotated[
    bool, typer.Option("--decisions", help="Let it post what moves deadlines: extensions, exemptions, reassignments.")
]
ReviewsOption = Annotated[
    bool, typer.Option("--reviews", help="Let it return and accept reports, as their recipient does.")
]
ValidityOption = Annotated[str, typer.Option(metavar="DURATION", help="ISO 8601 duration until it expires.")]
RateOption = Annotated[float, typer.Option(help="Events a second it may post at most, of a batch each event.")]
RotatesOption = Annotated[
    str | None,
    typer.Option(metavar="ID", help="The key it takes the place of; what it may claim stays, unless it is given."),
]
OverlapOption = Annotated[str, typer.Option(metavar="DURATION", help="How long the rotated key stays good.")]
# Killed between entering the key and saving it, the command leaves a key that nobody has; the next run makes another.
SaveOption = Annotated[
    Path | None,
    typer.Option(
        "--save", metavar="FILE", help="Put the key into FILE, for its owner alone; where FILE is there, make no key."
    ),
]

_EXAMPLES = """
An agency's own system: dondoc keys create --system qlvb-so-tc --agency so-tc --source urn:qlvb:so-tc

A document exchange, which vouches for the time of sending:
dondoc keys create --system truc-van-ban --agency '*' --source urn:truc-van-ban --proof exchange-log

A recipient, who returns and accepts reports:
dondoc keys create --system nhcsxh --agency '*' --source urn:nhcsxh --reviews

Reporting itself, for the officer's page: dondoc keys create --system reporting --agency '*'
--source urn:dondoc:reporting --reviews --save reporting.key
"""


@app.command(epilog=_EXAMPLES)
def create(
    *,
    system: SystemOption,
    agency: AgencyOption = None,
    group: GroupOption = None,
    event_type: TypeOption = None,
    source: SourceOption = None,
    proof: ProofOption = None,
    decisions: DecisionsOption = False,
    reviews: ReviewsOption = False,
    valid_for: ValidityOption = key_scopes.DEFAULT_VALIDITY,
    rate: RateOption = key_scopes.DEFAULT_RATE,
    rotates: RotatesOption = None,
    overlap: OverlapOption = "P7D",
    save: SaveOption = None,
    keys: KeysOption = None,
) -> None:
    """Make a key and print it: the only time its secret is seen."""
    with _exit_on_errors():
        if save is not None and save.exists():
            output.print_message(f"{save} is there already; no key is made")
            return
        options = ScopeOptions(
            agencies=agency,
            groups=group,
            types=event_type,
            sources=source,
            proofs=proof,
            may_decide=decisions,
            may_review=reviews,
        )
        now = _read_clock()
        terms = key_scopes.parse_terms(system, valid_for, rate, since=now)
        rotation = None if rotates is None else Rotation(rotates, key_scopes.parse_overlap(overlap, since=now))
        key, bearer = _add_key(_keys_path(keys), terms, options, rotation)
        _hand_out(key, bearer, save)


def _hand_out(key: ApiKey, bearer: str, save: Path | None) -> None:
    """Print the new key, or save its secret in the file of the one who uses it."""
    if save is not None:
        secret_files.replace_file(save, f"{bearer}\n".encode())
    if key.has_open_sources:
        output.print_message(_NO_SOURCE)
    output.print_json(_key_row(key) | ({"key": bearer} if save is None else {"saved": str(save)}))


@app.command(name="list")
def list_keys(
    fmt: Annotated[output.OutputFormat, typer.Option("--format", help="jsonl or table.")] = output.OutputFormat.JSONL,
    keys: KeysOption = None,
) -> None:
    """List every key: whose it is, what it covers, until when. Secrets are not known here."""
    with _exit_on_errors():
        existing, now = api_keys.read_keys(_keys_path(keys)), _read_clock()
    output.print_rows((_key_row(key) for key in existing), fmt, title="keys")
    for system, end in scopes.find_access_ends(existing, now).items():
        if end - now < EXPIRES_SOON:
            remedy = "make the next with `dondoc keys create --rotates ID`"
            output.print_message(f"the last key of {system} expires at {end.isoformat()}; {remedy}")


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


class Rotation(NamedTuple):
    """The id of the key that a new one takes the place of, and until when that one stays valid."""

    key_id: str
    ends_at: datetime


def _add_key(path: Path, terms: KeyTerms, options: ScopeOptions, rotation: Rotation | None) -> tuple[ApiKey, str]:
    """Add a key to the file *path*; return it and its bearer token, which is stored nowhere."""
    secret = bearer_keys.create_secret()
    # Read and written under one lock: of two commands at the same time neither overwrites the other's change.
    with secret_files.lock_file(path):
        others: Sequence[ApiKey] = api_keys.read_keys(path)
        if rotation is not None:
            options = key_scopes.inherit_scope(options, _find_key(others, rotation.key_id).scope)
            others = _expire_key(others, rotation)
        key = ApiKey(
            id=bearer_keys.create_id(),
            system=terms.system,
            sha256=bearer_keys.digest_secret(secret),
            scope=key_scopes.parse_scope(options),
            created_at=terms.created_at,
            expires_at=terms.expires_at,
            events_per_second=terms.events_per_second,
        )
        api_keys.write_keys(path, [*others, key])
    return key, api_keys.format_bearer(key.id, secret)


def _expire_key(keys: Sequence[ApiKey], rotation: Rotation) -> list[ApiKey]:
    """Return *keys* with the rotated one expiring; it never gains time by being rotated."""
    rotated = _find_key(keys, rotation.key_id)
    expires_at = rotation.ends_at if rotated.expires_at is None else min(rotation.ends_at, rotated.expires_at)
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
        "sources": sorted(key.scope.sources.names),
        "proofs": sorted(key.scope.proofs),
        "decisions": key.scope.may_decide,
        "reviews": key.scope.may_review,
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
