"""Validates an event's data against the published model of its type; each error has its JSON pointer and the remedy.

The published pydantic models decide. This module only translates their errors into both languages.
"""

from collections.abc import Iterator
from decimal import Decimal
from itertools import islice

from pydantic import ValidationError

from schemas import validation_messages
from schemas.events.facts import FIGURE_BOUND, MODEL_OF, SUBMITTED, FactModel, ReportSubmitted
from schemas.plan import periods
from schemas.plan.values import Bilingual
from schemas.problems import FieldError, pointer_of
from services.intake.core import attachment_rules

# Errors reported of one event: more do not help anybody, and a hostile event may have a million.
ERRORS_OF_EVENT_MAX = 50

ITEMS_MAX = 500
"""Sections, indicators or attachments of one report: no plan asks for a tenth of that."""

# What is right for a field, where a validator of ours says in English what is wrong with it.
_VIETNAMESE_OF_FIELD = {
    **dict.fromkeys(("period", "from_period", "to_period"), f"phải là kỳ báo cáo như {periods.FORMS_VI}"),
    **dict.fromkeys(("issued_on", "figures_as_of"), validation_messages.DAY.vi),
    **dict.fromkeys(("sent_at", "due_at", "from", "until", "respond_by"), validation_messages.INSTANT.vi),
}
_INDICATOR = Bilingual.of(
    en='must be a number, or a decimal string such as "9984.2" with a point and no thousands sign',
    vi='phải là số, hoặc chuỗi thập phân như "9984.2" dùng dấu chấm và không có dấu phân cách hàng nghìn',
)
_TOO_LARGE = Bilingual.of(
    en="must be below 10^30 and above -10^30; count in a larger unit",
    vi="phải nhỏ hơn 10^30 và lớn hơn -10^30; hãy tính bằng đơn vị lớn hơn",
)
_NO_DATA = Bilingual.of(
    en="the event has no data; in binary mode the body of the request is the data, and it is empty",
    vi="sự kiện không có phần data; ở chế độ nhị phân, nội dung yêu cầu chính là data và đang để trống",
)
_FIGURES = ("content", "indicators")


def parse_fact(event_type: str, data: object) -> FactModel | tuple[FieldError, ...]:
    """Return the fact that *data* holds as *event_type* (one of `MODEL_OF`), or the errors of its shape."""
    if data is None:
        return (FieldError(pointer=pointer_of("data"), detail=_NO_DATA),)
    # The published schemas of version 1 have no such bounds, and a version must not become stricter. So the bounds are
    # intake's own. Of a report that breaks one, nothing else is validated: it may have a hundred thousand errors.
    if event_type == SUBMITTED and (excess := tuple(_excess_errors(data))):
        return excess
    try:
        fact = MODEL_OF[event_type].model_validate(data)
    except ValidationError as error:
        return tuple(_field_errors(error))
    if isinstance(fact, ReportSubmitted):
        errors = islice(attachment_rules.find_errors(fact.attachments), ERRORS_OF_EVENT_MAX)
        return tuple(errors) or fact
    return fact


def _excess_errors(data: object) -> Iterator[FieldError]:
    """Yield an error for each collection of a report with more than `ITEMS_MAX` members."""
    report = data if isinstance(data, dict) else {}
    content = report.get("content")
    content = content if isinstance(content, dict) else {}
    collections = {
        ("content", "sections"): content.get("sections"),
        ("content", "indicators"): content.get("indicators"),
        ("content", "parts"): content.get("parts"),
        ("attachments",): report.get("attachments"),
    }
    for path, items in collections.items():
        if isinstance(items, dict | list) and len(items) > ITEMS_MAX:
            yield FieldError(pointer=pointer_of("data", *path), detail=_too_many(len(items)))


def _too_many(count: int) -> Bilingual:
    return Bilingual.of(en=f"has {count} entries; at most {ITEMS_MAX}", vi=f"có {count} mục; tối đa {ITEMS_MAX} mục")


def _field_errors(error: ValidationError) -> list[FieldError]:
    found: dict[str, FieldError] = {}
    for one in error.errors(include_url=False):
        location = one["loc"]
        if location[:2] == _FIGURES and len(location) > len(_FIGURES):
            # A figure may be an integer, a float or a string: pydantic reports one error for each. We report one.
            location, detail = location[:3], _TOO_LARGE if _is_too_large(one["input"]) else _INDICATOR
        else:
            field = str(location[-1]) if location else ""
            vietnamese = _VIETNAMESE_OF_FIELD.get(field, validation_messages.NOT_VALID)
            detail = validation_messages.describe_error(one, vietnamese=vietnamese)
        pointer = pointer_of("data", *location)
        found.setdefault(pointer, FieldError(pointer=pointer, detail=detail))
        # Counted after errors at the same place are merged, so that the limit is one of places and not of attempts.
        if len(found) == ERRORS_OF_EVENT_MAX:
            break
    return list(found.values())


def _is_too_large(figure: object) -> bool:
    """Whether the refused *figure* is a number: a number is refused only because it is too large."""
    if not isinstance(figure, str):
        return isinstance(figure, int | float) and not isinstance(figure, bool)
    try:
        number = Decimal(figure)
        return number.is_finite() and abs(number) >= FIGURE_BOUND
    except ArithmeticError:
        return False  # not a number, or one with an exponent beyond what Decimal computes
