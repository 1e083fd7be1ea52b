"""The text of a cell, whatever its encoding was: converted to Unicode, in NFC, or marked as damaged."""

from schemas.plan.values import Bilingual
from schemas.text import legacy_encodings, normal_form
from services.console.tables.table import InputCell


def read_text(written: str) -> InputCell:
    """Return the cell with the text *written*."""
    if len(written) > _LENGTH_MAX:
        return InputCell(fault=_TOO_LONG)
    # First the encoding: a letter of TCVN3 is a soft hyphen, which would be dropped as one that is not seen.
    text = normal_form.repair_text(legacy_encodings.convert(written))
    return InputCell(value=text, fault=_LOST if legacy_encodings.has_lost_letters(text) else None)


_LENGTH_MAX = 32_767
"""Characters of a cell, as in every spreadsheet program."""

_TOO_LONG = Bilingual.of(
    en=f"the text is too long for a cell: at most {_LENGTH_MAX:,} characters",
    vi="nội dung quá dài so với một ô: tối đa 32.767 ký tự",
)
_LOST = Bilingual.of(
    en="letters were lost when this was saved (a question mark stands for each); "
    "write it anew and save the file as .xlsx, or as CSV in UTF-8",
    vi="chữ trong ô này đã bị mất dấu khi lưu (thay bằng dấu hỏi); hãy ghi lại và lưu tệp dạng .xlsx hoặc CSV mã UTF-8",
)
