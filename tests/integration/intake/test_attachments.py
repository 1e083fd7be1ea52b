"""Where attached files are kept: in a folder, or in any object store that an address names."""

import hashlib
import io
from pathlib import Path

import obstore
import pytest

from services.intake.core.answers import Enclosed
from services.intake.form.attachments import Attachments
from services.intake.http import RefusedError
from tests.support.form import PDF


def a_file(content: bytes) -> Enclosed:
    """The description of *content*."""
    digest = hashlib.sha256(content).hexdigest()
    return Enclosed(name="a.pdf", media_type="application/pdf", size=len(content), sha256=digest)


async def test_a_file_is_kept_once_under_its_digest(tmp_path: Path) -> None:
    """The same content twice is one file; a larger one streams in whole."""
    kept = Attachments(str(tmp_path / "store"))
    large = PDF + bytes(12 * 1024 * 1024)
    for content in (PDF, PDF, large):
        await kept.keep(a_file(content), io.BytesIO(content))
    found = {path.name: path.read_bytes() for path in (tmp_path / "store").rglob("*") if path.is_file()}
    assert found == {a_file(one).sha256: one for one in (PDF, large)}


async def test_what_a_crash_left_half_is_written_anew(tmp_path: Path) -> None:
    """A file of another size than it should have is not taken for the file."""
    file = a_file(PDF)
    half = tmp_path / file.sha256[:2] / file.sha256
    half.parent.mkdir()
    half.write_bytes(PDF[:5])
    await Attachments(str(tmp_path)).keep(file, io.BytesIO(PDF))
    assert half.read_bytes() == PDF


async def test_an_address_names_another_store() -> None:
    """A store behind an address is used alike; this one lies in memory."""
    kept = Attachments("memory:///")
    await kept.keep(a_file(PDF), io.BytesIO(PDF))
    store = kept._store()
    found = await obstore.get_async(store, f"{a_file(PDF).sha256[:2]}/{a_file(PDF).sha256}")
    assert bytes(await found.bytes_async()) == PDF


async def test_a_store_that_cannot_keep_refuses(tmp_path: Path) -> None:
    """Where nothing can be written the sender is asked to try again, and is told nothing else."""
    blocked = tmp_path / "store"
    blocked.write_bytes(b"a file where the folder should be")
    with pytest.raises(RefusedError) as caught:
        await Attachments(str(blocked)).keep(a_file(PDF), io.BytesIO(PDF))
    assert caught.value.refusal.problem.value.status == 503
