"""What a folder needs so that it keeps files like a store does: forcing them to disk, and sweeping old ones."""

import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path


def fsync_file(root: Path, path: str) -> None:
    """Force the file *path* and its folders up to *root* to disk, which the local store leaves to the page cache.

    A file that is not there any more was moved by another request, which forces it where it is now.
    """
    file = root / path
    for one in (file, *(parent for parent in file.parents if parent.is_relative_to(root))):
        with suppress(FileNotFoundError):
            _fsync(one)


def delete_old_files(folder: Path, before: datetime) -> int:
    """Delete the files in *folder* last written *before*, halves that a crash left included; return how many."""
    swept = 0
    for file in folder.iterdir() if folder.is_dir() else ():
        # It may be kept by a request, or swept by another replica, at this very moment.
        with suppress(FileNotFoundError):
            if file.stat().st_mtime < before.timestamp():
                file.unlink()
                swept += 1
    return swept


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
