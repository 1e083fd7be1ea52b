"""A received CloudEvents 1.0 event, and the rules of the specification for its attributes.

Knows the specification; knows nothing of what our event types mean.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from msgspec import Struct

from schemas.plan.values import Bilingual
from schemas.problems import FieldError, pointer_of
from services.intake.core import uris

REQUIRED_ATTRIBUTES = ("specversion", "id", "source", "type")

# Extension attributes that only intake sets: what a sender writes there is dropped.
RESERVED_ATTRIBUTES = frozenset({"receivedtime", "receiptid", "recordedtime", "dispatchproof"})

# Events of one request in batched mode.
BATCH_EVENTS_MAX = 1_000

# Characters of an attribute's value. The identities of recent events are held in memory and must stay small.
TEXT_MAX = 1024

_NAME = re.compile(r"[a-z0-9]+")

# Characters that an attribute must not hold, as part of a regular expression's class.
#
# These are the control characters and the noncharacters of every Unicode plane (CloudEvents 1.0, type system).
FORBIDDEN_CHARACTERS = "\x00-\x1f\x7f-\x9f\ufdd0-\ufdef" + "".join(
    f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000)
)

_FORBIDDEN = re.compile(f"[{FORBIDDEN_CHARACTERS}\ud800-\udfff]")
_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)", re.ASCII)
_JSON_MEDIA_TYPE = re.compile(r"application/json *(;.*)?", re.ASCII | re.IGNORECASE)

# The range of an integer in CloudEvents: signed 32 bits.
INTEGER_MIN, INTEGER_MAX = -(2**31), 2**31 - 1

_TEXT_ATTRIBUTES = frozenset({*REQUIRED_ATTRIBUTES, "subject", "time", "datacontenttype", "dataschema"})


class CloudEvent(Struct, frozen=True, kw_only=True):
    """A valid CloudEvent: its context attributes, without absent and reserved ones, and its data.

    `raw_data` is the data as the sender wrote it, `content` the event in canonical form (`canonical_json`), and
    `sha256` the digest of the bytes received.
    """

    attributes: Mapping[str, object]
    raw_data: bytes
    content: bytes
    sha256: str

    @property
    def type(self) -> str:
        return str(self.attributes["type"])

    @property
    def source(self) -> str:
        return str(self.attributes["source"])

    @property
    def id(self) -> str:
        return str(self.attributes["id"])

    @property
    def subject(self) -> str | None:
        subject = self.attributes.get("subject")
        return None if subject is None else str(subject)


def attribute_errors(attributes: Mapping[str, object]) -> Iterator[FieldError]:
    """Yield every error of *attributes* by the rules of CloudEvents 1.0."""
    for name in REQUIRED_ATTRIBUTES:
        if name not in attributes:
            yield _error(name, "is required", "là thuộc tính bắt buộc")
    for name, value in attributes.items():
        yield from _attribute_errors(name, value)
    if attributes.get("specversion", "1.0") != "1.0":
        yield _error("specversion", 'must be "1.0"', 'phải là "1.0"')
    if _JSON_MEDIA_TYPE.fullmatch(str(attributes.get("datacontenttype", "application/json"))) is None:
        yield _error("datacontenttype", "must be application/json", "phải là application/json")
    if "time" in attributes and not is_instant(str(attributes["time"])):
        yield _error(
            "time",
            "must be an RFC 3339 instant with its offset, for example 2026-12-09T23:59:00+07:00",
            "phải là thời điểm theo RFC 3339 kèm múi giờ, ví dụ 2026-12-09T23:59:00+07:00",
        )


def _attribute_errors(name: str, value: object) -> Iterator[FieldError]:
    if _NAME.fullmatch(name) is None:
        yield _error(
            name, "is no attribute name; use a-z and 0-9", "không phải tên thuộc tính hợp lệ; chỉ dùng a-z và 0-9"
        )
    match value:
        case str():
            yield from _text_errors(name, value)
        case bool() if name not in _TEXT_ATTRIBUTES:
            pass
        case int() if name not in _TEXT_ATTRIBUTES:
            if not INTEGER_MIN <= value <= INTEGER_MAX:
                yield _error(
                    name,
                    "must fit 32 bits; write larger numbers as a string",
                    "vượt quá 32 bit; hãy viết số lớn dưới dạng chuỗi",
                )
        case _ if name in _TEXT_ATTRIBUTES:
            yield _error(name, "must be a string", "phải là chuỗi ký tự")
        case _:
            yield _error(
                name, "must be a string, an integer or a boolean", "phải là chuỗi, số nguyên hoặc giá trị đúng/sai"
            )


def _text_errors(name: str, value: str) -> Iterator[FieldError]:
    if value == "":
        if name in _TEXT_ATTRIBUTES:
            yield _error(name, "must not be empty", "không được để trống")
        return
    if len(value) > TEXT_MAX:
        yield _error(name, f"must not exceed {TEXT_MAX} characters", f"không được dài quá {TEXT_MAX} ký tự")
    if _FORBIDDEN.search(value) is not None:
        yield _error(name, "holds a control character", "chứa ký tự điều khiển")
    elif name == "source" and not uris.is_reference(value):
        yield _error(
            name,
            "must be a URI-reference (RFC 3986), for example urn:x or qlvb.h-mot; percent-encode what else it holds",
            "phải là tham chiếu URI (RFC 3986), ví dụ urn:x hoặc qlvb.h-mot; các ký tự khác phải mã hóa dạng %XX",
        )
    elif name == "dataschema" and not uris.is_absolute(value):
        yield _error(
            name,
            "must be an absolute URI without a fragment (RFC 3986 section 4.3)",
            "phải là URI tuyệt đối, không có phần sau dấu # (RFC 3986 mục 4.3)",
        )


def is_instant(text: str) -> bool:
    """Whether *text* is an RFC 3339 instant with its offset."""
    if _RFC3339.fullmatch(text) is None:
        return False
    try:
        datetime.fromisoformat(text.upper())
    except ValueError:
        return False
    return True


def _error(name: str, en: str, vi: str) -> FieldError:
    return FieldError(pointer=pointer_of(name), detail=Bilingual.of(en=f"{name} {en}", vi=f"{name} {vi}"))
