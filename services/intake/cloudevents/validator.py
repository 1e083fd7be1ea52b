"""The desk where events are examined: well formed, covered by the key, of the published shape, true of the plan.

A batch passes whole or is refused whole, with every fault it has.
"""

from collections.abc import Iterator, Mapping

import msgspec
from msgspec import Struct

from schemas.events.facts import MODEL_OF
from services.intake.asgi import RequestRefusedError
from services.intake.cloudevents import schema_errors
from services.intake.cloudevents.http_binding import ReceivedEvent, MalformedEvent
from services.intake.core import admission
from services.intake.core.admission import Admission, PublishedPlanSource, OutOfScope, InvalidEvent
from services.intake.core.cloud_event import CloudEvent
from services.intake.core.duty_reference import duty_reference_of
from services.intake.core.problems import FieldError, RequestProblem, Refusal, Said
from services.intake.core.scopes import DECISION_TYPES, KeyScope

ERRORS_OF_REQUEST_MAX = 100
"""Faults told of one request."""


class AcceptedEvent(Struct, frozen=True, kw_only=True):
    """An event that may enter the log."""

    event: CloudEvent
    admission: Admission


ValidationResult = AcceptedEvent | OutOfScope | InvalidEvent


class EventValidator:
    """Examines events against the published plans."""

    def __init__(self, library: PublishedPlanSource) -> None:
        self._library = library

    def examine(self, arrived: Mapping[int, ReceivedEvent], scope: KeyScope, *, is_batch: bool) -> tuple[AcceptedEvent, ...]:
        """Return the events by their places, all of them good; raise with 403 or 422 and what is wrong with any."""
        examined = {place: self._examine_one(one, scope) for place, one in arrived.items()}
        accepted = tuple(one for one in examined.values() if isinstance(one, AcceptedEvent))
        if len(accepted) == len(examined):
            return accepted
        out_of_scope = tuple(_errors_of(examined, OutOfScope, is_batch=is_batch))
        if out_of_scope:
            raise RequestRefusedError(_forbidden_refusal(out_of_scope))
        raise RequestRefusedError(_invalid_refusal(tuple(_errors_of(examined, InvalidEvent, is_batch=is_batch))))

    def _examine_one(self, arrived: ReceivedEvent, scope: KeyScope) -> ValidationResult:
        if isinstance(arrived, MalformedEvent):
            return InvalidEvent(errors=(*arrived.errors, *_data_errors(arrived)))
        if arrived.type not in MODEL_OF:
            return InvalidEvent(errors=(_unknown_type(arrived.type),))
        if not scope.covers_type(arrived.type):
            return OutOfScope(error=_type_out_of_scope(arrived.type))
        fact = schema_errors.parse_fact(arrived.type, msgspec.json.decode(arrived.raw_data))
        if isinstance(fact, tuple):
            return InvalidEvent(errors=fact)
        verdict = admission.admit(duty_reference_of(fact), arrived.subject, library=self._library, scope=scope)
        return AcceptedEvent(event=arrived, admission=verdict) if isinstance(verdict, Admission) else verdict


def _data_errors(faulty: MalformedEvent) -> tuple[FieldError, ...]:
    """Return what is wrong with the data besides, so that nobody learns of one fault after the other."""
    if faulty.type not in MODEL_OF:
        return ()
    fact = schema_errors.parse_fact(faulty.type, msgspec.json.decode(faulty.raw_data))
    return fact if isinstance(fact, tuple) else ()


def _errors_of(
    examined: Mapping[int, ValidationResult], kind: type[OutOfScope] | type[InvalidEvent], *, is_batch: bool
) -> Iterator[FieldError]:
    for place, one in examined.items():
        prefix = f"/{place}" if is_batch else ""
        match one:
            case OutOfScope(error=error) if kind is OutOfScope:
                yield error.with_prefix(prefix)
            case InvalidEvent(errors=errors) if kind is InvalidEvent:
                yield from (error.with_prefix(prefix) for error in errors)
            case _:
                pass


def _forbidden_refusal(errors: tuple[FieldError, ...]) -> Refusal:
    return Refusal(
        problem=RequestProblem.FORBIDDEN,
        detail=Said(en="ask for a key whose scope covers it", vi="hãy đề nghị cấp khóa có phạm vi phù hợp"),
        errors=errors[:ERRORS_OF_REQUEST_MAX],
    )


def _invalid_refusal(errors: tuple[FieldError, ...]) -> Refusal:
    return Refusal(
        problem=RequestProblem.INVALID,
        detail=Said(
            en="nothing was recorded; correct what `errors` names and send it again",
            vi="chưa ghi nhận nội dung nào; hãy sửa các lỗi nêu trong `errors` rồi gửi lại",
        ),
        errors=errors[:ERRORS_OF_REQUEST_MAX],
    )


def _unknown_type(event_type: str) -> FieldError:
    known = ", ".join(sorted(MODEL_OF))
    return FieldError(
        pointer="/type",
        detail=Said(
            en=f"{event_type!r} is not taken here; send one of {known}",
            vi=f"không nhận loại {event_type!r}; hãy dùng một trong: {known}",
        ),
    )


def _type_out_of_scope(event_type: str) -> FieldError:
    en, vi = f"the key may not post {event_type}", f"khóa truy cập không được gửi loại {event_type}"
    if event_type in DECISION_TYPES:
        en, vi = f"{en}: decisions need a scope of their own", f"{vi}: quyết định cần phạm vi riêng"
    return FieldError(pointer="/type", detail=Said(en=en, vi=vi))
