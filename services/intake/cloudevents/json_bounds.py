"""Bounds of the JSON in an event, so that every consumer can read what intake accepts, and reads the same.

The bounds are on the depth of nesting and on names: a name may stand once in an object. Decoders do not agree on
either. A decoder's limit of depth depends on the stack at that moment, and of two members with one name some keep the
first, some the last, some both (RFC 8259 section 4). So this module reads the text itself, without recursion.
"""

import re
from collections.abc import Iterator
from itertools import islice

import msgspec

from schemas.plan.values import Bilingual
from schemas.problems import FieldError, pointer_of
from services.runtime import decoding

LEVELS_MAX = decoding.LEVELS_MAX
"""Levels of arrays and objects in one event, which are those that every consumer reads; the event is the first."""

ERRORS_MAX = 50

POINTER_MAX = 1024
"""Characters of a pointer. Names may be long and nested; fifty pointers of 1 MiB would be an answer of 50 MiB."""

TOKENS_MAX = 100_000
"""Tokens that are searched for the place of an error, a tenth of a second. No honest event has a tenth of that."""

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{},]', re.DOTALL)
"""The tokens of JSON that matter here: strings, and the marks of arrays and objects. The rest is skipped."""

_BRACKETS = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_ESCAPED_COLON = re.compile(rb"\\u003[aA]")

Path = tuple[str | int, ...]


def find_errors(text: bytes, encoded: bytes, *, levels: int = LEVELS_MAX, path: Path = ()) -> tuple[FieldError, ...]:
    """Return the errors of *text*, valid JSON, which decoded and encoded again is *encoded*.

    *levels* is how deep the text may be nested, *path* where it stands in the event.
    """
    if text.count(b"{") + text.count(b"[") <= levels and has_each_member_once(text, encoded.count(b":")):
        return ()
    # The same without the strings is exact. It costs some 50 ms for 1 MiB, where the search for the place takes a
    # second, which an event without errors must not cost.
    bare = _STRING.sub(b"", text)
    is_deep = _is_too_deep(bare, levels)
    if not is_deep and bare.count(b":") == _STRING.sub(b"", encoded).count(b":"):
        return ()
    whole = FieldError(pointer=pointer_of(*path), detail=_TOO_DEEP if is_deep else _TWICE)
    return scan(text, levels=levels, path=path) or (whole,)


def _is_too_deep(bare: bytes, levels: int) -> bool:
    """Whether valid JSON without its strings has more than so many levels of arrays and objects."""
    pairs = bare.translate(_BRACKETS, _NO_BRACKETS)
    for _ in range(levels):
        pairs = pairs.replace(b"[]", b"")  # removes the innermost arrays and objects: one level
    return bool(pairs)


def has_each_member_once(text: bytes, colons: int) -> bool:
    """Whether *text* surely has no member name twice, if there are *colons* in the JSON that it was decoded to.

    Each member has a colon. A decoder drops all but one member of a name, so that their colons are missing when the
    value is encoded again. False says nothing: a colon may also be written as an escape sequence.
    """
    if text.count(b":") != colons:
        return False
    # The three steps are in order of cost. Most events have no escape sequence at all, and hardly any has this one.
    return b"\\" not in text or b"\\u003" not in text or _ESCAPED_COLON.search(text) is None


def scan(text: bytes, *, levels: int = LEVELS_MAX, path: Path = ()) -> tuple[FieldError, ...]:
    """Return up to `ERRORS_MAX` errors, with pointers, from the first `TOKENS_MAX` tokens of *text*, valid JSON."""
    found: dict[Path, FieldError] = {}
    for full_place, detail in _find_places(text, levels, path):
        place = _shorten(full_place)
        found.setdefault(place, FieldError(pointer=pointer_of(*place), detail=detail))
        if len(found) == ERRORS_MAX:
            break
    # Within a member that stands twice a pointer could mean either, so the error of the member itself must do.
    return tuple(error for place, error in found.items() if not any(place[:end] in found for end in range(len(place))))


def find_too_deep(text: bytes, *, levels: int, path: Path) -> tuple[FieldError, ...]:
    """Return the error of the first place in *text* that is nested too deeply. Text behind it need not be JSON."""
    for place, detail in _find_places(text, levels, path):
        if detail is _TOO_DEEP:
            return (FieldError(pointer=pointer_of(*_shorten(place)), detail=detail),)
    return ()


def _shorten(place: Path) -> Path:
    """Return *place*, or of what encloses it the innermost whose pointer is not longer than `POINTER_MAX`."""
    while len(pointer_of(*place)) > POINTER_MAX:
        place = place[:-1]
    return place


def _find_places(text: bytes, levels: int, path: Path) -> Iterator[tuple[Path, Bilingual]]:
    """Yield the path of each value that is nested too deeply and of each name that was there before in its object."""
    place: list[str | int] = list(path)  # in an open array its last token is an index, in an open object a name
    names: list[set[str]] = []  # of each open object; of an array empty
    is_name = False  # whether the next string is a name
    levels_beyond = 0
    for match in islice(_TOKEN.finditer(text), TOKENS_MAX):
        token = match[0]
        if levels_beyond:
            levels_beyond += (token in b"[{") - (token in b"]}")
        elif token in b"[{":
            if len(names) == levels:
                levels_beyond = 1
                yield tuple(place), _TOO_DEEP
                continue
            is_name = token == b"{"
            names.append(set())
            place.append("" if is_name else 0)
        elif token in b"]}":
            names.pop()
            place.pop()
            is_name = False
        elif token == b",":
            last = place[-1]
            is_name = isinstance(last, str)
            place[-1] = "" if isinstance(last, str) else last + 1
        elif is_name:
            is_name = False
            place[-1] = name = msgspec.json.decode(token, type=str)
            if name in names[-1]:
                yield tuple(place), _TWICE
            names[-1].add(name)


_TOO_DEEP = Bilingual.of(
    en=f"is nested too deeply; an event may have {LEVELS_MAX} levels of arrays and objects",
    vi=f"lồng nhau quá sâu; một sự kiện chỉ được có tối đa {LEVELS_MAX} cấp mảng và đối tượng",
)
_TWICE = Bilingual.of(
    en="this name stands more than once in its object; write it once",
    vi="tên này xuất hiện nhiều lần trong cùng một đối tượng; chỉ được ghi một lần",
)
