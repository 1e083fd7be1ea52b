"""Compare two JSON Schemas of one version of a message: what the new one breaks for users of the old one."""

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]
BOUNDS = ("pattern", "format", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
LENGTHS = ("minLength", "maxLength", "minItems", "maxItems", "additionalProperties")


def breaks(old: Schema, new: Schema, *, is_event: bool = True) -> list[str]:
    """Return a line for each incompatibility of *new* with *old*; an additional optional field is compatible.

    A document is written by people, so a value of it may also be accepted in a further form, or be left out. One of an
    event may not.
    """
    return sorted(_breaks(_Side(old, old), _Side(new, new, takes_further_forms=not is_event), "$"))


class _Side:
    """A node of one of the two schemas, with references resolved."""

    def __init__(self, root: Schema, node: Any, *, takes_further_forms: bool = False) -> None:
        self.root = root
        self.node = node
        self.takes_further_forms = takes_further_forms
        while isinstance(self.node, dict) and "$ref" in self.node:
            self.node = root["$defs"][self.node["$ref"].rpartition("/")[2]]

    def get(self, key: str) -> Any:
        return self.node.get(key)

    def below(self, node: Any) -> "_Side":
        return _Side(self.root, node, takes_further_forms=self.takes_further_forms)

    def in_the_form_of(self, old: "_Side") -> "_Side":
        """Return its first form, if *old* has only one and this schema may have more."""
        is_further = self.takes_further_forms and bool(self.get("anyOf")) and not old.get("anyOf")
        return self.below(self.get("anyOf")[0]) if is_further else self


def _breaks(old: _Side, new: _Side, path: str) -> Iterator[str]:
    new = new.in_the_form_of(old)
    for word in (*BOUNDS, *LENGTHS, "type"):
        before, after = old.get(word), new.get(word)
        if not isinstance(before, dict) and before != after:
            yield f"{path}: {word} was {before!r} and is {after!r}"
    yield from (f"{path}: {one!r} is no longer among the values" for one in _missing_members(old, new, "enum"))
    yield from (f"{path}: {one} is now required" for one in _missing_members(new, old, "required"))
    if not new.takes_further_forms:
        yield from (f"{path}: {one} is no longer required" for one in _missing_members(old, new, "required"))
    yield from _members(old, new, path)
    yield from _properties(old, new, path)


def _missing_members(old: _Side, new: _Side, word: str) -> list[Any]:
    return [one for one in old.get(word) or [] if one not in (new.get(word) or [])]


def _members(old: _Side, new: _Side, path: str) -> Iterator[str]:
    """Compare the members of lists, maps and unions; those of unions in order."""
    for word in ("items", "additionalProperties"):
        if isinstance(old.get(word), dict) and isinstance(new.get(word), dict):
            yield from _breaks(old.below(old.get(word)), new.below(new.get(word)), f"{path}[]")
    before, after = old.get("anyOf") or [], new.get("anyOf") or []
    if len(after) < len(before):
        yield f"{path}: {len(before)} forms were accepted and {len(after)} are"
    if new.takes_further_forms:
        yield from _find_refused_forms(old, new, path)
        return
    for one, other in zip(before, after, strict=False):
        yield from _breaks(old.below(one), new.below(other), path)


def _find_refused_forms(old: _Side, new: _Side, path: str) -> Iterator[str]:
    """Name each form of a value in a document that is accepted no longer; further forms may stand anywhere."""
    remaining = iter(new.get("anyOf") or [])
    for one in old.get("anyOf") or []:
        if not any(not list(_breaks(old.below(one), new.below(other), path)) for other in remaining):
            yield f"{path}: the form {one} is no longer accepted"


def _properties(old: _Side, new: _Side, path: str) -> Iterator[str]:
    before, after = old.get("properties") or {}, new.get("properties") or {}
    for name in before:
        if name not in after:
            yield f"{path}.{name}: is gone"
        else:
            yield from _breaks(old.below(before[name]), new.below(after[name]), f"{path}.{name}")
