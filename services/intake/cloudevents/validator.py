"""Validates received events: well formed, covered by the key's scope, of the published shape, true of the plan.

A batch is accepted as a whole or refused as a whole, with the errors of all its events.
"""

from collections.abc import Iterator, Mapping

import msgspec

from schemas.events import ids
from schemas.events.facts import MODEL_OF
from schemas.plan.values import Bilingual
from schemas.problems import FieldError
from services.intake.asgi import RequestRefusedError
from services.intake.cloudevents import schema_errors
from services.intake.cloudevents.http_binding import MalformedEvent, ReceivedEvent
from services.intake.core import admission
from services.intake.core.admission import AcceptedEvent, Admission, InvalidEvent, OutOfScope, PublishedPlanSource
from services.intake.core.cloud_event import CloudEvent
from services.intake.core.problems import Refusal, RequestProblem
from services.intake.core.scopes import DECISION_TYPES, KNOWN_TYPES, REVIEW_TYPES, KeyScope, is_reserved

# Errors reported of one request; the answer would otherwise grow with the batch.
ERRORS_OF_REQUEST_MAX = 100

ValidationResult = AcceptedEvent | OutOfScope | InvalidEvent


class EventValidator:
    """Validates events against the published plans."""

    def __init__(self, plans: PublishedPlanSource) -> None:
        self._plans = plans

    def validate(
        self, received: Mapping[int, ReceivedEvent], scope: KeyScope, *, is_batch: bool
    ) -> tuple[AcceptedEvent, ...]:
        """Return the events, given by their index in the request, if every one of them is accepted.

        Raises `RequestRefusedError` otherwise: with 403 if the key does not cover an event, else with 422.
        """
        results = {index: self._validate_event(event, scope) for index, event in received.items()}
        accepted = tuple(result for result in results.values() if isinstance(result, AcceptedEvent))
        if len(accepted) == len(results):
            return accepted
        out_of_scope = tuple(_errors_of(results, OutOfScope, is_batch=is_batch))
        if out_of_scope:
            raise RequestRefusedError(_forbidden_refusal(out_of_scope))
        raise RequestRefusedError(_invalid_refusal(tuple(_errors_of(results, InvalidEvent, is_batch=is_batch))))

    def _validate_event(self, event: ReceivedEvent, scope: KeyScope) -> ValidationResult:
        if isinstance(event, MalformedEvent):
            return InvalidEvent(errors=(*event.errors, *_data_errors(event)))
        if event.type in KNOWN_TYPES and not scope.covers_type(event.type):
            return OutOfScope(error=_type_out_of_scope(event.type))
        if event.type not in MODEL_OF:
            return InvalidEvent(errors=(_unknown_type(event.type),))
        data = msgspec.json.decode(event.raw_data)
        if not scope.sources.covers(event.source) or _is_foreign_sheet(event, data):
            return OutOfScope(error=_source_out_of_scope(event.source))
        fact = schema_errors.parse_fact(event.type, data)
        if isinstance(fact, tuple):
            return InvalidEvent(errors=fact)
        reference = admission.duty_reference_of(fact)
        result = admission.admit(reference, event.subject, plans=self._plans, scope=scope)
        if not isinstance(result, Admission):
            return result
        is_unproven = admission.is_dispatch_unproven(fact, scope)
        return AcceptedEvent(event=event, admission=result, is_dispatch_unproven=is_unproven)


def _is_foreign_sheet(event: CloudEvent, data: object) -> bool:
    """Whether *event* has the source of sheets, but not the id that derives from its content (`ids.SHEET_SOURCE`)."""
    return event.source == ids.SHEET_SOURCE and event.id != ids.sheet_event_id(data)


def _data_errors(event: MalformedEvent) -> tuple[FieldError, ...]:
    """Return the errors of the data too, so that a sender learns of all errors at once."""
    if event.type not in MODEL_OF:
        return ()
    fact = schema_errors.parse_fact(event.type, msgspec.json.decode(event.raw_data))
    return fact if isinstance(fact, tuple) else ()


def _errors_of(
    results: Mapping[int, ValidationResult], kind: type[OutOfScope] | type[InvalidEvent], *, is_batch: bool
) -> Iterator[FieldError]:
    """Yield the errors of the results of one *kind*; in a batch each pointer begins with the event's index."""
    for index, result in results.items():
        prefix = f"/{index}" if is_batch else ""
        match result:
            case OutOfScope(error=error) if kind is OutOfScope:
                yield error.within(prefix)
            case InvalidEvent(errors=errors) if kind is InvalidEvent:
                yield from (error.within(prefix) for error in errors)
            case _:
                pass


def _forbidden_refusal(errors: tuple[FieldError, ...]) -> Refusal:
    return Refusal(
        problem=RequestProblem.FORBIDDEN,
        detail=Bilingual.of(en="ask for a key whose scope covers it", vi="hãy đề nghị cấp khóa có phạm vi phù hợp"),
        errors=errors[:ERRORS_OF_REQUEST_MAX],
    )


def _invalid_refusal(errors: tuple[FieldError, ...]) -> Refusal:
    return Refusal(
        problem=RequestProblem.INVALID,
        detail=Bilingual.of(
            en="nothing was recorded; correct what `errors` names and send it again",
            vi="chưa ghi nhận nội dung nào; hãy sửa các lỗi nêu trong `errors` rồi gửi lại",
        ),
        errors=errors[:ERRORS_OF_REQUEST_MAX],
    )


def _unknown_type(event_type: str) -> FieldError:
    known = ", ".join(sorted(MODEL_OF))
    return FieldError(
        pointer="/type",
        detail=Bilingual.of(
            en=f"{event_type!r} is not taken here; send one of {known}",
            vi=f"không nhận loại {event_type!r}; hãy dùng một trong: {known}",
        ),
    )


def _type_out_of_scope(event_type: str) -> FieldError:
    en, vi = f"the key may not post {event_type}", f"khóa truy cập không được gửi loại {event_type}"
    if event_type in DECISION_TYPES:
        en, vi = f"{en}: decisions need a scope of their own", f"{vi}: quyết định cần phạm vi riêng"
    if event_type in REVIEW_TYPES:
        en, vi = f"{en}: reviews need a scope of their own", f"{vi}: việc trả lại, chấp nhận báo cáo cần phạm vi riêng"
    return FieldError(pointer="/type", detail=Bilingual.of(en=en, vi=vi))


def _source_out_of_scope(source: str) -> FieldError:
    en, vi = f"the key may not post from {source!r}", f"khóa truy cập không được gửi với nguồn {source!r}"
    if source == ids.SHEET_SOURCE:
        en = f"{en} under this id: it is for sheets that `dondoc submit` sends, whose id derives from their content"
        vi = f"{vi} và mã này: nguồn này dành cho phiếu gửi bằng `dondoc submit`, có mã lấy từ nội dung"
    elif is_reserved(source):
        en, vi = f"{en}: urn:dondoc: is the product's own", f"{vi}: urn:dondoc: chỉ dành cho chính hệ thống"
    else:
        en, vi = f"{en}; use a source of its own", f"{vi}; hãy dùng nguồn đã đăng ký cho khóa"
    return FieldError(pointer="/source", detail=Bilingual.of(en=en, vi=vi))
