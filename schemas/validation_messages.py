"""What is wrong with a field of a request, in both languages, from what pydantic reports of it.

Pydantic's own messages are English, name its classes ("valid tuple") and quote regular expressions. These say what to
write instead. The messages of our own validators are kept: they say so already.
"""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic_core import ErrorDetails

from schemas.plan.values import Bilingual

INSTANT = Bilingual.of(
    en="must be an instant that exists, as RFC 3339 with its offset, for example 2026-12-09T23:59:00+07:00",
    vi="phải là thời điểm có thật theo RFC 3339 kèm múi giờ, ví dụ 2026-12-09T23:59:00+07:00",
)
DAY = Bilingual.of(
    en="must be a day that exists, without a time, for example 2026-12-09",
    vi="phải là ngày có thật, không kèm giờ, ví dụ 2026-12-09",
)
_OBJECT = Bilingual.of(en="must be a JSON object", vi="phải là một đối tượng JSON")
_LIST = Bilingual.of(en="must be a list", vi="phải là một danh sách")
NOT_VALID = "giá trị không hợp lệ"
"""A message of our own validators in Vietnamese, where nothing more is known of the field: they are English."""

_OWN_PREFIX = "Value error, "  # what pydantic puts before the message of a validator of ours
_WHOLE_NUMBER = Bilingual.of(en="must be a whole number", vi="phải là số nguyên")

_MESSAGES = {
    "missing": Bilingual.of(en="is required", vi="thiếu trường bắt buộc này"),
    "extra_forbidden": Bilingual.of(en="is no field here; leave it out", vi="không có trường này; hãy bỏ đi"),
    "string_type": Bilingual.of(en="must be a string", vi="phải là chuỗi ký tự"),
    "string_too_short": Bilingual.of(en="must not be empty", vi="không được để trống"),
    "bool_type": Bilingual.of(en="must be true or false", vi="phải là true hoặc false"),
    "int_type": _WHOLE_NUMBER,
    "int_parsing": _WHOLE_NUMBER,
    "int_from_float": _WHOLE_NUMBER,
    "finite_number": Bilingual.of(en="must be a finite number", vi="phải là số hữu hạn"),
    "dict_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "tuple_type": _LIST,
    "list_type": _LIST,
}

# The regular expressions that the models use, in words.
_PATTERNS = {
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$": Bilingual.of(
        en="must be an id: at most 100 letters without accents, digits, '.', '_' and '-', a letter or digit first",
        vi="phải là mã: tối đa 100 chữ cái không dấu, chữ số, '.', '_' và '-', bắt đầu bằng chữ cái hoặc chữ số",
    ),
    r"^[0-9a-fA-F]{64}$": Bilingual.of(
        en="must be a SHA-256 digest: 64 hexadecimal digits", vi="phải là mã băm SHA-256: 64 chữ số thập lục phân"
    ),
    r"^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+$": Bilingual.of(
        en="must be a media type without parameters, for example application/pdf",
        vi="phải là kiểu nội dung không kèm tham số, ví dụ application/pdf",
    ),
}

_FROM_CONTEXT: Mapping[str, Callable[[Mapping[str, Any]], Bilingual]] = {
    "string_too_long": lambda context: Bilingual.of(
        en=f"must have at most {context['max_length']} characters", vi=f"chỉ được tối đa {context['max_length']} ký tự"
    ),
    "string_pattern_mismatch": lambda context: _PATTERNS.get(
        context["pattern"],
        Bilingual.of(en=f"must match the pattern {context['pattern']}", vi=f"phải đúng định dạng {context['pattern']}"),
    ),
    "literal_error": lambda context: Bilingual.of(
        en=f"must be {context['expected']}", vi=f"phải là {context['expected'].replace(' or ', ' hoặc ')}"
    ),
    "greater_than_equal": lambda context: Bilingual.of(
        en=f"must be at least {context['ge']}", vi=f"phải từ {context['ge']} trở lên"
    ),
    "less_than_equal": lambda context: Bilingual.of(
        en=f"must be at most {context['le']}", vi=f"chỉ được tối đa {context['le']}"
    ),
    "json_invalid": lambda context: Bilingual.of(
        en=f"the body is no JSON: {context['error']}",
        vi=f"nội dung yêu cầu không phải JSON hợp lệ ({context['error']})",
    ),
}


def describe_error(error: ErrorDetails, *, vietnamese: str = NOT_VALID) -> Bilingual:
    """Return the message of *error*, which must have its context.

    That of a validator of ours, and of a type that is not known here, is kept, and is *vietnamese* in Vietnamese.
    """
    kind = error["type"]
    if kind in _MESSAGES:
        return _MESSAGES[kind]
    if kind in _FROM_CONTEXT:
        return _FROM_CONTEXT[kind](error.get("ctx", {}))
    # Both families begin with the same letters: `date_from_datetime_inexact`, `datetime_from_date_parsing`.
    if kind.startswith("datetime"):
        return INSTANT
    if kind.startswith("date"):
        return DAY
    english = error["msg"].removeprefix(_OWN_PREFIX)
    return Bilingual.of(en=english[:1].lower() + english[1:], vi=vietnamese)
