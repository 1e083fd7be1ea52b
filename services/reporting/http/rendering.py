"""Bounds the work that documents cost: few are made at a time, few may wait, and one that was made is kept.

An annual report takes seconds of processor time. Without a bound a dozen requests would keep every other page waiting.
"""

import asyncio
import hashlib
import pickle
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from services.reporting.core.access import readers
from services.reporting.core.access.readers import ReaderScope
from services.reporting.core.report.inputs import ReportInputs

# More at a time would not be done sooner: compiling and laying out use the processor without a pause.
AT_A_TIME = 2

# Who waits longer than it takes to make so many documents has given up.
WAITING_MAX = 8
RETRY_AFTER_SECONDS = 10

# A season's documents of a province take two megabytes.
CACHE_BYTES_MAX = 64 * 1024 * 1024


class TooManyDocumentsError(Exception):
    """As many documents are being made as may wait; ask again a little later."""


class RenderingLimit:
    """The places in which documents are compiled and laid out."""

    def __init__(self, at_a_time: int = AT_A_TIME, waiting_max: int = WAITING_MAX) -> None:
        self._free = asyncio.Semaphore(at_a_time)
        self._held_max = at_a_time + waiting_max
        self._held = 0

    @asynccontextmanager
    async def hold_place(self) -> AsyncIterator[None]:
        """Hold a place, after waiting for a free one; raise `TooManyDocumentsError` if too many wait already."""
        if self._held >= self._held_max:
            raise TooManyDocumentsError
        self._held += 1
        try:
            async with self._free:
                yield
        finally:
            self._held -= 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentKey:
    """What a document is made from: the digest of its content, its format and language, and for what scope."""

    digest: str
    extension: str
    language: str
    scope: tuple[str, ...]

    @property
    def tag(self) -> str:
        """The entity tag of the document; the same content in another format or scope is another document."""
        parts = "\x1f".join((self.digest, self.extension, self.language, *self.scope))
        return f'"{hashlib.sha256(parts.encode()).hexdigest()[:32]}"'


class DocumentCache:
    """Documents that were made, up to a number of bytes; the one that was not asked for longest goes first."""

    def __init__(self, bytes_max: int = CACHE_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._documents: OrderedDict[DocumentKey, bytes] = OrderedDict()
        self._bytes = 0

    def find(self, key: DocumentKey) -> bytes | None:
        """Return the document, or None."""
        found = self._documents.get(key)
        if found is not None:
            self._documents.move_to_end(key)
        return found

    def keep(self, key: DocumentKey, document: bytes) -> None:
        """Keep a document, unless it alone is larger than all that may be kept."""
        if key in self._documents or len(document) > self._bytes_max:
            return
        self._documents[key] = document
        self._bytes += len(document)
        while self._bytes > self._bytes_max:
            _, oldest = self._documents.popitem(last=False)
            self._bytes -= len(oldest)


class _PickleDigest:
    """A file that keeps the digest of what is written to it."""

    def __init__(self) -> None:
        self.sha256 = hashlib.sha256()

    def write(self, data: bytes) -> int:
        """Add *data* to the digest."""
        self.sha256.update(data)
        return len(data)


def describe_document(inputs: ReportInputs, extension: str, language: str, scope: ReaderScope) -> DocumentKey:
    """Return what the document of *inputs* is known by.

    The digest covers everything that any format draws, with the instants that it prints.
    """
    # Pickle writes every value that the inputs hold. Equal inputs may be written in two ways, which costs one more
    # rendering; unequal ones never in one way. Nothing is ever read from it.
    # It is written piece by piece: `dumps` gives way to no other thread before its end.
    digest = _PickleDigest()
    pickle.Pickler(digest).dump(inputs)
    return DocumentKey(
        digest=digest.sha256.hexdigest(), extension=extension, language=language, scope=readers.format_scope(scope)
    )
