"""Stores attached files under their digest, so that the same file sent twice is stored once.

An uploaded file is stored as unsent first, and moved to its final place before the report that names it is recorded.
So a file that has been unsent for long belongs to no report, and is deleted without looking into the log. A crash
between the move and the record leaves a file that no report names; the same form sent again names it.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import BinaryIO

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore

from services.intake.core.forms.form_to_event import AttachedFile
from services.intake.form import local_files
from services.runtime import attachment_store
from services.runtime.clock import Clock

UNSENT_FOLDER = "unsent"

# How long a form may stay open between an upload and its submission; after that its files must be chosen again.
UNSENT_DAYS = 30

CLEANUP_EVERY = timedelta(days=1)

# The largest form (32 MiB) passes in this time over a line of 10 Mbit/s; a person who waits longer gives up.
STORE_TIMEOUT_SECONDS = 30

log = logging.getLogger(__name__)


class StoreUnavailableError(Exception):
    """The store of files cannot be used now. The log says why; the same form sent again later may succeed."""


class AttachmentStore:
    """Stores files in *location*: a folder, or the URL of an S3-compatible store such as `s3://bucket/reports`.

    *clock* must be the real time, by which the store dates its files, and not a clock that tests steer.
    """

    def __init__(self, location: str, clock: Clock) -> None:
        self._location = location
        self._folder = attachment_store.local_folder(location)
        self._clock = clock
        # A URL that names no store is an error of the settings: it must fail the start, not a person's request.
        self._store = None if self._folder is not None else self._open()
        self._cleaned_at: datetime | None = None

    async def store_unsent(self, file: AttachedFile, content: BinaryIO) -> None:
        """Store *content* durably as unsent; it is deleted if it stays so for long. Raises `StoreUnavailableError`."""
        await self._clean_up_daily()
        async with self._open_store() as store:
            if await _is_stored(store, attachment_store.stored_path(file.sha256), file.size):
                return
            # Keyed by its digest: writing it twice writes the same bytes to the same place, and renews its date.
            await obstore.put_async(store, _unsent_path(file.sha256), content)
            if self._folder is not None:
                await asyncio.to_thread(local_files.fsync_file, self._folder, _unsent_path(file.sha256))

    async def make_permanent(self, files: Iterable[AttachedFile]) -> tuple[AttachedFile, ...]:
        """Move *files* to their final place, and return those that are lost; raise `StoreUnavailableError`."""
        async with self._open_store() as store:
            return tuple([file for file in files if not await self._move(store, file)])

    async def _move(self, store: ObjectStore, file: AttachedFile) -> bool:
        path = attachment_store.stored_path(file.sha256)
        if not await _is_stored(store, path, file.size):
            try:
                await obstore.rename_async(store, _unsent_path(file.sha256), path)
            except FileNotFoundError:
                # It was deleted as too old, or another request has just moved the same file.
                if not await _is_stored(store, path, file.size):
                    return False
        if self._folder is not None:
            await asyncio.to_thread(local_files.fsync_file, self._folder, path)
        return True

    async def _clean_up_daily(self) -> None:
        """Delete old unsent files once a day, when a file arrives: a store that nobody fills needs no cleaning."""
        now = self._clock.now()
        if self._cleaned_at is not None and now - self._cleaned_at < CLEANUP_EVERY:
            return
        self._cleaned_at = now
        try:
            deleted = await self._delete_unsent(now - timedelta(days=UNSENT_DAYS))
        except StoreUnavailableError:
            return
        if deleted:
            log.info(
                "files of forms that were never sent are deleted",
                extra={"action": "attachments_swept", "files": deleted},
            )

    async def _delete_unsent(self, before: datetime) -> int:
        async with self._open_store() as store:
            if self._folder is not None:
                return await asyncio.to_thread(local_files.delete_old_files, self._folder / UNSENT_FOLDER, before)
            old: list[str] = []
            async for found in obstore.list(store, prefix=UNSENT_FOLDER):
                old += [one["path"] for one in found if one["last_modified"] < before]
            if old:
                await obstore.delete_async(store, old)
            return len(old)

    @asynccontextmanager
    async def _open_store(self) -> AsyncIterator[ObjectStore]:
        try:
            async with asyncio.timeout(STORE_TIMEOUT_SECONDS):
                yield self._get_store()
        except (BaseError, OSError) as cause:
            log.exception("the store of attached files cannot be used", extra={"action": "attachment_failed"})
            raise StoreUnavailableError from cause

    def _get_store(self) -> ObjectStore:
        if self._store is None:
            self._store = self._open()
        return self._store

    def _open(self) -> ObjectStore:
        return attachment_store.open_store(self._location, creates_folder=True)


async def _is_stored(store: ObjectStore, path: str, size: int) -> bool:
    try:
        found = await obstore.head_async(store, path)
    except FileNotFoundError:
        return False
    # A file of another size was cut off by a crash of the store; it is written again.
    return found["size"] == size


def _unsent_path(sha256: str) -> str:
    return f"{UNSENT_FOLDER}/{sha256}"
