"""Refusals as values: the problem types of the HTTP contract, and the findings that name the pointer and the remedy.

Every sentence exists in English and Vietnamese side by side. Nothing here knows how a refusal travels.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Literal

Language = Literal["en", "vi"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One sentence in both languages."""

    en: str
    vi: str

    def in_language(self, language: Language) -> str:
        return self.vi if language == "vi" else self.en


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A problem type: its stable name, its status, its title."""

    slug: str
    status: int
    title: Said


class Problem(Enum):
    """Every way a request can be refused."""

    UNREADABLE = Kind(
        slug="unreadable",
        status=400,
        title=Said(en="The request cannot be read as CloudEvents", vi="Không đọc được yêu cầu theo chuẩn CloudEvents"),
    )
    NOT_HTTP = Kind(
        slug="not-http",
        status=400,
        title=Said(en="The request is not HTTP/1.1", vi="Yêu cầu không đúng giao thức HTTP/1.1"),
    )
    UNAUTHENTICATED = Kind(
        slug="unauthenticated",
        status=401,
        title=Said(en="A valid key is required", vi="Cần có khóa truy cập hợp lệ"),
    )
    FORBIDDEN = Kind(
        slug="forbidden",
        status=403,
        title=Said(en="The key does not cover this", vi="Khóa truy cập không được phép thực hiện việc này"),
    )
    NOT_FOUND = Kind(
        slug="not-found",
        status=404,
        title=Said(en="There is nothing at this address", vi="Không có nội dung tại địa chỉ này"),
    )
    METHOD_NOT_ALLOWED = Kind(
        slug="method-not-allowed",
        status=405,
        title=Said(en="This address does not take that method", vi="Địa chỉ này không nhận phương thức đó"),
    )
    TOO_SLOW = Kind(
        slug="too-slow",
        status=408,
        title=Said(en="The request did not arrive in time", vi="Yêu cầu không đến đủ trong thời gian cho phép"),
    )
    CONFLICT = Kind(
        slug="conflict",
        status=409,
        title=Said(en="This identity already stands for other content", vi="Mã sự kiện đã được dùng cho nội dung khác"),
    )
    TOO_LARGE = Kind(
        slug="too-large",
        status=413,
        title=Said(en="The request is too large", vi="Yêu cầu quá lớn"),
    )
    UNSUPPORTED_MEDIA_TYPE = Kind(
        slug="unsupported-media-type",
        status=415,
        title=Said(en="This content type is not taken here", vi="Không nhận kiểu nội dung này"),
    )
    INVALID = Kind(
        slug="invalid-event",
        status=422,
        title=Said(en="The event is not valid", vi="Sự kiện không hợp lệ"),
    )
    TOO_MANY_REQUESTS = Kind(
        slug="too-many-requests",
        status=429,
        title=Said(en="The key has used up its rate", vi="Khóa truy cập đã vượt quá tần suất cho phép"),
    )
    HEAD_TOO_LARGE = Kind(
        slug="head-too-large",
        status=431,
        title=Said(
            en="The request line and the headers are too large", vi="Dòng yêu cầu và các trường tiêu đề quá lớn"
        ),
    )
    INTERNAL = Kind(
        slug="internal",
        status=500,
        title=Said(
            en="Intake failed; nothing was recorded", vi="Hệ thống tiếp nhận gặp lỗi; chưa ghi nhận nội dung nào"
        ),
    )
    UNAVAILABLE = Kind(
        slug="unavailable",
        status=503,
        title=Said(
            en="Intake cannot take this now; nothing was recorded",
            vi="Hiện chưa tiếp nhận được; chưa ghi nhận nội dung nào",
        ),
    )


UNHEARD = frozenset({Problem.NOT_HTTP, Problem.HEAD_TOO_LARGE})
"""What the connection answers before anybody hears of the request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fault: where it stands (JSON pointer into the event, or into the batch) and what to do about it."""

    pointer: str
    detail: Said

    def within(self, prefix: str) -> "Finding":
        """Return the same fault seen from the document that holds the event at *prefix*."""
        return Finding(pointer=prefix + self.pointer, detail=self.detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A refused request: its problem, the sentence about this occurrence, the faults found; and what would do."""

    problem: Problem
    detail: Said
    findings: tuple[Finding, ...] = ()
    retry_after_seconds: int | None = None
    media_types_taken: tuple[str, ...] = ()
    codings_taken: tuple[str, ...] = ()


def pointer_of(*tokens: str | int) -> str:
    """Return the JSON pointer (RFC 6901) of *tokens*."""
    return "".join("/" + str(token).replace("~", "~0").replace("/", "~1") for token in tokens)
