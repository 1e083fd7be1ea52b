"""What stands on a report sheet, line by line: for whom, under which clause, by when, and every question of the report.

It refuses to know how a line is drawn. A line's key says in the file itself what its answer is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from schemas.plan.plan import Obligation, ObligationVersion
from schemas.plan.registry import Agency
from schemas.plan.values import Bilingual
from services.intake.core.forms import date_parsing, form_fields
from services.intake.core.forms.form_fields import FieldType, FormField
from services.rules.core.duty_catalogue import Book, UnknownDuty

FORMAT = "dondoc-sheet/1"
FILES_MAX = 5
HEADER = ("Mã", "Nội dung", "Trả lời", "Đơn vị tính", "Hướng dẫn")
NOTES = "Điều kiện được kiểm tra khi tiếp nhận:"
YES_NO = ("có", "không")
STAR = " *"
"""Ends the label of a line that needs an answer."""
CHOICE_MARK = " – "
"""Stands between an agency's id and its name where an agency is chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One question with its answer where it is known already; a fixed one is not for the reporter to change.

    A technical line is for the machine that reads the sheet back.
    """

    question: FormField
    answer: str = ""
    is_fixed: bool = False
    is_technical: bool = False
    choices: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The question in Vietnamese; a star says that an answer is needed."""
        return self.question.label.vi + (STAR if self.question.is_required and not self.is_fixed else "")

    @property
    def hint(self) -> str:
        """How to answer, in Vietnamese; the agencies to choose from are too many to tell here."""
        if self.is_fixed:
            return ""
        form = "ngày/tháng/năm" if self.question.kind is FieldType.DAY else ""
        choices = f"ghi {' hoặc '.join(YES_NO)}" if self.choices == YES_NO else ""
        return "; ".join(part for part in (self.question.hint.vi, form, choices) if part)

    @property
    def unit(self) -> str:
        return self.question.unit.vi if self.question.unit else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Lines under one heading."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A whole sheet. *notes* say what else the plan checks."""

    title: str
    basis: str
    quote: str
    parts: tuple[Part, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """For whom and for which period a sheet is made; both may be left for the reporter to say."""

    obligation: Obligation
    version: ObligationVersion
    period: str | None
    agency: str | None
    due_at: datetime | None


def asked(book: Book, obligation_id: str, *, period: str | None, agency: str | None) -> Asked:
    """Return what is asked; raise `UnknownDuty` naming what the plan or the registry does not know."""
    obligation = book.plan.obligation(obligation_id)
    if obligation is None:
        raise UnknownDuty("obligation", f"{obligation_id!r} is not in plan {book.plan.plan}@{book.plan.version}")
    known = None if agency is None else book.agencies.resolve(agency)
    if agency is not None and known is None:
        raise UnknownDuty("agency", f"{agency!r} is not in registry {book.registry.registry}@{book.registry.version}")
    latest = obligation.versions[-1]
    if period is None and latest.recurrence.is_periodic:
        return Asked(obligation=obligation, version=latest, period=None, agency=known, due_at=None)
    agencies = book.agencies if known is None else (known,)
    duties = [book.duty(agency=one, obligation=obligation_id, period=period) for one in agencies]
    owed = next((duty for duty in duties if duty.is_binding), None)
    if owed is None or owed.version is None:
        raise UnknownDuty("agency", f"{agency or 'nobody'} does not owe {obligation_id} for {period or 'any time'}")
    return Asked(obligation=obligation, version=owed.version, period=period, agency=known, due_at=owed.due_at)


def sheet(book: Book, wanted: Asked) -> Sheet:
    """Return the sheet for what is *wanted*."""
    citation = wanted.obligation.citation
    source = next((one for one in book.plan.sources if one.id == citation.source), None)
    dated = f" ngày {source.issued_on:%d/%m/%Y}" if source and source.issued_on else ""
    by = f"; hạn cuối: {date_parsing.render_deadline(wanted.due_at, book.calendar.zone).vi}" if wanted.due_at else ""
    return Sheet(
        title=wanted.obligation.title.vi
        + (f" – {date_parsing.render_period(wanted.period).vi}" if wanted.period else ""),
        basis=f"Căn cứ mục {citation.clause}, văn bản số {source.number if source else book.plan.plan}{dated}{by}",
        quote=f"“{citation.quote}”",
        parts=tuple(_parts(book, wanted)),
        notes=tuple(check.message.vi for check in wanted.version.requires.checks),
    )


def _parts(book: Book, wanted: Asked) -> Iterator[Part]:
    asked_of_all = form_fields.fields_of(wanted.version.requires)
    yield Part(title="1. Nhiệm vụ báo cáo", lines=tuple(_identity(book, wanted)))
    yield _part("2. Văn bản", asked_of_all, "document")
    yield Part(title="3. Gửi văn bản (nếu đã gửi bằng đường khác)", lines=tuple(Line(question=one) for one in _SENDING))
    yield _part("4. Nội dung báo cáo", asked_of_all, "content", "sections")
    if any(one.key.startswith("indicators.") for one in asked_of_all):
        yield _part("5. Số liệu", asked_of_all, "indicators")
    files = asked_of_all[-1]
    lines = tuple(Line(question=_nth(files, number)) for number in range(1, FILES_MAX + 1))
    yield Part(title="6. Tệp đính kèm", lines=lines)


def _part(title: str, all_questions: tuple[FormField, ...], *heads: str) -> Part:
    asked_here = (one for one in all_questions if one.key.partition(".")[0] in heads)
    return Part(
        title=title,
        lines=tuple(Line(question=one, choices=YES_NO if one.kind is FieldType.YES_NO else ()) for one in asked_here),
    )


def _identity(book: Book, wanted: Asked) -> Iterator[Line]:
    yield _fixed("format", "Mẫu phiếu", FORMAT)
    yield _fixed("plan", "Kế hoạch", book.plan.plan)
    yield _fixed("obligation", "Nhiệm vụ", wanted.obligation.id)
    yield _fixed("zone", "Múi giờ", book.plan.zone)
    yield _agency(book, wanted)
    if wanted.version.recurrence.is_periodic:
        hint = Bilingual.of(en="2026, 2026-H1, 2026-Q3 or 2026-07", vi="ví dụ: 2026, 2026-H1, 2026-Q3 hoặc 2026-07")
        question = _question("period", "Kỳ báo cáo", hint=hint)
        yield Line(question=question, answer=wanted.period or "", is_fixed=wanted.period is not None)


def _agency(book: Book, wanted: Asked) -> Line:
    question = _question(
        "agency", "Cơ quan báo cáo", hint=Bilingual.of(en="choose your agency", vi="chọn cơ quan trong danh sách")
    )
    if wanted.agency is not None:
        return Line(question=question, answer=_choice(book, wanted.agency), is_fixed=True)
    return Line(question=question, choices=tuple(_choice(book, one) for one in _addressed(book, wanted)))


def _addressed(book: Book, wanted: Asked) -> Iterator[str]:
    for one in book.registry.agencies:
        if wanted.period is None:
            is_addressed = _is_member(one, wanted.obligation)
        else:
            is_addressed = book.duty(agency=one.id, obligation=wanted.obligation.id, period=wanted.period).is_binding
        if is_addressed:
            yield one.id


def _is_member(agency: Agency, obligation: Obligation) -> bool:
    """Whether *agency* lives and is addressed today, as far as no period asks about another day."""
    groups = {one.id for one in agency.groups if one.to is None} if agency.valid.to is None else set()
    return not groups.isdisjoint(obligation.addressees) or agency.id in obligation.addressees


def _choice(book: Book, agency: str) -> str:
    found = book.registry.agency(agency)
    return f"{agency}{CHOICE_MARK}{found.names[-1].vi}" if found else agency


def _nth(files: FormField, number: int) -> FormField:
    return FormField(
        key=f"attachments.{number}",
        kind=FieldType.FILES,
        label=Bilingual.of(en=f"File {number}", vi=f"Tệp {number}"),
        hint=_BESIDE
        if number > 1 or not files.hint.vi
        else Bilingual.of(en=f"{_BESIDE.en}; {files.hint.en}", vi=f"{_BESIDE.vi}; {files.hint.vi}"),
        is_required=files.is_required and number == 1,
    )


def _fixed(key: str, label: str, answer: str) -> Line:
    return Line(question=_question(key, label), answer=answer, is_fixed=True, is_technical=True)


def _question(key: str, label: str, *, hint: Bilingual = form_fields.NO_TEXT) -> FormField:
    return FormField(key=key, kind=FieldType.TEXT, label=Bilingual.of(en=key, vi=label), hint=hint, is_required=True)


_BESIDE = Bilingual.of(en="name of a file beside this sheet", vi="tên tệp đặt cùng thư mục với phiếu này")
_SENDING = (
    FormField(
        key="dispatch.sent_at",
        kind=FieldType.MOMENT,
        label=Bilingual.of(en="Sent at", vi="Thời điểm gửi"),
        hint=Bilingual.of(en="day and time", vi="ngày và giờ, ví dụ: 09/12/2026 16:30"),
    ),
    FormField(
        key="dispatch.proof",
        kind=FieldType.PROOF,
        label=Bilingual.of(en="Proof of sending", vi="Căn cứ xác nhận thời điểm gửi"),
        hint=Bilingual.of(
            en=", ".join(one.in_language("en") for one in form_fields.PROOFS.values()),
            vi="chọn: " + ", ".join(one.vi for one in form_fields.PROOFS.values()),
        ),
    ),
    FormField(
        key="dispatch.reference",
        kind=FieldType.TEXT,
        label=Bilingual.of(en="Reference", vi="Số hiệu xác nhận"),
        hint=Bilingual.of(en="number of the item or message", vi="mã bưu gửi hoặc mã gói tin"),
    ),
)
