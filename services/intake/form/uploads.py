"""Reads a posted form as a stream, within limits: text fields in memory, larger files in temporary files on disk.

Reading a body that is too large ends at the first byte beyond the limit.
"""

import asyncio
import hashlib
import re
import unicodedata
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import BinaryIO

from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from schemas.plan.values import Bilingual
from services.intake.asgi import Request, RequestRefusedError, too_slow_refusal
from services.intake.core.forms import file_types
from services.intake.core.forms.form_to_event import AttachedFile
from services.intake.core.problems import Refusal, RequestProblem
from services.intake.form import texts

FIELDS_MAX = 100
FILES_MAX = 20

# Bytes of one text field: an event of this size would be refused anyway.
FIELD_BYTES_MAX = 1024 * 1024

# A phone that changes cells is back long before; a client that sends nothing for so long loses its slot.
STALL_SECONDS = 30.0

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
async def read_form(request: Request, limit: int, *, seconds: float) -> AsyncIterator[PostedForm]:
    """Yield the posted form, of at most *limit* bytes, read within *seconds*; its files are deleted afterwards.

    Raises `RequestRefusedError` if it is too large, too slow or not a form.
    """
    media_type = (request.header(b"content-type") or "").partition(";")[0].strip().lower()
    if media_type != FORM_TYPE:
        raise RequestRefusedError(_UNREADABLE_FORM)
    parser = MultiPartParser(
        Headers(raw=list(request.headers)),
        _with_stall_timeout(request.read_chunks(limit)),
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
    base = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    clean = _UNSAFE.sub("_", "".join(one for one in base if unicodedata.category(one) != "Cf")).strip(" .")
    stem, dot, suffix = clean.rpartition(".")
    if len(clean) <= NAME_LENGTH_MAX:
        return clean or "tep"
    return stem[: NAME_LENGTH_MAX - len(suffix) - 1] + dot + suffix if len(suffix) < NAME_LENGTH_MAX // 2 else "tep"


async def inspect_upload(upload: Upload) -> AttachedFile | Bilingual:
    """Return the file with its digest, size and type by content; or a sentence saying why it is refused."""
    return await asyncio.to_thread(_inspect, upload)


def _inspect(upload: Upload) -> AttachedFile | Bilingual:
    media_type = file_types.media_type_of(upload.content)
    if media_type is None:
        return Bilingual.of(
            vi=f"nội dung tệp “{upload.name}” không phải là PDF, DOCX, XLSX, ODT, ODS, JPEG hoặc PNG",
            en=f"{upload.name!r} is no PDF, DOCX, XLSX, ODT, ODS, JPEG or PNG by its content",
        )
    digest = hashlib.sha256()
    upload.content.seek(0)
    while part := upload.content.read(1024 * 1024):
        digest.update(part)
    size = upload.content.tell()
    upload.content.seek(0)
    return AttachedFile(name=upload.name, media_type=media_type, size=size, sha256=digest.hexdigest())


_UNREADABLE_FORM = Refusal(
    problem=RequestProblem.UNREADABLE,
    detail=texts.UNREADABLE,
)
