"""Refusals as values: the problem types of the HTTP contract, and the errors that name the field and the remedy.

Every sentence exists in English and Vietnamese. `asgi` turns a refusal into an HTTP response.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum

from schemas.plan.values import Bilingual
from schemas.problems import FieldError, ProblemType


class RequestProblem(Enum):
    """Every problem for which a request can be refused."""

    UNREADABLE = ProblemType(
        slug="unreadable",
        status=400,
        title=Bilingual.of(
            en="The request cannot be read as CloudEvents", vi="Không đọc được yêu cầu theo chuẩn CloudEvents"
        ),
    )
    NOT_HTTP = ProblemType(
        slug="not-http",
        status=400,
        title=Bilingual.of(en="The request is not HTTP/1.1", vi="Yêu cầu không đúng giao thức HTTP/1.1"),
    )
    UNAUTHENTICATED = ProblemType(
        slug="unauthenticated",
        status=401,
        title=Bilingual.of(en="A valid key is required", vi="Cần có khóa truy cập hợp lệ"),
    )
    FORBIDDEN = ProblemType(
        slug="forbidden",
        status=403,
        title=Bilingual.of(en="The key does not cover this", vi="Khóa truy cập không được phép thực hiện việc này"),
    )
    NOT_FOUND = ProblemType(
        slug="not-found",
        status=404,
        title=Bilingual.of(en="There is nothing at this address", vi="Không có nội dung tại địa chỉ này"),
    )
    METHOD_NOT_ALLOWED = ProblemType(
        slug="method-not-allowed",
        status=405,
        title=Bilingual.of(en="This address does not take that method", vi="Địa chỉ này không nhận phương thức đó"),
    )
    TOO_SLOW = ProblemType(
        slug="too-slow",
        status=408,
        title=Bilingual.of(en="The request did not arrive in time", vi="Yêu cầu không đến đủ trong thời gian cho phép"),
    )
    CONFLICT = ProblemType(
        slug="conflict",
        status=409,
        title=Bilingual.of(
            en="This identity already stands for other content", vi="Mã sự kiện đã được dùng cho nội dung khác"
        ),
    )
    TOO_LARGE = ProblemType(
        slug="too-large",
        status=413,
        title=Bilingual.of(en="The request is too large", vi="Yêu cầu quá lớn"),
    )
    UNSUPPORTED_MEDIA_TYPE = ProblemType(
        slug="unsupported-media-type",
        status=415,
        title=Bilingual.of(en="This content type is not taken here", vi="Không nhận kiểu nội dung này"),
    )
    INVALID = ProblemType(
        slug="invalid-event",
        status=422,
        title=Bilingual.of(en="The event is not valid", vi="Sự kiện không hợp lệ"),
    )
    TOO_MANY_REQUESTS = ProblemType(
        slug="too-many-requests",
        status=429,
        title=Bilingual.of(en="The key has used up its rate", vi="Khóa truy cập đã vượt quá tần suất cho phép"),
    )
    HEAD_TOO_LARGE = ProblemType(
        slug="head-too-large",
        status=431,
        title=Bilingual.of(
            en="The request line and the headers are too large", vi="Dòng yêu cầu và các trường tiêu đề quá lớn"
        ),
    )
    INTERNAL = ProblemType(
        slug="internal",
        status=500,
        title=Bilingual.of(
            en="Intake failed; nothing was recorded", vi="Hệ thống tiếp nhận gặp lỗi; chưa ghi nhận nội dung nào"
        ),
    )
    UNAVAILABLE = ProblemType(
        slug="unavailable",
        status=503,
        title=Bilingual.of(
            en="Intake cannot take this now; nothing was recorded",
            vi="Hiện chưa tiếp nhận được; chưa ghi nhận nội dung nào",
        ),
    )


# Problems that the HTTP connection answers by itself, before the request reaches the router.
CONNECTION_PROBLEMS = frozenset({RequestProblem.NOT_HTTP, RequestProblem.HEAD_TOO_LARGE})


class AuthenticationFailure(StrEnum):
    """Why a request is not authenticated. The value is the label of a metric; the client is told less."""

    NO_KEY = "no_key"
    UNKNOWN_KEY = "unknown_key"
    WRONG_SECRET = "wrong_secret"  # noqa: S105 - the name of a failure
    NOT_IN_FORCE = "not_in_force"  # expired or revoked


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A refused request: its problem, a sentence about this occurrence, the errors found, and what is accepted."""

    problem: RequestProblem
    detail: Bilingual
    errors: tuple[FieldError, ...] = ()
    retry_after_seconds: int | None = None
    accepted_media_types: tuple[str, ...] = ()
    accepted_codings: tuple[str, ...] = ()
