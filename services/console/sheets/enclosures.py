"""The files that a sheet names: beside the sheet, each with its digest, its size and its type by content."""

import hashlib
from pathlib import Path

from schemas.plan.values import Bilingual
from services.intake.core.forms import file_types
from services.intake.core.forms.form_to_event import AttachedFile


def enclosed(folder: Path, name: str) -> AttachedFile | Bilingual:
    """Return the file *name* in *folder*, or why it cannot come along."""
    path = folder / name
    try:
        with path.open("rb") as stream:
            media_type = file_types.media_type_of(stream)
            stream.seek(0)
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            size = stream.tell()
    except OSError:
        return Bilingual.of(
            en=f"there is no file {name!r} beside the sheet",
            vi=f"không tìm thấy tệp “{name}” trong thư mục của phiếu",
        )
    if media_type is None:
        return Bilingual.of(
            en=f"{name!r} is no PDF, DOCX, XLSX, ODT, ODS, JPEG or PNG by its content",
            vi=f"nội dung tệp “{name}” không phải là PDF, DOCX, XLSX, ODT, ODS, JPEG hoặc PNG",
        )
    return AttachedFile(name=path.name, media_type=media_type, size=size, sha256=digest)
