"""Whether an event's data has the shape that its type is published with; every fault by JSON pointer, with the remedy.

The published models judge. This module only turns their errors into findings in both languages.
"""

from decimal import Decimal

from pydantic import ValidationError

from schemas.events.facts import FIGURE_BOUND, MODEL_OF, FactModel
from services.intake.core.problems import FieldError, Said, pointer_of

ERRORS_OF_EVENT_MAX = 50
"""Faults told of one event: more help nobody, and a hostile event may hold a million."""

_VIETNAMESE = {
    "missing": "thiếu trường bắt buộc này",
    "string_type": "phải là chuỗi ký tự",
    "string_too_short": "không được để trống",
    "string_too_long": "quá dài",
    "string_pattern_mismatch": "không đúng định dạng quy định",
    "literal_error": "không thuộc các giá trị cho phép",
    "bool_type": "phải là true hoặc false",
    "int_type": "phải là số nguyên",
    "greater_than_equal": "nhỏ hơn giá trị tối thiểu",
    "finite_number": "phải là số hữu hạn",
    "dict_type": "phải là một đối tượng JSON",
    "model_type": "phải là một đối tượng JSON",
    "model_attributes_type": "phải là một đối tượng JSON",
    "tuple_type": "phải là một danh sách",
    "datetime_from_date_parsing": "phải là thời điểm theo RFC 3339 kèm múi giờ, ví dụ 2026-12-09T23:59:00+07:00",
    "date_from_datetime_parsing": "phải là ngày có thật, ví dụ 2026-12-09",
}
_VIETNAMESE_OF_FIELD = {
    "period": "phải là kỳ báo cáo như 2026, 2026-H1, 2026-Q3 hoặc 2026-07",
    "from_period": "phải là kỳ báo cáo như 2026, 2026-H1, 2026-Q3 hoặc 2026-07",
    "to_period": "phải là kỳ báo cáo như 2026, 2026-H1, 2026-Q3 hoặc 2026-07",
    "issued_on": "phải là ngày như 2026-12-09, không kèm giờ",
    "figures_as_of": "phải là ngày như 2026-12-09, không kèm giờ",
    "sent_at": "phải là thời điểm theo RFC 3339 kèm múi giờ, ví dụ 2026-12-09T23:59:00+07:00",
    "due_at": "phải là thời điểm theo RFC 3339 kèm múi giờ, ví dụ 2026-12-09T23:59:00+07:00",
    "from": "phải là thời điểm theo RFC 3339 kèm múi giờ, ví dụ 2026-12-09T23:59:00+07:00",
    "until": "phải là thời điểm theo RFC 3339 kèm múi giờ, ví dụ 2026-12-09T23:59:00+07:00",
}
_INDICATOR = Said(
    en='must be a number, or a decimal string such as "9984.2" with a point and no thousands sign',
    vi='phải là số, hoặc chuỗi thập phân như "9984.2" dùng dấu chấm và không có dấu phân cách hàng nghìn',
)
_TOO_LARGE = Said(
    en="must be below 10^30 and above -10^30; count in a larger unit",
    vi="phải nhỏ hơn 10^30 và lớn hơn -10^30; hãy tính bằng đơn vị lớn hơn",
)
_NOT_VALID = "giá trị không hợp lệ"
_FIGURES = ("content", "indicators")


def parse_fact(event_type: str, data: object) -> FactModel | tuple[FieldError, ...]:
    """Return the fact that *data* states as *event_type*, one of `MODEL_OF`, or the faults of its shape."""
    try:
        return MODEL_OF[event_type].model_validate(data)
    except ValidationError as error:
        return tuple(_field_errors(error))


def _field_errors(error: ValidationError) -> list[FieldError]:
    found: dict[str, FieldError] = {}
    for fault in error.errors(include_url=False, include_context=False):
        location = fault["loc"]
        if location[:2] == _FIGURES and len(location) > len(_FIGURES):
            # A figure has three accepted writings; three errors about one value say less than one.
            location, said = location[:3], _TOO_LARGE if _is_too_large(fault["input"]) else _INDICATOR
        else:
            said = Said(en=_english(fault["msg"]), vi=_vietnamese(fault["type"], location))
        pointer = pointer_of("data", *location)
        found.setdefault(pointer, FieldError(pointer=pointer, detail=said))
        if len(found) == ERRORS_OF_EVENT_MAX:
            break
    return list(found.values())


def _is_too_large(figure: object) -> bool:
    """Whether *figure*, which was refused, is a number nevertheless: then it is one beyond the bound."""
    if not isinstance(figure, str):
        return isinstance(figure, int | float) and not isinstance(figure, bool)
    try:
        number = Decimal(figure)
        return number.is_finite() and abs(number) >= FIGURE_BOUND
    except ArithmeticError:
        return False  # no number, or one whose exponent alone fills a line


def _english(message: str) -> str:
    text = message.removeprefix("Value error, ")
    return text[:1].lower() + text[1:]


def _vietnamese(kind: str, location: tuple[int | str, ...]) -> str:
    if kind in _VIETNAMESE:
        return _VIETNAMESE[kind]
    field = str(location[-1]) if location else ""
    return _VIETNAMESE_OF_FIELD.get(field, _NOT_VALID)
