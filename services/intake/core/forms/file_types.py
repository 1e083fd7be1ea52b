"""Detects the type of a file by its content, because a file's name and declared type prove nothing.

The list is closed: documents, spreadsheets and pictures of documents. Files with macros are not in it.
"""

import hashlib
from collections.abc import Mapping
from typing import BinaryIO

from schemas.plan.values import Bilingual
from services.intake.core.forms import office_files
from services.intake.core.forms.form_to_event import AttachedFile
from services.intake.core.forms.office_files import ActiveContent
from services.intake.core.forms.zip_archive import OversizedArchive, UnreadableArchive, open_archive

SUFFIXES: Mapping[str, tuple[str, ...]] = {
    "application/pdf": (".pdf",),
    "image/jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "image/png": (".png",),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": (".docx",),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": (".xlsx",),
    "application/vnd.oasis.opendocument.text": (".odt",),
    "application/vnd.oasis.opendocument.spreadsheet": (".ods",),
}
"""The types that are taken, and how the names of such files may end. The first is given to a name that has none."""

_HEAD_BYTES = 8
_PIECE_BYTES = 1024 * 1024
_SIGNATURES = {
    b"%PDF-": "application/pdf",
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
}
_ZIP = b"PK\x03\x04"


class RefusedFile(ValueError):  # noqa: N818 - it reads as a claim about the file
    """The file is not taken. `reason` says why and what to do; it goes on from the file's name."""

    def __init__(self, reason: Bilingual) -> None:
        super().__init__(reason.en)
        self.reason = reason

    def name_file(self, name: str) -> Bilingual:
        """Return the whole sentence about the file *name*."""
        return Bilingual.of(vi=f"tệp “{name}” {self.reason.vi}", en=f"{name!r} {self.reason.en}")


def describe_file(name: str, stream: BinaryIO) -> AttachedFile:
    """Return the file in a seekable *stream* by its content, with the suffix of its type; raise `RefusedFile`."""
    media_type = media_type_of(stream)
    digest = hashlib.sha256()
    stream.seek(0)
    while part := stream.read(_PIECE_BYTES):
        digest.update(part)
    size = stream.tell()
    stream.seek(0)
    return AttachedFile(
        name=name_with_suffix(name, media_type), media_type=media_type, size=size, sha256=digest.hexdigest()
    )


def media_type_of(stream: BinaryIO) -> str:
    """Return the media type of the file in a seekable *stream*; raise `RefusedFile`."""
    stream.seek(0)
    head = stream.read(_HEAD_BYTES)
    for signature, media_type in _SIGNATURES.items():
        if head.startswith(signature):
            return media_type
    if head.startswith(_ZIP):
        return _media_type_of_archive(stream)
    raise RefusedFile(_NOT_ON_THE_LIST)


def name_with_suffix(name: str, media_type: str) -> str:
    """Return *name* with a suffix of its type, by which programs open it: `report.exe` that is a PDF gets `.pdf`."""
    suffixes = SUFFIXES[media_type]
    return name if name.lower().endswith(suffixes) else name + suffixes[0]


def _media_type_of_archive(stream: BinaryIO) -> str:
    try:
        with open_archive(stream) as archive:
            active = office_files.find_active_content(archive)
            media_type = office_files.office_type_of(archive)
    except UnreadableArchive as cause:
        raise RefusedFile(_NOT_ON_THE_LIST) from cause
    except OversizedArchive as cause:
        raise RefusedFile(_OVERSIZED) from cause
    if active is not None:
        raise RefusedFile(_ACTIVE[active])
    if media_type is None:
        raise RefusedFile(_NOT_ON_THE_LIST)
    return media_type


_NOT_ON_THE_LIST = Bilingual.of(
    vi="nội dung không phải là PDF, DOCX, XLSX, ODT, ODS, JPEG hoặc PNG",
    en="is no PDF, DOCX, XLSX, ODT, ODS, JPEG or PNG by its content",
)
_OVERSIZED = Bilingual.of(
    vi="gồm quá nhiều phần hoặc quá lớn khi giải nén; hãy lưu lại thành PDF",
    en="has too many parts, or is too large when it is unpacked; save it as PDF",
)
_ACTIVE = {
    ActiveContent.MACROS: Bilingual.of(
        vi="có macro; hãy lưu lại thành DOCX, XLSX hoặc PDF không có macro",
        en="contains macros; save it as DOCX, XLSX or PDF without macros",
    ),
    ActiveContent.EMBEDDED: Bilingual.of(
        vi="có tệp hoặc chương trình nhúng bên trong; hãy bỏ phần nhúng hoặc lưu lại thành PDF",
        en="contains an embedded file or program; take it out, or save the document as PDF",
    ),
    ActiveContent.EXTERNAL: Bilingual.of(
        vi="tải mẫu hoặc hình từ nơi khác; hãy lưu lại thành PDF hoặc chèn hình vào tệp",
        en="loads a template or a picture from elsewhere; save it as PDF, or put the picture into the file",
    ),
}
