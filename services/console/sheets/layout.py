"""Builds the content of a report sheet line by line: agency, clause, deadline, and every question of the report.

Each line has a key, for example `sections.results`, by which its answer is found again in the filled sheet. How a line
is drawn in XLSX or CSV is not known here.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from schemas.content import citations, compiled_parts, requested_content
from schemas.content.compiled_parts import RequestedPart
from schemas.events.ids import DutyKey
from schemas.plan import calendar, periods
from schemas.plan.plan import Obligation, ObligationVersion
from schemas.plan.registry import Agency
from schemas.plan.values import Bilingual
from services.intake.core.forms import date_parsing, form_fields
from services.intake.core.forms.form_fields import FieldType, FormField
from services.rules.core.duty_catalogue import DutyCatalogue, UnknownDuty

FORMAT = "dondoc-sheet/1"
_CUT_OFF = "content.figures_as_of"
MAX_FILES = 5
HEADER = ("Mã", "Nội dung", "Trả lời", "Đơn vị tính", "Hướng dẫn")
NOTES = "Điều kiện được kiểm tra khi tiếp nhận:"
YES_NO = ("có", "không")

# Of these a report may have many, so one that may be left empty says so; a star marks the others.
_CONTENT_TYPES = frozenset({FieldType.LONG_TEXT, FieldType.FIGURE})

# The end of the label of a line that requires an answer.
REQUIRED_MARK = " *"

# The separator of an agency's id and its name in the list to choose from.
CHOICE_MARK = " – "


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetLine:
    """One question, with its answer where that is known already.

    The answer of a fixed line is not for the reporter to change. A technical line is hidden, because only the program
    that reads the sheet needs it. `asked_of` says who is to answer, on a sheet that is not made for one agency.
    """

    question: FormField
    answer: str = ""
    is_fixed: bool = False
    is_technical: bool = False
    choices: tuple[str, ...] = ()
    asked_of: str = ""

    @property
    def label(self) -> str:
        """The question in Vietnamese, with a star where an answer is required."""
        return self.question.label.vi + (REQUIRED_MARK if self.question.is_required and not self.is_fixed else "")

    @property
    def hint(self) -> str:
        """How to answer, in Vietnamese. Choices are named only for yes and no; a list of agencies would be too long."""
        if self.is_fixed:
            return ""
        form = "ngày/tháng/năm" if self.question.kind is FieldType.DAY else ""
        choices = f"ghi {' hoặc '.join(YES_NO)}" if self.choices == YES_NO else ""
        is_optional = self.question.kind in _CONTENT_TYPES and not self.question.is_required
        optional = "không bắt buộc" if is_optional else ""
        return "; ".join(part for part in (self.question.hint.vi, form, choices, optional, self.asked_of) if part)

    @property
    def unit(self) -> str:
        return self.question.unit.vi if self.question.unit else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetSection:
    """The lines under one heading."""

    title: str
    lines: tuple[SheetLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetLayout:
    """A whole sheet. *notes* are the messages of the plan's checks, as information for the reporter."""

    title: str
    basis: str
    quote: str
    sections: tuple[SheetSection, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetScope:
    """The obligation, agency and period of a sheet; agency and period are None where the reporter is to write them."""

    obligation: Obligation
    version: ObligationVersion
    period: str | None
    agency: str | None
    due_at: datetime | None


def resolve_scope(
    catalogue: DutyCatalogue, obligation_id: str, *, period: str | None, agency: str | None
) -> SheetScope:
    """Return the scope of a sheet; *agency* may be an id or an alias.

    Raise `UnknownDuty` where the plan or the registry does not know the obligation, agency or period, or where nobody
    owes it.
    """
    obligation = catalogue.plan.obligation(obligation_id)
    if obligation is None:
        raise catalogue.unknown_obligation(obligation_id)
    known = None if agency is None else catalogue.agencies.resolve(agency)
    if agency is not None and known is None:
        raise catalogue.unknown_agency(agency)
    latest = obligation.versions[-1]
    if period is None and latest.recurrence.is_periodic:
        return SheetScope(obligation=obligation, version=latest, period=None, agency=known, due_at=None)
    agencies = catalogue.agencies if known is None else (known,)
    duties = [catalogue.duty(agency=one, obligation=obligation_id, period=period) for one in agencies]
    owed = next((duty for duty in duties if duty.is_binding), None)
    if owed is None or owed.version is None:
        raise UnknownDuty("agency", _describe_unowed(obligation_id, agency, period))
    return SheetScope(obligation=obligation, version=owed.version, period=period, agency=known, due_at=owed.due_at)


def _describe_unowed(obligation: str, agency: str | None, period: str | None) -> Bilingual:
    of_period = f" kỳ {period}" if period else ""
    who = f"“{agency}” không" if agency else "không đơn vị nào"
    return Bilingual.of(
        en=f"{agency or 'nobody'} does not owe {obligation} for {period or 'any time'}",
        vi=f"{who} phải gửi {obligation}{of_period}",
    )


def build_layout(catalogue: DutyCatalogue, scope: SheetScope) -> SheetLayout:
    """Return the layout of the sheet for *scope*."""
    citation = scope.obligation.citation
    source = next((one for one in catalogue.plan.sources if one.id == citation.source), None)
    cited = citations.name_document(source).vi if source else catalogue.plan.title.vi
    issued = f" ngày {source.issued_on:%d/%m/%Y}" if source and source.issued_on else ""
    deadline = (
        f"; hạn cuối: {date_parsing.render_deadline(scope.due_at, catalogue.calendar.zone).vi}" if scope.due_at else ""
    )
    period = None if scope.period is None else periods.parse(scope.period)
    window = calendar.find_window(scope.version, period)
    figures = f"; số liệu {date_parsing.render_window(window).vi}" if window else ""
    return SheetLayout(
        title=periods.add_period(scope.obligation.title.vi, scope.period),
        basis=f"Căn cứ {citations.name_clause(citation.clause).vi} {cited}{issued}{deadline}{figures}",
        quote=f"“{citation.quote}”",
        sections=tuple(_build_sections(catalogue, scope)),
        notes=tuple(check.message.vi for check in scope.version.requires.checks),
    )


def _build_sections(catalogue: DutyCatalogue, scope: SheetScope) -> Iterator[SheetSection]:
    requested = requested_content.list_requested(catalogue.plan, scope.version, _names_of(catalogue, scope))
    parts = _list_parts(catalogue, scope)
    questions = form_fields.build_fields(scope.version.requires, requested, parts)
    yield SheetSection(title="1. Nhiệm vụ báo cáo", lines=tuple(_identity_lines(catalogue, scope)))
    yield _build_section("2. Văn bản", questions, "document")
    yield SheetSection(
        title="3. Gửi văn bản (nếu đã gửi bằng đường khác)",
        lines=tuple(SheetLine(question=one) for one in _DISPATCH_QUESTIONS),
    )
    yield _fill_cut_off(_build_section("4. Nội dung báo cáo", questions, "content", "sections"), scope)
    if any(one.key.startswith("indicators.") for one in questions):
        yield _mark_addressees(_build_section("5. Số liệu", questions, "indicators"), catalogue, scope)
    if parts:
        yield _build_section("6. Báo cáo thành phần", questions, "parts")
    files = questions[-1]
    lines = tuple(SheetLine(question=_file_question(files, number)) for number in range(1, MAX_FILES + 1))
    yield SheetSection(title=f"{7 if parts else 6}. Tệp đính kèm", lines=lines)


def _list_parts(catalogue: DutyCatalogue, scope: SheetScope) -> tuple[RequestedPart, ...]:
    """Return whose reports this one compiles; a sheet that any agency may fill in cannot know."""
    if scope.agency is None or (scope.period is None and scope.version.recurrence.is_periodic):
        return ()
    key = DutyKey(plan=catalogue.plan.plan, agency=scope.agency, obligation=scope.obligation.id, period=scope.period)
    return compiled_parts.list_parts(catalogue.plan, catalogue.registry, key)


def _build_section(title: str, questions: tuple[FormField, ...], *heads: str) -> SheetSection:
    chosen = (one for one in questions if one.key.partition(".")[0] in heads)
    return SheetSection(
        title=title,
        lines=tuple(SheetLine(question=one, choices=YES_NO if one.kind is FieldType.YES_NO else ()) for one in chosen),
    )


def _fill_cut_off(section: SheetSection, scope: SheetScope) -> SheetSection:
    """Return *section* with the last day that the figures are to cover, where the plan states it; it may be changed."""
    window = calendar.find_window(scope.version, None if scope.period is None else periods.parse(scope.period))
    if window is None:
        return section
    answer = f"{window.ends_on:%d/%m/%Y}"
    lines = (replace(one, answer=answer) if one.question.key == _CUT_OFF else one for one in section.lines)
    return replace(section, lines=tuple(lines))


def _names_of(catalogue: DutyCatalogue, scope: SheetScope) -> frozenset[str] | None:
    """Return the agency of the sheet with its groups on the last good day; None where the reporter is to write it."""
    agency = None if scope.agency is None else catalogue.registry.agency(scope.agency)
    if agency is None:
        return None
    if scope.due_at is None:
        return frozenset({agency.id, *(one.id for one in agency.groups if one.to is None)})
    day = calendar.last_good_day(scope.due_at, catalogue.calendar.zone)
    return frozenset({agency.id, *(one.id for one in agency.groups if one.contains(day))})


def _mark_addressees(section: SheetSection, catalogue: DutyCatalogue, scope: SheetScope) -> SheetSection:
    """Say of each figure who is asked for it, on a sheet that any agency may fill in."""
    if scope.agency is not None:
        return section
    asked_of = {f"indicators.{one.code}": one.asked_of for one in catalogue.plan.indicators}
    lines = (
        line if line.question.is_required else replace(line, asked_of=_name_all(catalogue, asked_of[line.question.key]))
        for line in section.lines
    )
    return replace(section, lines=tuple(lines))


def _name_all(catalogue: DutyCatalogue, names: tuple[str, ...]) -> str:
    groups = {one.id: one.name.vi for one in catalogue.registry.groups}
    agencies = {one.id: one.names[-1].vi for one in catalogue.registry.agencies}
    named = ", ".join(groups.get(one) or agencies.get(one) or one for one in names)
    return f"dành cho: {named}" if named else ""


def _identity_lines(catalogue: DutyCatalogue, scope: SheetScope) -> Iterator[SheetLine]:
    yield _technical_line("format", "Mẫu phiếu", FORMAT)
    yield _technical_line("plan", "Kế hoạch", catalogue.plan.plan)
    yield _technical_line("obligation", "Nhiệm vụ", scope.obligation.id)
    yield _technical_line("zone", "Múi giờ", catalogue.plan.zone)
    yield _agency_line(catalogue, scope)
    if scope.version.recurrence.is_periodic:
        hint = Bilingual.of(en=periods.FORMS, vi=f"ví dụ: {periods.FORMS_VI}")
        question = _text_question("period", "Kỳ báo cáo", hint=hint)
        yield SheetLine(question=question, answer=scope.period or "", is_fixed=scope.period is not None)


def _agency_line(catalogue: DutyCatalogue, scope: SheetScope) -> SheetLine:
    question = _text_question(
        "agency", "Cơ quan báo cáo", hint=Bilingual.of(en="choose your agency", vi="chọn cơ quan trong danh sách")
    )
    if scope.agency is not None:
        return SheetLine(question=question, answer=_format_choice(catalogue, scope.agency), is_fixed=True)
    return SheetLine(
        question=question, choices=tuple(_format_choice(catalogue, one) for one in _addressee_ids(catalogue, scope))
    )


def _addressee_ids(catalogue: DutyCatalogue, scope: SheetScope) -> Iterator[str]:
    for one in catalogue.registry.agencies:
        if scope.period is None:
            is_addressee = _is_member(one, scope.obligation)
        else:
            is_addressee = catalogue.duty(agency=one.id, obligation=scope.obligation.id, period=scope.period).is_binding
        if is_addressee:
            yield one.id


def _is_member(agency: Agency, obligation: Obligation) -> bool:
    """Whether *agency* exists and is an addressee today; without a period there is no other day to ask about."""
    groups = {one.id for one in agency.groups if one.to is None} if agency.valid.to is None else set()
    return not groups.isdisjoint(obligation.bearers) or agency.id in obligation.bearers


def _format_choice(catalogue: DutyCatalogue, agency: str) -> str:
    found = catalogue.registry.agency(agency)
    return f"{agency}{CHOICE_MARK}{found.names[-1].vi}" if found else agency


def _file_question(files: FormField, number: int) -> FormField:
    return FormField(
        key=f"attachments.{number}",
        kind=FieldType.FILES,
        label=Bilingual.of(en=f"File {number}", vi=f"Tệp {number}"),
        hint=_FILE_HINT
        if number > 1 or not files.hint.vi
        else Bilingual.of(en=f"{_FILE_HINT.en}; {files.hint.en}", vi=f"{_FILE_HINT.vi}; {files.hint.vi}"),
        is_required=files.is_required and number == 1,
    )


def _technical_line(key: str, label: str, answer: str) -> SheetLine:
    return SheetLine(question=_text_question(key, label), answer=answer, is_fixed=True, is_technical=True)


def _text_question(key: str, label: str, *, hint: Bilingual = form_fields.NO_TEXT) -> FormField:
    return FormField(key=key, kind=FieldType.TEXT, label=Bilingual.of(en=key, vi=label), hint=hint, is_required=True)


_FILE_HINT = Bilingual.of(en="name of a file beside this sheet", vi="tên tệp đặt cùng thư mục với phiếu này")
_DISPATCH_QUESTIONS = (
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
