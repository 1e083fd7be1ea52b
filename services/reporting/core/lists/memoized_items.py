"""Items that are kept for a while, together with what was worked out from them.

The lines of a period are asked for again and again: narrowed by the same conditions, sorted by one column, counted.
Each of these is worked out once and goes with the items. Items stand in blocks. On the night of a deadline verdicts
arrive twenty times a second, each about one of ten thousand duties: its block is worked out anew, and the others are
what they were. A block is recognized by its items, not by what is said to have changed.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, lru_cache, partial
from itertools import chain
from typing import Generic, TypeVar

Item = TypeVar("Item")
Derived = TypeVar("Derived")
Combined = TypeVar("Combined")

# What is derived refers to the items, at 8 bytes each, and holds none of its own.
DERIVED_KEPT_MAX = 16
# A block is worked out in a tenth of a millisecond. Smaller blocks would be more, which are put together each time.
BLOCK_ITEMS = 128


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


class MemoizedBlocks(Generic[Item]):
    """Items in blocks, of each of which is kept what was derived from it, and what that comes to together."""

    def __init__(self, blocks: Iterable[MemoizedItems[Item]]) -> None:
        self.blocks = tuple(blocks)
        self._derive = lru_cache(maxsize=DERIVED_KEPT_MAX)(partial(_combine, self.blocks))
        self._narrow = lru_cache(maxsize=DERIVED_KEPT_MAX)(partial(_narrow, self.blocks))

    @classmethod
    def cut(
        cls, runs: Iterable[tuple[Item, ...]], earlier: "MemoizedBlocks[Item] | None" = None
    ) -> "MemoizedBlocks[Item]":
        """Return the items of *runs*, no block of which holds items of two; those that *earlier* has stay the same."""
        parts = [run[start : start + BLOCK_ITEMS] for run in runs for start in range(0, len(run), BLOCK_ITEMS)]
        known = {} if earlier is None else {id(block.items[0]): block for block in earlier.blocks}
        return cls(MemoizedBlocks._keep(known.get(id(part[0])), part) for part in parts)

    @staticmethod
    def _keep(known: MemoizedItems[Item] | None, items: tuple[Item, ...]) -> MemoizedItems[Item]:
        return known if known is not None and known.items == items else MemoizedItems(items)

    def __len__(self) -> int:
        return sum(len(block.items) for block in self.blocks)

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """All items."""
        return tuple(chain.from_iterable(block.items for block in self.blocks))

    def derive(
        self, make: Callable[..., Derived], combine: Callable[[Sequence[Derived]], Combined], *arguments: object
    ) -> Combined:
        """Return what the pure function *combine* makes of what *make* makes of each block and *arguments*."""
        derived: Combined = self._derive(make, combine, *arguments)
        return derived

    def narrow(self, choose: Callable[..., MemoizedItems[Item]], *arguments: object) -> "MemoizedBlocks[Item]":
        """Return those items of each block that the pure function *choose* chooses."""
        narrowed: MemoizedBlocks[Item] = self._narrow(choose, *arguments)
        return narrowed


def _call(items: tuple[Item, ...], make: Callable[..., Derived], *arguments: object) -> Derived:
    return make(items, *arguments)


def _combine(
    blocks: tuple[MemoizedItems[Item], ...],
    make: Callable[..., Derived],
    combine: Callable[[Sequence[Derived]], Combined],
    *arguments: object,
) -> Combined:
    return combine([block.derive(make, *arguments) for block in blocks])


def _narrow(
    blocks: tuple[MemoizedItems[Item], ...], choose: Callable[..., MemoizedItems[Item]], *arguments: object
) -> MemoizedBlocks[Item]:
    narrowed = (block.derive(choose, *arguments) for block in blocks)
    return MemoizedBlocks(one for one in narrowed if one.items)
