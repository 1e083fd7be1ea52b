"""Receipts are checked with the published keys alone, those of the largest batch too."""

from pathlib import Path

import msgspec
import pytest
from msgspec import Raw

from services.intake import receipts, verification
from services.intake.core.digest import Receipt
from services.intake.receipts import Signer
from services.intake.verification import NotGenuineError

LARGEST_BATCH = 1_000
LONGEST_NAME = "n" * 1_024


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    """Signs with a key of its own."""
    return Signer(receipts.rotate(tmp_path / "signing-keys.json"), "intake")


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
    issuer, found = verification.receipts_of(signed, verification.keys_of(signer.published()))
    assert (issuer, len(found)) == ("intake", LARGEST_BATCH)


def test_another_key_does_not_vouch_for_it(signer: Signer, tmp_path: Path) -> None:
    """A signature holds for the keys it was made with."""
    other = Signer(receipts.rotate(tmp_path / "others.json"), "intake")
    with pytest.raises(NotGenuineError):
        verification.receipts_of(signer.sign(written(a_receipt("1"))), verification.keys_of(other.published()))
