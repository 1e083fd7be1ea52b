"""What intake demands of the attachments of a report beyond the published schema, which cannot become stricter.

An attachment is a claim: intake does not fetch it. What it says must not harm who shows or follows it later, whatever
that program is: a name is a name and no path, and an address leads to a file over TLS or names one.
"""

import re
from collections.abc import Iterator, Sequence

from schemas.events.facts import Attachment
from schemas.plan.values import Bilingual
from schemas.problems import FieldError, pointer_of
from schemas.text.normal_form import UNSEEN_CHARACTERS

NAME_MAX = 255
"""Characters of a name, as in most file systems."""

MEDIA_TYPE_MAX = 255
"""Characters of a media type: 127 on either side of the stroke (RFC 6838 section 4.2)."""

SIZE_MAX = 2**40
"""Bytes of a file, a tebibyte. More than 2^53 would not be read alike everywhere."""

URL_MAX = 2_048
"""Characters of an address, as browsers take them."""

NAME_PATTERN = rf"^(?!\.{{1,2}}$)[^/\\{UNSEEN_CHARACTERS}]+$"

_URL_TEXT = rf"[^ <>\"\\^`{{|}}\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000{UNSEEN_CHARACTERS}]"
_HOST_TEXT = _URL_TEXT.replace("[^", "[^/?#@", 1)
URL_PATTERN = (
    rf"^([Hh][Tt][Tt][Pp][Ss]://{_HOST_TEXT}+([/?#]{_URL_TEXT}*)?"
    rf"|[Uu][Rr][Nn]:[A-Za-z0-9][A-Za-z0-9-]{{1,31}}:{_URL_TEXT}+)$"
)

_NAME = re.compile(NAME_PATTERN)
_URL = re.compile(URL_PATTERN)


def find_errors(attachments: Sequence[Attachment]) -> Iterator[FieldError]:
    """Yield the errors of *attachments*, each with its pointer."""
    for index, one in enumerate(attachments):
        for field, detail in _errors_of(one):
            yield FieldError(pointer=pointer_of("data", "attachments", index, field), detail=detail)


def are_acceptable(*, name: str, media_type: str, size: int, url: str | None) -> bool:
    """Whether an attachment that fits the published schema has no error."""
    return (
        len(name) <= NAME_MAX
        and len(media_type) <= MEDIA_TYPE_MAX
        and size <= SIZE_MAX
        and (url is None or _is_address(url))
        and _NAME.fullmatch(name) is not None
    )


def _errors_of(one: Attachment) -> Iterator[tuple[str, Bilingual]]:
    if len(one.name) > NAME_MAX or not _NAME.fullmatch(one.name):
        yield "name", _WRONG_NAME
    if len(one.media_type) > MEDIA_TYPE_MAX:
        yield "media_type", _WRONG_TYPE
    if one.size > SIZE_MAX:
        yield "size", _WRONG_SIZE
    if one.url is not None and not _is_address(one.url):
        yield "url", _WRONG_URL


def _is_address(url: str) -> bool:
    return len(url) <= URL_MAX and _URL.fullmatch(url) is not None


_WRONG_NAME = Bilingual.of(
    en=f"must be the name of a file without a folder, at most {NAME_MAX} characters, none of them invisible",
    vi=f"phải là tên tệp không kèm thư mục, tối đa {NAME_MAX} ký tự, không có ký tự ẩn",
)
_WRONG_TYPE = Bilingual.of(
    en=f"must have at most {MEDIA_TYPE_MAX} characters", vi=f"chỉ được có tối đa {MEDIA_TYPE_MAX} ký tự"
)
_WRONG_SIZE = Bilingual.of(en=f"must be at most {SIZE_MAX} bytes", vi=f"chỉ được tối đa {SIZE_MAX} byte")
_WRONG_URL = Bilingual.of(
    en=f"must be an address that begins with https:// or urn:, at most {URL_MAX} characters, or null",
    vi=f"phải là địa chỉ bắt đầu bằng https:// hoặc urn:, tối đa {URL_MAX} ký tự, hoặc null",
)
