"""Reading posted forms: file names, and clients that stall."""

import asyncio
import io
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.plan.values import Bilingual
from services.intake.asgi import Request, RequestRefusedError
from services.intake.core.forms.form_to_event import AttachedFile
from services.intake.core.forms.zip_archive import ENTRIES_MAX
from services.intake.core.problems import RequestProblem
from services.intake.form import uploads
from services.intake.form.uploads import Upload, UploadInspector
from tests.support.builders.archives import a_zip_of_empty_entries
from tests.support.clients.form import PDF


@pytest.mark.parametrize(
    "given_name,name",
    [
        ("Báo cáo năm 2026.pdf", "Báo cáo năm 2026.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\a\\b.pdf", "b.pdf"),
        ("a\r\nb\x00.pdf", "a_b.pdf"),
        ("bao\u202efdp.exe", "baofdp.exe"),
        ('a"<b>.pdf', "a_b_.pdf"),
        (" .. ", "tep"),
        ("a" * 300 + ".pdf", "a" * 116 + ".pdf"),
        ("a." + "b" * 300, "tep"),
    ],
)
def test_a_filename_is_sanitized(given_name: str, name: str) -> None:
    """A name keeps Vietnamese letters and loses folders, control and bidirectional characters, quotes and length."""
    assert uploads.sanitize_filename(given_name) == name


@given(st.text(max_size=400))
def test_no_filename_is_dangerous_or_empty(given_name: str) -> None:
    """Any text gives a short name that is not empty and cannot lead to another folder."""
    name = uploads.sanitize_filename(given_name)
    assert 0 < len(name) <= uploads.NAME_LENGTH_MAX
    assert not set(name) & set('/\\\r\n\x00<>:"|?*')
    assert name not in {".", ".."}


async def inspect(name: str, content: bytes) -> AttachedFile | Bilingual:
    """Inspect an upload."""
    return await UploadInspector().inspect(Upload(name=name, content=io.BytesIO(content)))


@pytest.mark.parametrize(
    "given_name, stored_name",
    [
        ("Báo cáo.pdf", "Báo cáo.pdf"),
        ("BÁO CÁO.PDF", "BÁO CÁO.PDF"),
        ("x.html", "x.html.pdf"),
        ("afdp.exe", "afdp.exe.pdf"),
        ("tep", "tep.pdf"),
        ("a.pdf.docx", "a.pdf.docx.pdf"),
    ],
)
async def test_the_suffix_of_a_name_follows_the_content(given_name: str, stored_name: str) -> None:
    """A file is stored under a name by which programs open it as what it is."""
    file = await inspect(given_name, PDF)
    assert isinstance(file, AttachedFile)
    assert (file.name, file.media_type) == (stored_name, "application/pdf")


async def test_a_refused_file_is_named_in_both_languages() -> None:
    """The sentence names the file and says what it is not."""
    refusal = await inspect("x.docx", b"MZ")
    assert isinstance(refusal, Bilingual)
    assert refusal.vi.startswith("tệp “x.docx” nội dung không phải là PDF")
    assert refusal.en == "'x.docx' is no PDF, DOCX, XLSX, ODT, ODS, JPEG or PNG by its content"


async def test_files_are_inspected_in_threads_of_their_own() -> None:
    """While archives that take long are inspected, other work in threads goes on at once."""
    inspector, archive = UploadInspector(), a_zip_of_empty_entries(ENTRIES_MAX)
    running = [
        asyncio.create_task(inspector.inspect(Upload(name="a.docx", content=io.BytesIO(archive)))) for _ in range(12)
    ]
    await asyncio.sleep(0)
    async with asyncio.timeout(2):
        assert await asyncio.to_thread(threading.current_thread) is not threading.main_thread()
    assert not all(one.done() for one in running)
    await asyncio.gather(*running)


async def test_a_stalled_form_is_refused_before_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow form is read; one that sends nothing for `STALL_SECONDS` is refused with 408."""
    monkeypatch.setattr(uploads, "STALL_SECONDS", 0.2)
    pieces = [b"--b\r\ncontent-disposition: form-data; name=a\r\n\r\nx", b"y", b"z", b"\r\n--b--\r\n"]

    def request_of(count: int) -> Request:
        left = pieces[:count]

        async def receive() -> dict[str, Any]:
            await asyncio.sleep(0.1 if left else 10)
            part = left.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(left) or count < len(pieces)}

        headers = [(b"content-type", b"multipart/form-data; boundary=b")]
        return Request({"method": "POST", "path": "/form", "headers": headers}, receive)

    request = request_of(4)
    async with uploads.read_form(request, request.read_chunks(1000), seconds=5) as form:
        assert form.text("a") == "xyz"
    request = request_of(3)
    with pytest.raises(RequestRefusedError) as refused:
        async with uploads.read_form(request, request.read_chunks(1000), seconds=5):
            pass
    assert refused.value.refusal.problem is RequestProblem.TOO_SLOW
