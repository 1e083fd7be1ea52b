"""Trays: memory that intake and one clerk both see, for what is too long to be worth sending through their socket.

A socket copies what goes through it twice, and in pieces: with batches that was a twentieth of all the work. A tray is
in one pair of hands at a time, so nothing is locked: intake lays a body in it and lets go of it with the errand, the
clerk with the errand's end. When the line breaks, its trays are gone with it.
"""

import mmap
import os
from typing import BinaryIO

from msgspec import Struct

TRAY_BYTES = 1024 * 1024
TRAYS = 32
"""What is handed in while all are in use goes through the socket. Only what was ever written to takes up memory."""

SHORT_BYTES = 16 * 1024
"""Up to here the socket is as good, and many short messages go through it at once."""


class Laid(Struct, frozen=True, array_like=True):
    """What lies in a tray: which one, and how many bytes of it."""

    tray: int
    size: int


def new_memory() -> BinaryIO:
    """Return memory for the trays of one clerk, as an open file (Linux); raise `OSError` where there is none left."""
    memory = os.fdopen(os.memfd_create("trays"), "r+b")
    memory.truncate(TRAYS * TRAY_BYTES)
    return memory


class Trays:
    """One side's view of the trays in the memory that is open as *descriptor*."""

    def __init__(self, descriptor: int) -> None:
        self._memory = memoryview(mmap.mmap(descriptor, TRAYS * TRAY_BYTES))
        self._free = list(range(TRAYS))

    def lay(self, content: bytes) -> Laid | None:
        """Lay *content* in a free tray, to be given back; nothing if there is none, or if it is too short or long."""
        if not self._free or not SHORT_BYTES < len(content) <= TRAY_BYTES:
            return None
        return self._written(self._free.pop(), content)

    def give_back(self, laid: Laid) -> None:
        """Free what `lay` took."""
        self._free.append(laid.tray)

    def replace(self, laid: Laid, content: bytes) -> Laid | None:
        """Lay *content* where something else lies; nothing if it is too short or long for it."""
        return self._written(laid.tray, content) if SHORT_BYTES < len(content) <= TRAY_BYTES else None

    def content(self, laid: Laid) -> memoryview:
        """Return what lies there, until it is replaced or given back: who wants it longer has to copy it."""
        start = laid.tray * TRAY_BYTES
        return self._memory[start : start + laid.size]

    def _written(self, tray: int, content: bytes) -> Laid:
        laid = Laid(tray, len(content))
        self.content(laid)[:] = content
        return laid
