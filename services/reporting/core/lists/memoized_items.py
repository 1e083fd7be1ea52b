"""Items that are kept for a while, together with what was worked out from them.

The lines of a period stay the same from one change to the next, and are asked for again and again: narrowed by the same
conditions, sorted by the same column, counted. Each of these is worked out once and goes with the items.
"""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Generic, TypeVar

Item = TypeVar("Item")
Derived = TypeVar("Derived")

# What is derived refers to the items, at 8 bytes each, and holds none of its own.
DERIVED_KEPT_MAX = 16


class MemoizedItems(Generic[Item]):
    """A tuple of items that do not change. Several threads may derive from it at once."""

    def __init__(self, items: tuple[Item, ...]) -> None:
        self.items = items
        # The cache knows the items and not this object: no cycle keeps them alive when nobody needs them any more.
        self._derive = lru_cache(maxsize=DERIVED_KEPT_MAX)(partial(_call, items))

    def derive(self, make: Callable[..., Derived], *arguments: object) -> Derived:
        """Return what the pure function *make* makes of the items and *arguments*, which have to be hashable."""
        derived: Derived = self._derive(make, *arguments)
        return derived


def _call(items: tuple[Item, ...], make: Callable[..., Derived], *arguments: object) -> Derived:
    return make(items, *arguments)
