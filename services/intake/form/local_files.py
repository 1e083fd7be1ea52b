"""What a local folder needs to serve as an object store: syncing files to disk, and deleting old ones."""

import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path


def fsync_file(root: Path, path: str) -> None:
    """Sync the file *path* and its folders up to *root* to disk; obstore's local store leaves them in the page cache.

    If the file is gone, another request has moved it, and that request syncs it at its new place.
    """
    file = root / path
    for one in (file, *(parent for parent in file.parents if parent.is_relative_to(root))):
        with suppress(FileNotFoundError):
            _fsync(one)


def delete_old_files(folder: Path, before: datetime) -> int:
    """Delete the files in *folder* last written *before*, partial ones left by a crash included; return the count."""
    deleted = 0
    for file in folder.iterdir() if folder.is_dir() else ():
        # At this moment a request may move the file to its final place, or another replica may delete it.
        with suppress(FileNotFoundError):
            if file.stat().st_mtime < before.timestamp():
                file.unlink()
                deleted += 1
    return deleted


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
