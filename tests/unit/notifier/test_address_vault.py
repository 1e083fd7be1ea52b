"""Addresses are unreadable without their key, and found by a digest that is as unreadable."""

import pytest

from services.notifier.address_vault import AddressCipher
from services.notifier.errors import AddressKeyError

KEY, OTHER_KEY = "k" * 32, "o" * 32
ADDRESS = "+84987654321"


def test_an_address_is_read_with_its_key_and_for_its_agency_alone() -> None:
    """Another key, another agency and a changed byte are refused, and never give another address."""
    sealed = AddressCipher(KEY).encrypt(ADDRESS, "h-mot")
    assert ADDRESS.encode() not in sealed
    assert AddressCipher(KEY).decrypt(sealed, "h-mot") == ADDRESS
    for cipher, content, agency in (
        (AddressCipher(OTHER_KEY), sealed, "h-mot"),
        (AddressCipher(KEY), sealed, "h-hai"),
        (AddressCipher(KEY), sealed[:-1] + bytes([sealed[-1] ^ 1]), "h-mot"),
        (AddressCipher(KEY), b"", "h-mot"),
    ):
        with pytest.raises(AddressKeyError):
            cipher.decrypt(content, agency)


def test_the_same_address_is_encrypted_otherwise_each_time_and_digested_alike() -> None:
    """Equal addresses cannot be told from the database; only who has the key can look one up."""
    cipher = AddressCipher(KEY)
    assert cipher.encrypt(ADDRESS, "h-mot") != cipher.encrypt(ADDRESS, "h-mot")
    assert cipher.digest("VT@x.example") == cipher.digest("vt@x.example")
    assert cipher.digest(ADDRESS) != AddressCipher(OTHER_KEY).digest(ADDRESS)
