"""The check code of a sealed report: short enough to type from paper, long enough that nobody finds another report.

It has 100 bits of the digest of the seal's head, which holds the digest of all figures: changing one figure, the signer
or an instant changes the code. Digits are those of Crockford's base 32, which has no I, L, O and U.
"""

import hashlib

from schemas.events.reports import SealHead
from services.reporting.core.sealing import canonical_json

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
DIGITS, GROUP_DIGITS = 20, 5
BITS_OF_DIGIT = 5

# What a person reads in place of a digit, after Crockford.
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1"})


def compute_check_code(head: SealHead) -> str:
    """Return the check code of *head*, such as `7ZQ4K-0M3RT-X9V2C-H6D1P`."""
    members = head.model_dump(mode="json", include=set(SealHead.model_fields))
    digest = hashlib.sha256(canonical_json.encode(members)).digest()
    number = int.from_bytes(digest) >> (len(digest) * 8 - DIGITS * BITS_OF_DIGIT)
    places = range((DIGITS - 1) * BITS_OF_DIGIT, -1, -BITS_OF_DIGIT)
    return _group("".join(ALPHABET[number >> place & len(ALPHABET) - 1] for place in places))


def parse_check_code(text: str) -> str | None:
    """Return the code that a person typed in its printed form; None if it cannot be one.

    Case, spaces and hyphens do not matter, and the letters that look like digits count as those.
    """
    digits = "".join(text.replace("-", " ").split()).upper().translate(_MISREAD)
    return _group(digits) if len(digits) == DIGITS and set(digits) <= set(ALPHABET) else None


def _group(digits: str) -> str:
    return "-".join(digits[start : start + GROUP_DIGITS] for start in range(0, DIGITS, GROUP_DIGITS))
