"""Where attached files are kept: under their digest, so that the same file twice is kept once.

A file is stored before the report that names it is recorded; a crash in between leaves a file that nobody names.
"""

import asyncio
import logging
import os
from pathlib import Path
from typing import BinaryIO

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from services.intake.core.answers import Enclosed
from services.intake.core.refusals import Problem, Refusal, Said
from services.intake.http import RefusedError

RETRY_AFTER_SECONDS = 10
URN = "urn:dondoc:attachment:sha256:"

log = logging.getLogger(__name__)


class Attachments:
    """Keeps files in *where*: a folder, or the address of an S3-compatible store such as `s3://bucket/reports`."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._folder = None if "://" in where else Path(where)
        self._opened: ObjectStore | None = None

    async def keep(self, file: Enclosed, content: BinaryIO) -> None:
        """Return when *content* is durable; raise `RefusedError` with 503 if the store cannot take it now."""
        path = _path(file.sha256)
        try:
            store = self._store()
            if await _is_there(store, path, file.size):
                return
            # Keyed by its digest: writing it twice writes the same bytes to the same place.
            await obstore.put_async(store, path, content)
            if self._folder is not None:
                await asyncio.to_thread(_settle, self._folder / path)
        except (BaseError, OSError) as cause:
            log.exception("a file cannot be stored", extra={"action": "attachment_failed"})
            raise RefusedError(_CANNOT_KEEP) from cause

    def _store(self) -> ObjectStore:
        if self._opened is None:
            local = self._folder
            self._opened = from_url(self._where) if local is None else LocalStore(prefix=local, mkdir=True)
        return self._opened


def address_of(sha256: str) -> str:
    """Return what an event says of where its file is kept: a name that holds wherever the store moves to."""
    return URN + sha256


async def _is_there(store: ObjectStore, path: str, size: int) -> bool:
    try:
        found = await obstore.head_async(store, path)
    except FileNotFoundError:
        return False
    return found["size"] == size


def _path(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256}"


def _settle(path: Path) -> None:
    """Force a file and its folder to disk: the local store leaves both to the page cache."""
    for one in (path, path.parent):
        descriptor = os.open(one, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


_CANNOT_KEEP = Refusal(
    problem=Problem.UNAVAILABLE,
    detail=Said(
        en="the files cannot be stored just now; please send the form again",
        vi="hiện chưa lưu được tệp đính kèm; vui lòng gửi lại biểu mẫu",
    ),
    retry_after_seconds=RETRY_AFTER_SECONDS,
)
