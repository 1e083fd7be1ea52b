"""Receipts are verified with the published keys alone, also those of the largest batch."""

import base64
from pathlib import Path

import msgspec
import pytest
from msgspec import Raw

from services.intake.core.fact_record import Receipt
from services.intake.receipts import signing, verification
from services.intake.receipts.signing import Signer
from services.intake.receipts.verification import InvalidKeySetError, InvalidReceiptError

LARGEST_BATCH = 1_000
LONGEST_NAME = "n" * 1_024


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    """Return a signer with a new key."""
    return Signer(signing.rotate_keys(tmp_path / "signing-keys.json"), "intake")


def encode(*receipts: Receipt) -> Raw:
    """Encode receipts as they are signed."""
    return Raw(msgspec.json.encode(receipts))


def a_receipt(event_id: str, source: str = "//system.example") -> Receipt:
    """Build the receipt of one event."""
    return Receipt(
        id=event_id, source=source, receiptid="r" * 32, receivedtime="2024-12-09T16:59:59.999Z", sha256="0" * 64
    )


def test_the_largest_batch_with_the_longest_names_is_verified(signer: Signer) -> None:
    """A batch of the longest ids and sources does not exceed the limit of the verification."""
    all_of_them = (a_receipt(f"{number:04d}{LONGEST_NAME}"[:1_024], LONGEST_NAME) for number in range(LARGEST_BATCH))
    signed = signer.sign(encode(*all_of_them))
    issuer, found = verification.verify_receipts(signed, verification.parse_key_set(signer.public_key_set()))
    assert (issuer, len(found)) == ("intake", LARGEST_BATCH)


def test_another_key_does_not_verify_it(signer: Signer, tmp_path: Path) -> None:
    """A receipt is genuine only for the key that signed it."""
    other = Signer(signing.rotate_keys(tmp_path / "others.json"), "intake")
    with pytest.raises(InvalidReceiptError):
        verification.verify_receipts(
            signer.sign(encode(a_receipt("1"))), verification.parse_key_set(other.public_key_set())
        )


@pytest.mark.parametrize(
    "header",
    [{"alg": "Ed25519", "crit": 5}, {"alg": "Ed25519", "crit": [5]}, {"alg": None}, {"alg": []}, {"alg": "none"}, 5],
)
def test_a_malformed_header_is_not_genuine(signer: Signer, header: object) -> None:
    """Anybody may present a receipt, so a malformed one must raise `InvalidReceiptError` and nothing else."""
    _, payload, signature = signer.sign(encode(a_receipt("1"))).split(".")
    encoded = base64.urlsafe_b64encode(msgspec.json.encode(header)).rstrip(b"=").decode()
    with pytest.raises(InvalidReceiptError):
        verification.verify_receipts(
            f"{encoded}.{payload}.{signature}", verification.parse_key_set(signer.public_key_set())
        )


@pytest.mark.parametrize("payload", ["5", '{"keys": []}', "[5]", "[[]]"])
def test_a_payload_without_receipts_is_not_genuine(signer: Signer, payload: str) -> None:
    """A payload without receipts is refused even if the right key signed it."""
    with pytest.raises(InvalidReceiptError):
        verification.verify_receipts(
            signer.sign(Raw(payload.encode())), verification.parse_key_set(signer.public_key_set())
        )


@pytest.mark.parametrize("text", [b"5", b'{"keys": 5}', b'{"keys": [5]}', b"\xff", b'{"keys":' + b"[" * 100_000])
def test_text_that_is_no_key_set_is_refused(text: bytes) -> None:
    """Any content of a key file that is not a key set raises `InvalidKeySetError`."""
    with pytest.raises(InvalidKeySetError):
        verification.parse_key_set(text)
