"""What differs between two versions of a published document, place by place.

The members of a list that have an id of their own (`id`, `code`, `grade`, or the day `from` which they hold) are
compared under it, wherever they stand. So a new agency in the middle of a registry is one difference.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# The first of these that each member of a list has, each another, names the members.
_NAMING_MEMBERS = ("id", "code", "grade", "from")

# Its number differs by itself.
_VERSION = "version"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentDifference:
    """A place whose value differs; None is what a version does not have.

    `place` is the way to it from the top of the document: the names of members, and the ids of members of lists.
    """

    place: tuple[str, ...]
    before: Any
    after: Any


def compare_documents(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[DocumentDifference, ...]:
    """Return what differs between two versions of a document as JSON values, in the order of the later one."""
    old, new = ({name: one for name, one in version.items() if name != _VERSION} for version in (before, after))
    return tuple(_compare((), old, new))


def _compare(place: tuple[str, ...], before: Any, after: Any) -> Iterator[DocumentDifference]:  # noqa: ANN401 - any JSON value
    if before == after:
        return
    old, new = _name_members(before), _name_members(after)
    if old is None or new is None:
        yield DocumentDifference(place=place, before=before, after=after)
        return
    for name in dict.fromkeys((*new, *old)):
        yield from _compare((*place, name), old.get(name), new.get(name))


def _name_members(value: Any) -> Mapping[str, Any] | None:  # noqa: ANN401 - any JSON value
    """Return the members of an object, or of a list whose members have names; None for anything else."""
    if isinstance(value, Mapping):
        return value
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        return None
    if not all(isinstance(one, Mapping) for one in value):
        return None
    for member in _NAMING_MEMBERS:
        names = [one.get(member) for one in value]
        if all(isinstance(name, str) for name in names) and len(set(names)) == len(names):
            return {str(name): one for name, one in zip(names, value, strict=True)}
    return None
