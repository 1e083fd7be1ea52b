"""Where attached files are kept: in a folder, or in any object store that an address names."""

import hashlib
import io
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import obstore
import pytest
from obstore.exceptions import BaseError

from services.intake.core.forms.form_to_event import AttachedFile
from services.intake.form import local_files
from services.intake.form.attachments import UNSENT_DAYS, UNSENT_FOLDER, AttachmentStore, StoreUnavailableError
from services.runtime.clock import SystemClock
from tests.support.clients.form import PDF


class FixedClock:
    """A clock that shows the time that a test has set."""

    def __init__(self, now: datetime) -> None:
        self.instant = now

    def now(self) -> datetime:
        return self.instant


def a_file(content: bytes = PDF) -> AttachedFile:
    """Describe a file with *content*."""
    digest = hashlib.sha256(content).hexdigest()
    return AttachedFile(name="a.pdf", media_type="application/pdf", size=len(content), sha256=digest)


def in_folder(folder: Path) -> AttachmentStore:
    """Return a store in *folder*."""
    return AttachmentStore(str(folder), SystemClock())


def kept_at(folder: Path, file: AttachedFile) -> Path:
    """Return the final path of *file* below *folder*."""
    return folder / file.sha256[:2] / file.sha256


def files_in(folder: Path) -> dict[str, bytes]:
    """Return the paths of all files below *folder*."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def made_old(path: Path, *, days: float) -> None:
    """Set the date of *path* back by *days*."""
    before = (SystemClock().now() - timedelta(days=days)).timestamp()
    os.utime(path, (before, before))


async def test_a_file_is_kept_once_under_its_digest(tmp_path: Path) -> None:
    """The same content stored twice is one file, large files are complete, and nothing stays among the unsent files."""
    store = in_folder(tmp_path)
    large = PDF + bytes(12 * 1024 * 1024)
    for content in (PDF, PDF, large):
        await store.store_unsent(a_file(content), io.BytesIO(content))
        assert await store.make_permanent([a_file(content)]) == ()
    assert files_in(tmp_path) == {str(kept_at(Path(), a_file(content))): content for content in (PDF, large)}


async def test_what_a_crash_left_half_is_written_anew(tmp_path: Path) -> None:
    """A stored file of the wrong size is replaced by the uploaded one."""
    half = kept_at(tmp_path, a_file())
    half.parent.mkdir()
    half.write_bytes(PDF[:5])
    store = in_folder(tmp_path)
    assert await store.make_permanent([a_file()]) == (a_file(),)
    await store.store_unsent(a_file(), io.BytesIO(PDF))
    assert await store.make_permanent([a_file()]) == ()
    assert half.read_bytes() == PDF


async def test_an_address_names_another_store() -> None:
    """A store given by a URL is used like a folder; this one is in memory."""
    store = AttachmentStore("memory:///", SystemClock())
    await store.store_unsent(a_file(), io.BytesIO(PDF))
    assert await store.make_permanent([a_file()]) == ()
    found = await obstore.get_async(store._get_store(), str(kept_at(Path(), a_file())))
    assert bytes(await found.bytes_async()) == PDF


def test_an_address_of_no_store_fails_at_the_start() -> None:
    """A URL of no known store fails when the store is created, not at the first upload."""
    with pytest.raises(BaseError, match="s4://reports"):
        AttachmentStore("s4://reports", SystemClock())


async def test_a_folder_that_cannot_keep_says_so(tmp_path: Path) -> None:
    """A store that failed works again as soon as its folder is usable."""
    blocked = tmp_path / "store"
    blocked.write_bytes(b"a file where the folder should be")
    store = in_folder(blocked)
    with pytest.raises(StoreUnavailableError):
        await store.store_unsent(a_file(), io.BytesIO(PDF))
    with pytest.raises(StoreUnavailableError):
        await store.make_permanent([a_file()])
    blocked.unlink()
    await store.store_unsent(a_file(), io.BytesIO(PDF))
    assert await store.make_permanent([a_file()]) == ()


async def test_what_is_never_sent_is_swept_and_what_is_sent_never(tmp_path: Path) -> None:
    """Old unsent files and partial ones are deleted when the next file arrives; younger ones stay."""
    sent, forgotten, young, newest = (a_file(PDF + bytes([number])) for number in range(4))
    store = in_folder(tmp_path)
    for number, file in enumerate((sent, forgotten, young)):
        await store.store_unsent(file, io.BytesIO(PDF + bytes([number])))
    half = tmp_path / UNSENT_FOLDER / f"{forgotten.sha256}#1"
    half.write_bytes(PDF[:5])
    assert await store.make_permanent([sent]) == ()
    for path in (kept_at(tmp_path, sent), tmp_path / UNSENT_FOLDER / forgotten.sha256, half):
        made_old(path, days=UNSENT_DAYS + 1)
    made_old(tmp_path / UNSENT_FOLDER / young.sha256, days=UNSENT_DAYS - 1)
    again = in_folder(tmp_path)
    await again.store_unsent(newest, io.BytesIO(PDF + bytes([3])))
    left = {str(kept_at(Path(), sent)), f"{UNSENT_FOLDER}/{young.sha256}", f"{UNSENT_FOLDER}/{newest.sha256}"}
    assert set(files_in(tmp_path)) == left
    assert await again.make_permanent([sent, forgotten, young]) == (forgotten,)


async def test_a_file_uploaded_again_is_young_again(tmp_path: Path) -> None:
    """The age of an unsent file counts from its last upload, so that no open form loses it early."""
    await in_folder(tmp_path).store_unsent(a_file(), io.BytesIO(PDF))
    made_old(tmp_path / UNSENT_FOLDER / a_file().sha256, days=UNSENT_DAYS + 1)
    store = in_folder(tmp_path)
    await store.store_unsent(a_file(), io.BytesIO(PDF))
    assert await store.make_permanent([a_file()]) == ()


async def test_a_store_behind_an_address_is_swept_alike() -> None:
    """An object store is cleaned by the dates that it gives its files."""
    clock = FixedClock(datetime.now(UTC))  # noqa: TID251 - the store dates its files by the machine's clock
    store = AttachmentStore("memory:///", clock)
    old, new = a_file(), a_file(PDF + b"new")
    await store.store_unsent(old, io.BytesIO(PDF))
    clock.instant += timedelta(days=UNSENT_DAYS - 1)
    await store.store_unsent(new, io.BytesIO(PDF + b"new"))
    assert await store.make_permanent([old]) == ()
    await store.store_unsent(new, io.BytesIO(PDF + b"new"))
    clock.instant += timedelta(days=2)
    await store.store_unsent(a_file(PDF + b"newest"), io.BytesIO(PDF + b"newest"))
    assert await store.make_permanent([old, new]) == (new,)


async def test_a_sweep_that_fails_refuses_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cleaning that fails does not fail the upload, and is tried again the next day."""

    def fail(*_: object) -> int:
        raise OSError

    monkeypatch.setattr(local_files, "delete_old_files", fail)
    store = in_folder(tmp_path)
    await store.store_unsent(a_file(), io.BytesIO(PDF))
    assert await store.make_permanent([a_file()]) == ()
