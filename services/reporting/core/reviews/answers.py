"""The officer's answer to a report: read from the fields of a form, with an error beside each field that is wrong.

An answer knows when its form was opened. That instant and the content make the id of its event, so the same form sent
twice, by a second press, a reload or a retry after a lost answer, is one event, and a new form with the same words is
another.
"""

import unicodedata
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from schemas.events import ids
from schemas.events.facts import ACCEPTED, REASON_LENGTH_MAX, RETURNED
from schemas.events.ids import REPORTING_SOURCE, DutyKey
from schemas.plan import calendar, periods
from schemas.plan.plan import Obligation, Plan
from schemas.plan.values import Bilingual
from schemas.text import normal_form

PARENT = "parent"  # as recipient: the agency above the reporting one
NOTE_LENGTH_MAX = 4_000
ID_DIGITS = 32

# A form that is older belongs to a session that has ended; one from the future was not made by our pages.
OPENED_AT_MOST_BEFORE = timedelta(hours=24)
OPENED_AT_MOST_AFTER = timedelta(minutes=1)  # two replicas' clocks

# Of a date that people type where the browser has no calendar.
_DAY_FORMS = ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y")

FieldErrors = Mapping[str, Bilingual]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredDuty:
    """The duty whose reports are answered, the ids of those that can be, and in whose name it is done."""

    key: DutyKey
    submissions: Collection[str]
    recipient: str
    zone: ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnAnswer:
    """A report goes back to its agency. `respond_by` is the exclusive instant before which it is to be corrected."""

    submission: str
    reason: str
    respond_by: datetime | None
    opened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptAnswer:
    """A report is accepted as it is; an earlier return of it is taken back."""

    submission: str
    note: str
    opened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeAnswer:
    """An officer's own grade of an agency's work in a period, in a sentence of their own."""

    grade: str
    sentence: str
    opened_at: datetime


class InvalidAnswerError(Exception):
    """Fields of a form are wrong; `errors` says beside each what to write. Nothing is posted."""

    def __init__(self, errors: FieldErrors) -> None:
        super().__init__("; ".join(f"{name}: {error.en}" for name, error in errors.items()))
        self.errors = errors


def find_recipient(plan: Plan, obligation: Obligation, parent: str | None) -> str:
    """Return in whose name a report of *obligation* is answered: its recipient, else who issued the plan.

    *parent* is the agency above the reporting one, where there is one: the recipient `parent` is that.
    """
    recipient = parent if obligation.recipient == PARENT else obligation.recipient
    return recipient or plan.issuer or plan.plan


def parse_return(fields: Mapping[str, str], duty: AnsweredDuty, now: datetime) -> ReturnAnswer:
    """Return what the form to return a report says; raise `InvalidAnswerError`."""
    errors = _Errors()
    answer = ReturnAnswer(
        submission=_parse_submission(fields, duty, errors),
        reason=_parse_text(fields, "reason", REASON_LENGTH_MAX, errors),
        respond_by=_parse_respond_by(fields.get("respond_by", ""), duty.zone, now, errors=errors),
        opened_at=_parse_opened_at(fields, now, errors),
    )
    if not answer.reason:
        errors.note("reason", _NO_REASON)
    errors.raise_any()
    return answer


def parse_acceptance(fields: Mapping[str, str], duty: AnsweredDuty, now: datetime) -> AcceptAnswer:
    """Return what the form to accept a report says; raise `InvalidAnswerError`."""
    errors = _Errors()
    answer = AcceptAnswer(
        submission=_parse_submission(fields, duty, errors),
        note=_parse_text(fields, "note", NOTE_LENGTH_MAX, errors),
        opened_at=_parse_opened_at(fields, now, errors),
    )
    errors.raise_any()
    return answer


def parse_grade(
    fields: Mapping[str, str], grades: Collection[str], grade_length_max: int, now: datetime
) -> GradeAnswer:
    """Return what the form to grade says, one of *grades* where the plan has any; raise `InvalidAnswerError`."""
    errors = _Errors()
    grade = _parse_text(fields, "grade", grade_length_max, errors)
    if not grade or (grades and grade not in grades):
        errors.note("grade", _NO_GRADE)
    sentence = _parse_text(fields, "sentence", NOTE_LENGTH_MAX, errors)
    opened_at = _parse_opened_at(fields, now, errors)
    errors.raise_any()
    return GradeAnswer(grade=grade, sentence=sentence, opened_at=opened_at)


