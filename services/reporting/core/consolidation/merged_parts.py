"""What tallies of some agencies hold, put together when somebody asks for it.

Pages and the document of results need the totals and the figures. What totals rest on, agency by agency, only a report
tells; after each verdict it would be put together for nobody.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import TypeVar, overload

Item = TypeVar("Item")
Value = TypeVar("Value")


class MergedItems(Sequence[Item]):
    """The items of several parts in the order of their agencies. It equals every sequence of the same items."""

    def __init__(self, parts: Iterable[Sequence[Item]], agency_of: Callable[[Item], str]) -> None:
        self._parts = tuple(parts)
        self._agency_of = agency_of

    @cached_property
    def _items(self) -> tuple[Item, ...]:
        return merge_agencies(self._parts, self._agency_of)

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    @overload
    def __getitem__(self, place: int) -> Item: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Item, ...]: ...
    def __getitem__(self, place: int | slice) -> Item | tuple[Item, ...]:
        return self._items[place]

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._items == tuple(other)

    def __hash__(self) -> int:
        return hash(self._items)


class MergedMapping(Mapping[str, Value]):
    """The entries of several mappings by agency, no two of which have the same agency."""

    def __init__(self, parts: Iterable[Mapping[str, Value]]) -> None:
        self._parts = tuple(parts)

    @cached_property
    def _entries(self) -> Mapping[str, Value]:
        return {agency: value for one in self._parts for agency, value in one.items()}

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, agency: str) -> Value:
        return self._entries[agency]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)


def merge_agencies(parts: Iterable[Iterable[Item]], agency_of: Callable[[Item], str]) -> tuple[Item, ...]:
    """Return the items of all *parts* in the order of their agencies."""
    return tuple(sorted(chain.from_iterable(parts), key=agency_of))
