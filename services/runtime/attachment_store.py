"""Where the attached files of forms are: intake stores them, reporting opens them. Files are named by their content."""

from pathlib import Path

from obstore.store import LocalStore, ObjectStore, from_url

DEFAULT_LOCATION = ".dondoc/attachments"
URN = "urn:dondoc:attachment:sha256:"


def attachment_urn(sha256: str) -> str:
    """Return the URN by which an event names a stored file; it stays valid wherever the store moves to."""
    return URN + sha256


def stored_path(sha256: str) -> str:
    """Return the path in the store of the file with that digest."""
    return f"{sha256[:2]}/{sha256}"


def local_folder(location: str) -> Path | None:
    """Return the folder that *location* is; None for the URL of an object store such as `s3://bucket/reports`."""
    return None if "://" in location else Path(location)


def open_store(location: str, *, creates_folder: bool) -> ObjectStore:
    """Return the store at *location*; raise `BaseError` of obstore if the URL names no store, or there is no folder."""
    folder = local_folder(location)
    return from_url(location) if folder is None else LocalStore(prefix=folder, mkdir=creates_folder)
