"""`dondoc receipt`: checking what intake signed, offline; and changing the keys it signs with."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from joserfc.jwk import KeySet

from services.console import inputs, output
from services.intake import receipts, verification
from services.intake.settings import IntakeSettings

app = typer.Typer(help="Signed receipts.", no_args_is_help=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A signature and the receipts that stand beside it in the file, if any."""

    place: str
    jws: str
    claimed: list[Mapping[str, object]]


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An answer of intake, the output of submit, or a JWS.")],
    *,
    keys: Annotated[
        Path | None, typer.Option(metavar="JWKS", help="The published key set (default: this machine's own keys).")
    ] = None,
    event: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also check that this very event is among the receipts.")
    ] = None,
) -> None:
    """Check receipts against the public keys and print them. Exit 1 if any is not genuine."""
    with output.exits():
        key_set = _key_set(keys or IntakeSettings().signing_keys)
        found = list(_signed(file))
        digest = None if event is None else hashlib.sha256(_bytes(event)).hexdigest()
    digests = {receipt.get("sha256") for one in found for receipt in _genuine(one, key_set)}
    if digest is not None and digest not in digests:
        output.say(f"{event}: sha256 {digest} is not among the receipts")
        raise typer.Exit(output.NEGATIVE)


@app.command()
def rotate() -> None:
    """Put a fresh signing key in force; receipts signed before stay verifiable with the published set."""
    with output.exits():
        try:
            fresh = receipts.rotate(IntakeSettings().signing_keys)[0]
        except receipts.SigningKeysError as cause:
            raise inputs.Unusable(f"{cause}: no file of signing keys") from cause
        except OSError as cause:
            remedy = "let DONDOC_INTAKE_SIGNING_KEYS name a place that can be written"
            raise inputs.Unusable(f"{cause.filename}: {cause.strerror}; {remedy}") from cause
    output.line({"kid": fresh.thumbprint()})


def _genuine(signed: Signed, keys: KeySet) -> list[dict[str, str]]:
    try:
        issuer, genuine = verification.receipts_of(signed.jws, keys)
        verification.check_claims(signed.claimed, genuine)
    except verification.NotGenuineError as cause:
        output.say(f"{signed.place}: {cause}")
        raise typer.Exit(output.NEGATIVE) from cause
    for receipt in genuine:
        output.line({"issuer": issuer, **receipt})
    return genuine


def _key_set(path: Path) -> KeySet:
    try:
        return verification.keys_of(_bytes(path))
    except verification.UnusableKeysError as cause:
        raise inputs.Unusable(f"{path}: no key set ({cause}); save /.well-known/jwks.json of intake") from cause


def _signed(file: Path) -> Iterator[Signed]:
    text = inputs.read_text(file).strip()
    if not text.startswith("{"):
        yield Signed(place=str(file), jws=text, claimed=[])
        return
    for number, document in enumerate(_documents(file, text), 1):
        jws = document.get("jws")
        if not isinstance(jws, str):
            raise inputs.Unusable(f"{file}:{number}: there is no jws in it")
        beside = document.get("receipts", [document] if "receiptid" in document else [])
        yield Signed(place=f"{file}:{number}", jws=jws, claimed=beside)


def _documents(file: Path, text: str) -> Iterator[dict[str, Any]]:
    """Yield one JSON document that may fill many lines, or else one a line."""
    try:
        yield json.loads(text)
    except ValueError:
        for number, line in enumerate(text.splitlines(), 1):
            try:
                yield json.loads(line)
            except ValueError as cause:
                raise inputs.Unusable(f"{file}:{number}: not JSON: {cause}") from cause


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as cause:
        raise inputs.Unusable(f"{path}: {cause.strerror or cause}") from cause
