"""Where attached files are kept: under their digest, so that the same file twice is kept once.

What a form uploads is first put by, and put where it stays before the report that names it is recorded: so whatever
was put by for long belongs to no report, and is swept away without asking the log. A crash between the two leaves a
file that nobody names; the same form sent again names it.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from services.intake.core.forms.form_to_event import AttachedFile
from services.intake.form import local_files
from services.runtime.clock import Clock

URN = "urn:dondoc:attachment:sha256:"
UNSENT_FOLDER = "unsent"
UNSENT_DAYS = 30
"""How long a form may lie open between an upload and being sent; then its files are to be chosen again."""

SWEEP_EVERY = timedelta(days=1)
STORE_SECONDS = 30
"""A form's files pass in that time over a line of 10 Mbit/s; a person who waits longer has given up."""

log = logging.getLogger(__name__)


class StoreUnavailableError(Exception):
    """The store cannot be used just now. The log says why; the same form sent again in a while may go through."""


class AttachmentStore:
    """Keeps files in *where*: a folder, or the address of an S3-compatible store such as `s3://bucket/reports`.

    *clock* is the one that the store dates its files by, which no test steers.
    """

    def __init__(self, where: str, clock: Clock) -> None:
        self._folder = None if "://" in where else Path(where)
        self._clock = clock
        # An address that names no store is an error of the settings: it shows at the start, not on a person's page.
        self._opened: ObjectStore | None = None if self._folder is not None else from_url(where)
        self._swept_at: datetime | None = None

    async def put_by(self, file: AttachedFile, content: BinaryIO) -> None:
        """Return when *content* is durable until it is sent, or swept; raise `StoreUnavailableError`."""
        await self._sweep_daily()
        async with self._used() as store:
            if await _is_stored(store, _path(file.sha256), file.size):
                return
            # Keyed by its digest: writing it twice writes the same bytes to the same place, and makes it young again.
            await obstore.put_async(store, _unsent_path(file.sha256), content)
            if self._folder is not None:
                await asyncio.to_thread(local_files.fsync_file, self._folder, _unsent_path(file.sha256))

    async def keep(self, files: Iterable[AttachedFile]) -> tuple[AttachedFile, ...]:
        """Keep *files* for good, and return those that are not here any more; raise `StoreUnavailableError`."""
        async with self._used() as store:
            return tuple([file for file in files if not await self._is_kept(store, file)])

    async def _is_kept(self, store: ObjectStore, file: AttachedFile) -> bool:
        path = _path(file.sha256)
        if not await _is_stored(store, path, file.size):
            try:
                await obstore.rename_async(store, _unsent_path(file.sha256), path)
            except FileNotFoundError:
                # It was swept, or another request has just kept the same file.
                if not await _is_stored(store, path, file.size):
                    return False
        if self._folder is not None:
            await asyncio.to_thread(local_files.fsync_file, self._folder, path)
        return True

    async def _sweep_daily(self) -> None:
        """Sweep once a day when a file comes: a store that nobody fills needs no sweeping."""
        now = self._clock.now()
        if self._swept_at is not None and now - self._swept_at < SWEEP_EVERY:
            return
        self._swept_at = now
        try:
            swept = await self._sweep(now - timedelta(days=UNSENT_DAYS))
        except StoreUnavailableError:
            return
        if swept:
            log.info("files of forms never sent are gone", extra={"action": "attachments_swept", "files": swept})

    async def _sweep(self, before: datetime) -> int:
        async with self._used() as store:
            if self._folder is not None:
                return await asyncio.to_thread(local_files.delete_old_files, self._folder / UNSENT_FOLDER, before)
            old: list[str] = []
            async for found in obstore.list(store, prefix=UNSENT_FOLDER):
                old += [one["path"] for one in found if one["last_modified"] < before]
            if old:
                await obstore.delete_async(store, old)
            return len(old)

    @asynccontextmanager
    async def _used(self) -> AsyncIterator[ObjectStore]:
        try:
            async with asyncio.timeout(STORE_SECONDS):
                yield self._store()
        except (BaseError, OSError) as cause:
            log.exception("the store of files cannot be used", extra={"action": "attachment_failed"})
            raise StoreUnavailableError from cause

    def _store(self) -> ObjectStore:
        if self._opened is None:
            self._opened = LocalStore(prefix=self._folder, mkdir=True)
        return self._opened


def attachment_urn(sha256: str) -> str:
    """Return what an event says of where its file is kept: a name that holds wherever the store moves to."""
    return URN + sha256


async def _is_stored(store: ObjectStore, path: str, size: int) -> bool:
    try:
        found = await obstore.head_async(store, path)
    except FileNotFoundError:
        return False
    return found["size"] == size


def _path(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256}"


def _unsent_path(sha256: str) -> str:
    return f"{UNSENT_FOLDER}/{sha256}"
