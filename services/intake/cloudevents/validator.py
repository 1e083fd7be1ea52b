"""The desk where events are examined: well formed, covered by the key, of the published shape, true of the plan.

A batch passes whole or is refused whole, with every fault it has.
"""

from collections.abc import Iterator, Mapping

import msgspec
from msgspec import Struct

from schemas.events.facts import MODEL_OF
from services.intake.asgi import RefusedError
from services.intake.cloudevents import schema_errors
from services.intake.cloudevents.http_binding import Arrived, Faulty
from services.intake.core import admission
from services.intake.core.admission import Admitted, Library, NotInScope, Untrue
from services.intake.core.cloud_event import Event
from services.intake.core.duty_reference import claim_of
from services.intake.core.problems import Finding, Problem, Refusal, Said
from services.intake.core.scopes import DECISIONS, Scope

FINDINGS_MAX = 100
"""Faults told of one request."""


class Accepted(Struct, frozen=True, kw_only=True):
    """An event that may enter the log."""

    event: Event
    admitted: Admitted


Examined = Accepted | NotInScope | Untrue


class Desk:
    """Examines events against the published plans."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def examine(self, arrived: Mapping[int, Arrived], scope: Scope, *, is_batch: bool) -> tuple[Accepted, ...]:
        """Return the events by their places, all of them good; raise with 403 or 422 and what is wrong with any."""
        examined = {place: self._examine_one(one, scope) for place, one in arrived.items()}
        accepted = tuple(one for one in examined.values() if isinstance(one, Accepted))
        if len(accepted) == len(examined):
            return accepted
        out_of_scope = tuple(_pointed(examined, NotInScope, is_batch=is_batch))
        if out_of_scope:
            raise RefusedError(_forbidden(out_of_scope))
        raise RefusedError(_invalid(tuple(_pointed(examined, Untrue, is_batch=is_batch))))

    def _examine_one(self, arrived: Arrived, scope: Scope) -> Examined:
        if isinstance(arrived, Faulty):
            return Untrue(findings=(*arrived.findings, *_faults_of_data(arrived)))
        if arrived.type not in MODEL_OF:
            return Untrue(findings=(_unknown_type(arrived.type),))
        if not scope.covers_type(arrived.type):
            return NotInScope(finding=_type_out_of_scope(arrived.type))
        fact = schema_errors.fact_of(arrived.type, msgspec.json.decode(arrived.written_data))
        if isinstance(fact, tuple):
            return Untrue(findings=fact)
        verdict = admission.admit(claim_of(fact), arrived.subject, library=self._library, scope=scope)
        return Accepted(event=arrived, admitted=verdict) if isinstance(verdict, Admitted) else verdict


def _faults_of_data(faulty: Faulty) -> tuple[Finding, ...]:
    """Return what is wrong with the data besides, so that nobody learns of one fault after the other."""
    if faulty.type not in MODEL_OF:
        return ()
    fact = schema_errors.fact_of(faulty.type, msgspec.json.decode(faulty.written_data))
    return fact if isinstance(fact, tuple) else ()


def _pointed(
    examined: Mapping[int, Examined], kind: type[NotInScope] | type[Untrue], *, is_batch: bool
) -> Iterator[Finding]:
    for place, one in examined.items():
        prefix = f"/{place}" if is_batch else ""
        match one:
            case NotInScope(finding=finding) if kind is NotInScope:
                yield finding.within(prefix)
            case Untrue(findings=findings) if kind is Untrue:
                yield from (finding.within(prefix) for finding in findings)
            case _:
                pass


def _forbidden(findings: tuple[Finding, ...]) -> Refusal:
    return Refusal(
        problem=Problem.FORBIDDEN,
        detail=Said(en="ask for a key whose scope covers it", vi="hãy đề nghị cấp khóa có phạm vi phù hợp"),
        findings=findings[:FINDINGS_MAX],
    )


def _invalid(findings: tuple[Finding, ...]) -> Refusal:
    return Refusal(
        problem=Problem.INVALID,
        detail=Said(
            en="nothing was recorded; correct what `errors` names and send it again",
            vi="chưa ghi nhận nội dung nào; hãy sửa các lỗi nêu trong `errors` rồi gửi lại",
        ),
        findings=findings[:FINDINGS_MAX],
    )


def _unknown_type(event_type: str) -> Finding:
    known = ", ".join(sorted(MODEL_OF))
    return Finding(
        pointer="/type",
        detail=Said(
            en=f"{event_type!r} is not taken here; send one of {known}",
            vi=f"không nhận loại {event_type!r}; hãy dùng một trong: {known}",
        ),
    )


def _type_out_of_scope(event_type: str) -> Finding:
    en, vi = f"the key may not post {event_type}", f"khóa truy cập không được gửi loại {event_type}"
    if event_type in DECISIONS:
        en, vi = f"{en}: decisions need a scope of their own", f"{vi}: quyết định cần phạm vi riêng"
    return Finding(pointer="/type", detail=Said(en=en, vi=vi))
