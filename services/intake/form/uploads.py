"""Reads a posted form as a stream, within limits: text fields in memory, larger files in temporary files on disk.

Reading a body that is too large ends at the first byte beyond the limit.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import BinaryIO

from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from schemas.plan.values import Bilingual
from schemas.text import normal_form
from services.intake.asgi import Request, RequestRefusedError, too_slow_refusal
from services.intake.core.forms import file_types
from services.intake.core.forms.file_types import RefusedFile
from services.intake.core.forms.form_to_event import AttachedFile
from services.intake.core.problems import Refusal, RequestProblem
from services.intake.form import texts

FIELDS_MAX = 100
FILES_MAX = 20

# Bytes of one text field: an event of this size would be refused anyway.
FIELD_BYTES_MAX = 1024 * 1024

# A phone that changes cells is back long before; a client that sends nothing for so long loses its slot.
STALL_SECONDS = 30.0

# Files that are inspected at the same time; the next one waits. It is processor time that Python does not share.
INSPECTIONS_MAX = 2

NAME_LENGTH_MAX = 120
FORM_TYPE = "multipart/form-data"
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]+')


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """An uploaded file: its sanitized name, and its content in a temporary file that is deleted after the request."""

    name: str
    content: BinaryIO


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedForm:
    """A posted form. A repeated field has several values."""

    fields: Mapping[str, tuple[str, ...]]
    files: tuple[Upload, ...]

    def text(self, name: str) -> str:
        return self.fields.get(name, ("",))[-1]


@asynccontextmanager
async def read_form(request: Request, chunks: AsyncIterator[bytes], *, seconds: float) -> AsyncIterator[PostedForm]:
    """Yield the posted form, whose body arrives in *chunks* within *seconds*; its files are deleted afterwards.

    Raises `RequestRefusedError` if it is too large, too slow or not a form.
    """
    media_type = (request.header(b"content-type") or "").partition(";")[0].strip().lower()
    if media_type != FORM_TYPE:
        raise RequestRefusedError(_UNREADABLE_FORM)
    parser = MultiPartParser(
        Headers(raw=list(request.headers)),
        _with_stall_timeout(chunks),
        max_files=FILES_MAX,
        max_fields=FIELDS_MAX,
        max_part_size=FIELD_BYTES_MAX,
    )
    try:
        # Two limits: `STALL_SECONDS` for silence, and this one for a client that sends a byte now and then.
        async with asyncio.timeout(seconds):
            form = await parser.parse()
    except TimeoutError as cause:
        raise RequestRefusedError(too_slow_refusal(seconds)) from cause
    except (MultiPartException, KeyError, UnicodeDecodeError) as cause:
        raise RequestRefusedError(_UNREADABLE_FORM) from cause
    try:
        yield _collect_parts(form)
    finally:
        await form.close()


async def reserve_arriving(chunks: AsyncIterator[bytes], reserve: Callable[[int], None]) -> AsyncIterator[bytes]:
    """Yield *chunks*, each of which is reserved first.

    What has not arrived takes no memory, so that a client that announces much and stalls keeps nobody out.
    """
    async for chunk in chunks:
        reserve(len(chunk))
        yield chunk


async def _with_stall_timeout(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Yield *chunks*; refuse the request if the next one does not arrive within `STALL_SECONDS`."""
    while True:
        try:
            async with asyncio.timeout(STALL_SECONDS):
                chunk = await anext(chunks)
        except StopAsyncIteration:
            return
        except TimeoutError as cause:
            raise RequestRefusedError(too_slow_refusal(STALL_SECONDS)) from cause
        yield chunk


def _collect_parts(form: FormData) -> PostedForm:
    fields: dict[str, tuple[str, ...]] = {}
    files = []
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            if value.filename and value.size:
                files.append(Upload(name=sanitize_filename(value.filename), content=value.file))
        else:
            # Browsers send every line break of a text field as CRLF (WHATWG HTML, multipart/form-data encoding).
            fields[name] = (*fields.get(name, ()), value.replace("\r\n", "\n"))
    return PostedForm(fields=fields, files=tuple(files))


def sanitize_filename(name: str) -> str:
    """Return a file's name as it may be shown and stored: no folder, no control or format characters, not too long."""
    # macOS sends names in decomposed form (NFD), in which Vietnamese letters are two or three characters. Old browsers
    # send the path as well. Format characters (Cf) could reverse the text and hide the true suffix.
    base = normal_form.repair_text(name).replace("\\", "/").rpartition("/")[2]
    clean = _UNSAFE.sub("_", base).strip(" .")
    stem, dot, suffix = clean.rpartition(".")
    if len(clean) <= NAME_LENGTH_MAX:
        return clean or "tep"
    return stem[: NAME_LENGTH_MAX - len(suffix) - 1] + dot + suffix if len(suffix) < NAME_LENGTH_MAX // 2 else "tep"


class UploadInspector:
    """Inspects uploads in threads of its own, so that files that take long hold up nothing but other files."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(max_workers=INSPECTIONS_MAX, thread_name_prefix="inspection")

    async def inspect(self, upload: Upload) -> AttachedFile | Bilingual:
        """Return the file with its digest, size and type by content; or a sentence saying why it is refused."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, _inspect, upload)


def _inspect(upload: Upload) -> AttachedFile | Bilingual:
    try:
        return file_types.describe_file(upload.name, upload.content)
    except RefusedFile as refusal:
        return refusal.name_file(upload.name)


_UNREADABLE_FORM = Refusal(
    problem=RequestProblem.UNREADABLE,
    detail=texts.UNREADABLE,
)
