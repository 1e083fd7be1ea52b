"""Reading posted forms: file names, and clients that stall."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.asgi import Request, RequestRefusedError
from services.intake.core.problems import RequestProblem
from services.intake.form import uploads


@pytest.mark.parametrize(
    "given_name,name",
    [
        ("Báo cáo năm 2026.pdf", "Báo cáo năm 2026.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\a\\b.pdf", "b.pdf"),
        ("a\r\nb\x00.pdf", "a_b_.pdf"),
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

    async with uploads.read_form(request_of(4), 1000, seconds=5) as form:
        assert form.text("a") == "xyz"
    with pytest.raises(RequestRefusedError) as refused:
        async with uploads.read_form(request_of(3), 1000, seconds=5):
            pass
    assert refused.value.refusal.problem is RequestProblem.TOO_SLOW
