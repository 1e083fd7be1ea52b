"""`dondoc receipt`: verifies receipts that intake signed, offline, and rotates the keys it signs with."""

import hashlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Annotated

import typer
from joserfc.jwk import KeySet

from services.console.commands.intake import event_files
from services.console.support import inputs, output, receipt_files
from services.console.support.receipt_files import SignedReceipts
from services.intake.receipts import signing, verification
from services.intake.settings import IntakeSettings

app = typer.Typer(help="Signed receipts.", no_args_is_help=True)


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An answer of intake, the output of submit, or a JWS.")],
    *,
    keys: Annotated[
        Path | None, typer.Option(metavar="JWKS", help="The published key set (default: this machine's own keys).")
    ] = None,
    event: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also check that the events of this file, as submit sends them, are among the receipts.",
        ),
    ] = None,
) -> None:
    """Check receipts against the public keys and print them. Exit 1 if any is not genuine."""
    with output.exit_on_errors():
        found = list(receipt_files.read_receipts(file))
        content = None if event is None else _read_bytes(event)
        key_set = _read_key_set(keys or IntakeSettings().signing_keys)
    # The digest of a receipt is over the bytes that were sent; parsed and encoded again, an event would have another.
    digests = {receipt.get("sha256") for one in found for receipt in _verify_receipts(one, key_set)}
    if event is None or content is None or _digest_of(content) in digests:
        return
    missing = list(_find_missing(event, content, digests))
    for one in missing:
        output.print_message(one)
    if missing:
        raise typer.Exit(output.EXIT_NEGATIVE)


@app.command()
def rotate() -> None:
    """Put a fresh signing key in force; receipts signed before stay verifiable with the published set."""
    with output.exit_on_errors():
        try:
            fresh = signing.rotate_keys(IntakeSettings().signing_keys)[0]
        except signing.SigningKeysError as cause:
            raise inputs.UnusableInputError(f"{cause}: no file of signing keys") from cause
        except OSError as cause:
            remedy = "let DONDOC_INTAKE_SIGNING_KEYS name a place that can be written"
            raise inputs.UnusableInputError(f"{cause.filename}: {cause.strerror}; {remedy}") from cause
    output.print_json({"kid": fresh.thumbprint()})


def _verify_receipts(signed: SignedReceipts, keys: KeySet) -> list[dict[str, str]]:
    try:
        issuer, genuine = verification.verify_receipts(signed.jws, keys)
        verification.check_claims(signed.claimed, genuine)
    except verification.InvalidReceiptError as cause:
        output.print_message(f"{signed.place}: {cause}")
        raise typer.Exit(output.EXIT_NEGATIVE) from cause
    for receipt in genuine:
        output.print_json({"issuer": issuer, **receipt})
    return genuine


def _find_missing(file: Path, content: bytes, digests: Collection[str | None]) -> Iterator[str]:
    """Yield a sentence for each event of *file*, as submit sends it, whose digest is not among *digests*.

    A file that holds no events is compared as a whole by its *content*.
    """
    bodies = [(str(file), content)]
    try:
        bodies = [(one.place, one.body) for one in event_files.read_events(file, "en")] or bodies
    except inputs.UnusableInputError as cause:
        yield str(cause)
    for place, sent in bodies:
        digest = _digest_of(sent)
        if digest not in digests:
            yield f"{place}: sha256 {digest} is not among the receipts"


def _digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _read_key_set(path: Path) -> KeySet:
    try:
        return verification.parse_key_set(_read_bytes(path))
    except verification.InvalidKeySetError as cause:
        raise inputs.UnusableInputError(
            f"{path}: no key set ({cause}); save /.well-known/jwks.json of intake"
        ) from cause


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as cause:
        raise inputs.UnusableInputError(f"{path}: {cause.strerror or cause}") from cause
