"""How far one partition of the log is remembered, when some of it is known from acknowledgements and the rest is read.

Entries come out in the order of the log, so that whoever was first there is first in the memory, on every replica.
"""

from collections import deque
from collections.abc import Iterator

from services.intake.core.dedup_entry import Entries


class Progress:
    """All of the log before `position` has come out; batches of our own may lie known and waiting behind it."""

    def __init__(self, position: int) -> None:
        self.position = position
        self._own: deque[tuple[int, Entries]] = deque()

    def appended(self, base: int, entries: Entries) -> Iterator[Entries]:
        """Take note of a batch of our own at *base*, in the order of the log; yield what is in order now."""
        self._own.append((base, entries))
        yield from self._own_reached()

    def read(self, end: int, entries: Entries) -> Iterator[Entries]:
        """Take note of *entries*, read from `position` up to *end*; yield what is in order now.

        Where that is our own, too, it comes out twice: whoever remembers the first loses nothing.
        """
        yield entries
        self.position = max(self.position, end)
        yield from self._own_reached()

    def _own_reached(self) -> Iterator[Entries]:
        while self._own and self._own[0][0] <= self.position:
            base, entries = self._own.popleft()
            yield entries
            self.position = max(self.position, base + len(entries))