def build_event(answer: ReturnAnswer | AcceptAnswer, duty: AnsweredDuty) -> bytes:
    """Return the CloudEvent of an *answer* in JSON; the same form makes the same bytes."""
    key = duty.key
    data: dict[str, Any] = {"plan": key.plan, "obligation": key.obligation, "agency": key.agency}
    if key.period is not None:
        data["period"] = key.period
    match answer:
        case ReturnAnswer():
            kind = RETURNED
            respond_by = None if answer.respond_by is None else answer.respond_by.isoformat()
            data |= {"reason": answer.reason, "respond_by": respond_by, "returned_by": duty.recipient}
        case AcceptAnswer():
            kind = ACCEPTED
            data |= {"note": answer.note, "accepted_by": duty.recipient}
    data["submission"] = answer.submission
    identity = {"type": kind, "opened_at": answer.opened_at.isoformat(), **data}
    event = {
        "specversion": "1.0",
        "id": f"review-{ids.content_digest(identity)[:ID_DIGITS]}",
        "source": REPORTING_SOURCE,
        "type": kind,
        "subject": key.agency,
        "datacontenttype": "application/json",
        "data": data,
    }
    return msgspec.json.encode(event)


class _Errors:
    """The errors of the fields of one form: the first of each."""

    def __init__(self) -> None:
        self._found: dict[str, Bilingual] = {}

    def note(self, name: str, error: Bilingual) -> None:
        self._found.setdefault(name, error)

    def raise_any(self) -> None:
        if self._found:
            raise InvalidAnswerError(self._found)


def _parse_submission(fields: Mapping[str, str], duty: AnsweredDuty, errors: _Errors) -> str:
    submission = fields.get("submission", "")
    if submission not in duty.submissions:
        errors.note("submission", _OTHER_SUBMISSION if submission else _NO_SUBMISSION)
    return submission


def _parse_text(fields: Mapping[str, str], name: str, length_max: int, errors: _Errors) -> str:
    """Return a text in NFC with plain line ends: a browser sends CRLF, whatever was typed (HTML, form submission)."""
    text = normal_form.normalize(fields.get(name, "")).replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(text) > length_max:
        shown = len(text), length_max
        errors.note(
            name,
            Bilingual.of(
                vi=f"Nội dung có {shown[0]} ký tự, tối đa là {shown[1]}; hãy rút gọn.",
                en=f"This has {shown[0]} characters, and at most {shown[1]} are taken; shorten it.",
            ),
        )
    if any(unicodedata.category(letter) == "Cc" and letter not in "\n\t" for letter in text):
        errors.note(name, _CONTROL_CHARACTERS)
    return text


def _parse_respond_by(text: str, zone: ZoneInfo, now: datetime, *, errors: _Errors) -> datetime | None:
    """Return the end of the day that is written, as the instant at which the next one begins; None for no day."""
    if not text.strip():
        return None
    day = _parse_day(text.strip())
    today = now.astimezone(zone).date()
    if day is None or day.year not in periods.YEARS:
        errors.note("respond_by", _NO_DAY)
        return None
    if day < today:
        errors.note(
            "respond_by",
            Bilingual.of(
                vi=f"Hạn gửi lại không được trước hôm nay ({today:%d/%m/%Y}).",
                en=f"The term must not lie before today ({today:%d/%m/%Y}).",
            ),
        )
    return calendar.midnight(day + timedelta(days=1), zone)


def _parse_day(text: str) -> date | None:
    for form in _DAY_FORMS:
        with suppress(ValueError):  # another form may fit
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no offset
    return None


def _parse_opened_at(fields: Mapping[str, str], now: datetime, errors: _Errors) -> datetime:
    with suppress(ValueError):  # no instant is answered like one that is too old
        opened_at = datetime.fromisoformat(fields.get("opened_at", ""))
        if opened_at.tzinfo is not None and -OPENED_AT_MOST_AFTER <= now - opened_at <= OPENED_AT_MOST_BEFORE:
            return opened_at
    errors.note("opened_at", _STALE_FORM)
    return now


_NO_REASON = Bilingual(
    vi="Hãy ghi lý do để đơn vị biết cần hoàn thiện điều gì.", en="Write why, so that the agency knows what to correct."
)
_NO_SUBMISSION = Bilingual(vi="Hãy chọn báo cáo được trả lời.", en="Choose the report that is answered.")
_OTHER_SUBMISSION = Bilingual(
    vi="Báo cáo này đã được thay bằng bản khác hoặc đã thu hồi. Hãy xem bản hiện nay rồi trả lời.",
    en="This report was replaced or withdrawn meanwhile. Read the one that stands, then answer that.",
)
_NO_GRADE = Bilingual(vi="Hãy chọn một mức đánh giá của kế hoạch.", en="Choose one of the plan's grades.")
_NO_DAY = Bilingual(
    vi="Hãy ghi ngày theo dạng 31/12/2026, hoặc để trống.", en="Write a day such as 31/12/2026, or leave this empty."
)
_CONTROL_CHARACTERS = Bilingual(
    vi="Nội dung có ký tự không in được; hãy gõ lại phần đó.",
    en="This has characters that cannot be printed; retype it.",
)
_STALE_FORM = Bilingual(
    vi="Trang này đã mở quá lâu. Nội dung đã nhập vẫn còn; hãy bấm gửi lần nữa.",
    en="This page has been open too long. What you typed is still here; press the button once more.",
)
