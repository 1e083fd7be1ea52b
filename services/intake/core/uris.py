"""Checks whether a text is a URI or a URI-reference by the grammar of RFC 3986.

It is lenient in one respect: characters beyond ASCII are allowed where RFC 3987 allows them (an IRI), because
Vietnamese systems write their names unencoded. Nothing is resolved or rewritten.
"""

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address

# `ucschar` of RFC 3987: everything except controls, surrogates, private use and noncharacters.
_BEYOND_ASCII = (
    "\u00a0-\ud7ff\uf900-\ufdcf\ufdf0-\uffef"
    + "".join(f"{chr(plane)}-{chr(plane + 0xFFFD)}" for plane in range(0x10000, 0xE0000, 0x10000))
    + "\U000e1000-\U000efffd"
)

# `unreserved` and `sub-delims`, for a character class.
_PLAIN = rf"A-Za-z0-9._~!$&'()*+,;={_BEYOND_ASCII}\-"

_ENCODED = "%[0-9A-Fa-f]{2}"
_NAME = rf"(?:[{_PLAIN}]|{_ENCODED})*"
_USER = rf"(?:[{_PLAIN}:]|{_ENCODED})*@"
_PATH = rf"(?:[{_PLAIN}:@/]|{_ENCODED})*"
_REST = rf"(?:[{_PLAIN}:@/?]|{_ENCODED})*"
_FUTURE_ADDRESS = r"[vV][0-9A-Fa-f]+\.[A-Za-z0-9._~!$&'()*+,;=:\-]+"
_HOST = rf"(?:\[(?:(?P<address>[0-9A-Fa-f:.]+)|{_FUTURE_ADDRESS})\]|{_NAME})"
_AUTHORITY = rf"//(?:{_USER})?{_HOST}(?::[0-9]*)?(?=[/?#]|\Z)"
_SCHEME = r"(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*):"
_NO_SCHEME = r"(?![^/?#]*:)"
_REFERENCE = re.compile(
    rf"(?:{_SCHEME}|{_NO_SCHEME})(?:{_AUTHORITY}|(?!//)){_PATH}(?:\?{_REST})?(?P<fragment>#{_REST})?"
)


@lru_cache(maxsize=1024)  # few systems of a province send events
def is_reference(text: str) -> bool:
    """Whether *text* is a URI-reference (RFC 3986 section 4.1), absolute or relative."""
    return _match_reference(text) is not None


def is_absolute(text: str) -> bool:
    """Whether *text* is an absolute URI (RFC 3986 section 4.3), which has a scheme and no fragment."""
    found = _match_reference(text)
    return found is not None and found["scheme"] is not None and found["fragment"] is None


def _match_reference(text: str) -> re.Match[str] | None:
    found = _REFERENCE.fullmatch(text)
    return found if found is None or found["address"] is None or _is_address(found["address"]) else None


def _is_address(text: str) -> bool:
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True
