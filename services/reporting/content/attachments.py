"""Opens the attached files of forms where intake has stored them: a folder, or an S3-compatible store.

A file is asked for by its digest alone, never by a path or an address from outside. Its bytes are checked against the
digest before the first of them is handed out.
"""

import asyncio
import hashlib
import logging
import tempfile
from collections.abc import AsyncIterator
from typing import BinaryIO

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore

from services.runtime import attachment_store

# A form carries 32 MiB by default; a store that holds a larger file under the digest holds another file.
LARGEST_FILE_BYTES = 256 * 1024 * 1024

_MEMORY_BYTES = 1024 * 1024  # of a file; the rest of a larger one waits on disk until it is sent
_CHUNK_BYTES = 64 * 1024
_TIMEOUT_SECONDS = 30

log = logging.getLogger(__name__)


class AttachmentsUnavailableError(Exception):
    """The store of files cannot be used now. The log says why; asked again later it may answer."""


class FileLostError(Exception):
    """The store has no such file, or other bytes under its name: restore the store from its backup."""


class AttachmentFiles:
    """The files in *location*. It is opened with the first file that is asked for."""

    def __init__(self, location: str) -> None:
        self._location = location
        self._store: ObjectStore | None = None

    async def open_file(self, sha256: str) -> BinaryIO:
        """Return the file with that digest, checked, from its beginning; the caller closes it.

        Raises `FileLostError` and `AttachmentsUnavailableError`.
        """
        copy = tempfile.SpooledTemporaryFile(max_size=_MEMORY_BYTES)  # noqa: SIM115 - the caller closes it
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                digest = await self._copy(sha256, copy)  # type: ignore[arg-type]  # a spooled file is a binary file
        except FileNotFoundError as cause:
            copy.close()
            raise FileLostError(sha256) from cause
        except (BaseError, OSError) as cause:
            copy.close()
            log.exception("the store of attached files cannot be used", extra={"action": "attachment_failed"})
            raise AttachmentsUnavailableError from cause
        if digest != sha256:
            copy.close()
            log.error("an attached file is not what was stored", extra={"action": "attachment_damaged", "file": sha256})
            raise FileLostError(sha256)
        copy.seek(0)
        return copy  # type: ignore[return-value]  # as above

    async def _copy(self, sha256: str, copy: BinaryIO) -> str | None:
        """Copy the file, and return the digest of its bytes; None where there are too many."""
        store = await asyncio.to_thread(self._open_store)
        found = await obstore.get_async(store, attachment_store.stored_path(sha256))
        if found.meta["size"] > LARGEST_FILE_BYTES:
            return None
        digest = hashlib.sha256()
        async for chunk in found.stream(min_chunk_size=_CHUNK_BYTES):
            digest.update(chunk)
            await asyncio.to_thread(copy.write, chunk)
        return digest.hexdigest()

    def _open_store(self) -> ObjectStore:
        if self._store is None:
            self._store = attachment_store.open_store(self._location, creates_folder=False)
        return self._store


async def read_chunks(file: BinaryIO) -> AsyncIterator[bytes]:
    """Yield the bytes of *file*, and close it."""
    with file:
        while chunk := await asyncio.to_thread(file.read, _CHUNK_BYTES):
            yield chunk
