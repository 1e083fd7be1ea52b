"""Receipts are checked with the published keys alone, those of the largest batch too."""

import base64
from pathlib import Path

import msgspec
import pytest
from msgspec import Raw

from services.intake.core.event_id import Receipt
from services.intake.receipts import signing, verification
from services.intake.receipts.signing import Signer
from services.intake.receipts.verification import InvalidReceiptError, InvalidKeySetError

LARGEST_BATCH = 1_000
LONGEST_NAME = "n" * 1_024


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    """Signs with a key of its own."""
    return Signer(signing.rotate_keys(tmp_path / "signing-keys.json"), "intake")


def written(*receipts: Receipt) -> Raw:
    """Receipts as they are signed."""
    return Raw(msgspec.json.encode(receipts))


def a_receipt(event_id: str, source: str = "//system.example") -> Receipt:
    """Build the receipt of one event."""
    return Receipt(
        id=event_id, source=source, receiptid="r" * 32, receivedtime="2024-12-09T16:59:59.999Z", sha256="0" * 64
    )


def test_the_largest_batch_with_the_longest_names_is_verified(signer: Signer) -> None:
    """What intake signs, its own verification reads."""
    all_of_them = (a_receipt(f"{number:04d}{LONGEST_NAME}"[:1_024], LONGEST_NAME) for number in range(LARGEST_BATCH))
    signed = signer.sign(written(*all_of_them))
    issuer, found = verification.verify_receipts(signed, verification.parse_key_set(signer.public_key_set()))
    assert (issuer, len(found)) == ("intake", LARGEST_BATCH)


def test_another_key_does_not_vouch_for_it(signer: Signer, tmp_path: Path) -> None:
    """A signature holds for the keys it was made with."""
    other = Signer(signing.rotate_keys(tmp_path / "others.json"), "intake")
    with pytest.raises(InvalidReceiptError):
        verification.verify_receipts(signer.sign(written(a_receipt("1"))), verification.parse_key_set(other.published()))


@pytest.mark.parametrize(
    "header",
    [{"alg": "Ed25519", "crit": 5}, {"alg": "Ed25519", "crit": [5]}, {"alg": None}, {"alg": []}, {"alg": "none"}, 5],
)
def test_a_header_of_any_shape_is_not_genuine(signer: Signer, header: object) -> None:
    """A receipt comes from anybody: nothing in it is a fault of ours."""
    _, payload, signature = signer.sign(written(a_receipt("1"))).split(".")
    encoded = base64.urlsafe_b64encode(msgspec.json.encode(header)).rstrip(b"=").decode()
    with pytest.raises(InvalidReceiptError):
        verification.verify_receipts(f"{encoded}.{payload}.{signature}", verification.parse_key_set(signer.public_key_set()))


@pytest.mark.parametrize("payload", ["5", '{"keys": []}', "[5]", "[[]]"])
def test_a_payload_that_holds_no_receipts_is_not_genuine(signer: Signer, payload: str) -> None:
    """Whoever signed it."""
    with pytest.raises(InvalidReceiptError):
        verification.verify_receipts(signer.sign(Raw(payload.encode())), verification.parse_key_set(signer.public_key_set()))


@pytest.mark.parametrize("text", [b"5", b'{"keys": 5}', b'{"keys": [5]}', b"\xff", b'{"keys":' + b"[" * 100_000])
def test_what_is_no_key_set_is_said_to_be_none(text: bytes) -> None:
    """Whatever the file holds."""
    with pytest.raises(InvalidKeySetError):
        verification.parse_key_set(text)
